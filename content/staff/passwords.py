"""Passwords: which ones are taken, and how they are kept (argon2id)."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

MIN_PASSWORD = 10
# What is tried first everywhere. Shorter ones are refused by their length.
COMMON = frozenset(
    {
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "administrator",
        "bousai1234",
        "changeme123",
        "himitsu123",
        "iloveyou123",
        "kairanban1",
        "kairanban123",
        "letmein123",
        "p@ssw0rd123",
        "pass1234567",
        "passw0rd12",
        "passw0rd123",
        "password01",
        "password1!",
        "password12",
        "password123",
        "password1234",
        "qwerty1234",
        "qwerty12345",
        "qwerty123456",
        "qwertyuiop",
        "welcome123",
        "yakuba1234",
        "zaq12wsxcde3",
    }
)
# Rows of a keyboard and of the alphabet: a piece of one is no password either.
RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")

_hasher = PasswordHasher()
# Checked when there is nobody to check, so that the answer takes as long as for a known name. It stands here
# because making it, of "nobody has this password", would be a tenth of the start of every process.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$YwGilb5U5e+kKQOWsWQi5A$5vHJm3jworxeqUenwEGAk6lsDw/drtjAWoIxRFHB1GM"


# What is kept of a password that was checked.
PasswordHash = NewType("PasswordHash", str)


class PasswordRefused(ValueError):
    """The password is too short or too easy to guess; the message says which."""


def check(password: str, login: str) -> None:
    """Raises PasswordRefused."""
    if len(password) < MIN_PASSWORD:
        raise PasswordRefused(f"パスワードは{MIN_PASSWORD}文字以上にしてください。")
    if _is_easy(unicodedata.normalize("NFKC", password).casefold(), login.casefold()):
        raise PasswordRefused(
            "このパスワードは推測されやすいため使えません。ほかで使われにくい、長い言葉の組み合わせにしてください。"
        )


def make_hash(password: str) -> PasswordHash:
    """Slow on purpose: call it in a thread."""
    return PasswordHash(_hasher.hash(password))


async def new_hash(password: str, login: str) -> PasswordHash:
    """Of a member's new password. It takes a while, so it is asked for before a transaction begins.

    Raises PasswordRefused.
    """
    check(password, login)
    return await asyncio.to_thread(make_hash, password)


def fits(password_hash: str | None, password: str) -> bool:
    """Without a hash never, and it takes as long. Slow on purpose: call it in a thread."""
    try:
        return _hasher.verify(password_hash or _NOBODY, password) and password_hash is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def _is_easy(password: str, login: str) -> bool:
    around_login = password.removeprefix(login).removesuffix(login)
    return (
        password in COMMON
        or len(set(password)) <= 2
        or any(password in run or password in run[::-1] for run in RUNS)
        or (around_login != password and len(around_login) < MIN_PASSWORD // 2)
    )

"""What an address on each channel looks like: one place to check and normalise it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")
# Old phone carriers gave out addresses with two dots in a row or a dot before the @, so the
# local part is looser than RFC 5321's dot-atom; the mail channel quotes it when it must. Other scripts: RFC 6531.
MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}"
)
LONGEST_LOCAL, LONGEST_MAIL = 64, 254
# Carriers of mobile phones. Their addresses have small letters alone, and a phone writes the first one large.
CARRIERS = (
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "vodafone.ne.jp",
    "ymobile.ne.jp",
    "ymobile1.ne.jp",
)
WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")


class BadAddress(ValueError):
    """Not an address of this channel; the message says what one looks like, never the address."""


def normalise(channel: str, address: str) -> str:
    """The one form under which an address is stored and found. Raises BadAddress."""
    check = _CHECKS.get(channel)
    if check is None:
        raise BadAddress(f"unknown channel; use one of {', '.join(sorted(_CHECKS))}")
    return check(address.strip())


def normalise_sought(channel: str, address: str) -> str:
    """What somebody types to find a registration, for `lookup_part`: of a webhook the URL alone will do.

    Raises BadAddress.
    """
    url = address.strip()
    return (
        url if channel == "webhook" and " " not in url and _is_web_url(url) else normalise(channel, address)
    )


def lookup_part(channel: str, address: str) -> str:
    """The part of a normalised address that identifies it: for a webhook the URL without its secret."""
    return address.split(" ")[0] if channel == "webhook" else address


def masked(channel: str, address: str) -> str:
    """Enough for its owner to know it by, and nobody else: h…@example.jp, …a1a1, example.jp/…"""
    if channel == "mail":
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}…@{domain}"
    if channel == "webhook":
        host = urlsplit(address.split(" ")[0]).hostname
        return f"{host}/…" if host else "…"
    return f"…{address[-4:]}"


def _line_user_id(address: str) -> str:
    if not LINE_USER_ID.fullmatch(address):
        raise BadAddress("LINEのユーザーIDは、Uと32けたの英数字(0〜9、a〜f)です")
    return address


def _mail_address(address: str) -> str:
    # A Japanese keyboard gives ＠ and wide letters.
    local, _, typed = unicodedata.normalize("NFKC", address).rpartition("@")
    domain = _ascii_domain(typed)
    lowered = f"{local.lower() if is_carrier(domain) else local}@{domain}"
    # Octets, as RFC 5321 §4.5.3 counts; what cannot be seen is no part of an address that somebody typed.
    too_long = len(local.encode()) > LONGEST_LOCAL or len(lowered.encode()) > LONGEST_MAIL
    if too_long or not lowered.isprintable() or not MAIL_ADDRESS.fullmatch(lowered):
        raise BadAddress("メールアドレスは name@example.jp のように書いてください")
    return lowered


def is_carrier(domain: str) -> bool:
    """Whether a domain in small letters gives mail to mobile phones."""
    return any(domain == carrier or domain.endswith(f".{carrier}") for carrier in CARRIERS)


def _ascii_domain(domain: str) -> str:
    """In small letters, and of other scripts as mail servers write it (RFC 5891); "" for what is none."""
    if domain.isascii():
        return domain.lower()
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return ""


def _webhook(address: str) -> str:
    url, _, secrets = address.partition(" ")
    # Two while the receiver changes its secret: the new one first.
    known = secrets.split(" ")
    if not _is_web_url(url) or len(known) > 2 or not all(map(WEBHOOK_SECRET.fullmatch, known)):
        raise BadAddress("Webhookは、URL、空白、秘密の順に書いてください: https://example.jp/hook whsec_…")
    return f"{url} {secrets}"


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # [ without ] and the like
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


_CHECKS: dict[str, Callable[[str], str]] = {"line": _line_user_id, "mail": _mail_address, "webhook": _webhook}

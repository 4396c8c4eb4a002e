"""Telephone numbers that cannot be called and links that cannot be opened, as far as their form tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from content.notices.checks.finding import Finding, Passage, passages, quoted
from content.notices.notices import NoticeSpec

_PHONE = re.compile(r"(?<![\w/.@-])[(]?0\d{1,4}[)]?[- ]?[(]?\d{1,4}[)-]\d{2,5}(?![\w/-]|\.\d)")
# Three digits behind 050 to 090 and 0800: eleven in all. 0120, 0570 and 0990 have ten, as landlines have.
_ELEVEN = re.compile(r"0[5-9]0[1-9]|0800")
_URL = re.compile(r"\b(?:https?|ftp|file)://[!-;=?-~]+", re.IGNORECASE)
_BROKEN = re.compile(
    r"\b(?:h?ttps?|htps?|http)(?:;//|:/(?!/)|//|：//|:///|:\\\\)|\b(?<!h)ttps?://|\bhtps?://|ｈｔｔｐｓ?|\bhttps?://(?=[\s　]|$|[^!-~])",
    re.IGNORECASE | re.MULTILINE,
)
_FILES = re.compile(
    r"\bfile:/+[^\s　]*|(?<![\w])[A-Za-z]:\\[^\s　]+|(?<!\\)\\\\[\w.-]+\\[^\s　]*", re.IGNORECASE
)
_INTERNAL = (
    ".local",
    ".localhost",
    ".lan",
    ".internal",
    ".intra",
    ".corp",
    ".home.arpa",
    ".lgwan.jp",
    ".test",
)
_TAIL = ".,;:!?)]}>'\"。、）」』】"


def links_of(spec: NoticeSpec) -> list[str]:
    """Every link of the words that a browser could open, each once."""
    found = (link for passage in passages(spec) for link in links_in(passage.text))
    return list(dict.fromkeys(link for link in found if _is_whole(link) and not is_internal(link)))


def links_in(text: str) -> list[str]:
    return [found.group().rstrip(_TAIL) for found in _URL.finditer(text)]


def check_contacts(spec: NoticeSpec) -> Iterator[Finding]:
    """Telephone numbers and links, by their form alone."""
    for passage in passages(spec):
        wrong = [found.group() for found in _PHONE.finditer(passage.plain) if not is_phone(found.group())]
        if wrong:
            yield Finding(
                "phone",
                passage.field,
                f"{passage.where}の電話番号{quoted(wrong)}は、桁数が合いません。",
                "市外局番から数えて10桁(携帯・IP電話は11桁)になっているか確かめてください。",
                passage.language,
            )
        yield from _links(passage)


def is_phone(written: str) -> bool:
    """Whether so many digits can be dialled in Japan."""
    digits = re.sub(r"\D", "", written)
    return len(digits) == (11 if _ELEVEN.match(digits) else 10)


def is_internal(link: str) -> bool:
    """Whether the host, as written, is one that nobody outside the town hall reaches."""
    parts = urlsplit(link)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme.lower() == "file" or host == "localhost" or host.endswith(_INTERNAL):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def _links(passage: Passage) -> Iterator[Finding]:
    found = links_in(passage.text)
    internal = [link for link in found if _is_readable(link) and is_internal(link)]
    internal += [hit.group() for hit in _FILES.finditer(passage.text) if hit.group() not in internal]
    if internal:
        yield Finding(
            "link-private",
            passage.field,
            f"{passage.where}のリンク{quoted(internal)}は、庁内や自分のパソコンのもので、住民は開けません。",
            "町のホームページなど、だれでも開けるページのアドレスに直してください。",
            passage.language,
        )
    broken = [hit.group() for hit in _BROKEN.finditer(passage.text)]
    broken += [link for link in found if not _is_whole(link) and link not in internal]
    if broken and not internal:
        yield Finding(
            "link-broken",
            passage.field,
            f"{passage.where}のリンクの書き方がおかしいようです:{quoted(broken)}",
            "https:// から始まるアドレスを、ページから写して貼り直してください。",
            passage.language,
        )


def _is_readable(link: str) -> bool:
    try:
        urlsplit(link)
    except ValueError:
        return False
    return True


def _is_whole(link: str) -> bool:
    """A host with a dot, no user name, a port that is one."""
    try:
        parts = urlsplit(link)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme.lower() == "file":
        return False
    is_address = ":" in host or host == "localhost"
    named = re.fullmatch(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}|(?:\d{1,3}\.){3}\d{1,3}", host) is not None
    return parts.username is None and (is_address or named)

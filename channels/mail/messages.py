"""A notice as a mail: rendered once per language, with slots that are filled per recipient on bytes.

Plain text first and complete, then HTML, both in UTF-8 and base64 (RFC 2045): a Japanese paragraph easily exceeds the 998 octets that SMTP allows
for an unencoded line. The slots are address, Message-ID, date, the link to unsubscribe, and where a notice asks
for it the link by which its reader says to have read it.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from time import time

from channels.attached import picture_text, place_text
from channels.channel import Announcement
from channels.mail.html import LIMIT as HTML_LIMIT
from channels.mail.html import html_page
from channels.rendering import (
    body,
    category_name,
    check_body,
    check_title,
    heading,
    mode_note,
    reference,
    sender_line,
    wording,
)

BODY_LIMIT = 100_000
# No line of base64 begins with a hyphen, so none can be taken for it.
_DELIMITER = b"--=_kairanban\r\n"
_LAST_DELIMITER = b"--=_kairanban--\r\n"
_ALTERNATIVE = b'Content-Type: multipart/alternative; boundary="=_kairanban"\r\n\r\n' + _DELIMITER
# 57 octets make a full base64 line of 76 characters, so encoded blocks of that size can be joined.
BASE64_BLOCK = 57
JST = timezone(timedelta(hours=9))
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
DOT_ATOM = re.compile(rf"{ATOM}(\.{ATOM})*")
QUOTED = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
PRINTABLE = re.compile(r"[\x20-\x7e]+")
HOST_NAME = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
HOST = re.compile(HOST_NAME)
# RFC 6531 §3.3, where a server takes them.
ATOM_OF_ANY_SCRIPT = ATOM.replace("-]+", "\u00a1-\U0010ffff-]+")
DOT_ATOM_OF_ANY_SCRIPT = re.compile(rf"{ATOM_OF_ANY_SCRIPT}(\.{ATOM_OF_ANY_SCRIPT})*")
# Nearly all addresses: nothing to quote, nothing to encode.
PLAIN = re.compile(rf"{ATOM}(?:\.{ATOM})*@{HOST_NAME}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the mail that all recipients of one language share, but for their own links.

    `shared` is what is encoded already, `rest` the last octets before the first link, still unencoded; `between` what
    stands between the link 「読みました」 and the one to unsubscribe, empty without the former; `after` the end.
    """

    shared: bytes = field(repr=False)
    rest: bytes = field(repr=False)
    between: bytes = field(default=b"", repr=False)
    after: bytes = field(default=b"", repr=False)

    def fill(self, unsubscribe_url: bytes, read_url: bytes) -> bytes:
        links = read_url + self.between + unsubscribe_url if self.between else unsubscribe_url
        return self.shared + _base64_lines(self.rest + links + self.after)


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """The text with the headers before it and, unless that is too large, the same as HTML."""

    version_id: int
    public_id: str
    urgent: bool
    text: Part
    html: Part | None = None

    @property
    def asks_read(self) -> bool:
        return bool(self.text.between)


def build_template(
    announcement: Announcement, language: str, sender: str, list_id: str, settings_url: str = ""
) -> MailTemplate:
    """Raises CannotRender("title") or CannotRender("body")."""
    check_title(announcement, language)
    check_body(announcement, language, BODY_LIMIT, "メール")
    text = f"{mail_text(announcement, language)}\n"
    end = f"{before_stop(language, settings_url)}\n"
    asks_read = announcement.asks_read
    page = [_octets(piece) for piece in html_page(announcement, language, settings_url)]
    has_html = sum(map(len, page)) <= HTML_LIMIT
    headers = _fixed_headers(announcement, language, sender, list_id)
    return MailTemplate(
        version_id=announcement.version_id,
        public_id=announcement.public_id,
        urgent=announcement.urgency == "urgent",
        text=_part(
            headers + (_ALTERNATIVE if has_html else b"") + _part_head("plain"),
            _octets(text + (f"\n{wording(language).read}:\n" if asks_read else end)),
            between=_octets(f"\n\n{end}") if asks_read else b"",
        ),
        html=_part(_DELIMITER + _part_head("html"), page[0], between=b"".join(page[1:-1]), after=page[-1])
        if has_html
        else None,
    )


def mail_text(announcement: Announcement, language: str) -> str:
    """The mail as it is read, up to the link that stops it."""
    words = wording(language)
    top = [
        heading(announcement, language),
        mode_note(announcement, language),
        reference(announcement, language),
    ]
    category = f"{words.category}: {category_name(announcement, language)}"
    more = f"{words.more}:\n{announcement.url}" if announcement.url else ""
    end = "\n".join(("-" * 20, sender_line(announcement, language)))
    beside = [picture_text(picture, language) for picture in announcement.pictures]
    if announcement.place:
        beside.append(place_text(announcement.place, language))
    blocks = (
        "\n".join(filter(None, [*top, category])),
        body(announcement, language),
        *beside,
        more,
        end,
    )
    return "\n\n".join(filter(None, blocks))


def before_stop(language: str, settings_url: str) -> str:
    """The last lines of the text, up to the link that stops it."""
    words = wording(language)
    settings = f"{words.settings}:\n{settings_url}\n" if settings_url else ""
    return f"{settings}{words.stop}:"


def fill(
    template: MailTemplate, *, to: str, message_id: str, unsubscribe_url: str, read_url: str = ""
) -> bytes:
    """The whole mail for one recipient, with CRLF line ends. `to` is quoted already, and ASCII but for SMTPUTF8.

    No line begins with a dot: none of the header fields does, and base64 has none.
    """
    own = (
        f"Message-ID: {message_id}\r\nDate: {_date(int(time()))}\r\nTo: {to}\r\n"
        f"List-Unsubscribe: <{unsubscribe_url}>\r\n"
    )
    links = unsubscribe_url.encode(), read_url.encode()
    mail = own.encode() + template.text.fill(*links)
    return mail if template.html is None else mail + template.html.fill(*links) + _LAST_DELIMITER


def _part(head: bytes, octets: bytes, *, between: bytes = b"", after: bytes = b"") -> Part:
    whole = len(octets) - len(octets) % BASE64_BLOCK
    return Part(head + _base64_lines(octets[:whole]), octets[whole:], between, after)


def _part_head(kind: str) -> bytes:
    return f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode()


def _octets(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, JST))


def quote_address(address: str) -> str | None:
    """The address as RFC 5321 writes it, None when it is none.

    Old addresses of Japanese mobile carriers (`a..b@docomo.ne.jp`, `a.@ezweb.ne.jp`) break the dot rules
    and are deliverable only when quoted. Domains in other scripts become punycode; a local part in another script stays,
    for servers that offer SMTPUTF8.
    """
    if PLAIN.fullmatch(address):
        return address
    local, at, domain = address.strip().rpartition("@")
    try:
        host = domain.encode("ascii").decode() if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return None
    if not (at and local and HOST.fullmatch(host) and local.isprintable()):
        return None
    if not local.isascii():
        return f"{local}@{host}" if DOT_ATOM_OF_ANY_SCRIPT.fullmatch(local) else None
    if DOT_ATOM.fullmatch(local) or QUOTED.fullmatch(local):
        return f"{local}@{host}"
    escaped = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"@{host}'


def domain_of(quoted: str) -> str:
    """The domain of an address as `quote_address` gives it, in one spelling."""
    return quoted.rpartition("@")[2].lower()


def encode_subject(text: str) -> str:
    """RFC 2047 encoded words, folded at 76 characters, never inside a character."""
    if PRINTABLE.fullmatch(text) and len(text) <= 60 and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=76, header_name="Subject").encode(linesep="\r\n")


def _fixed_headers(announcement: Announcement, language: str, sender: str, list_id: str) -> bytes:
    headers = {
        "From": formataddr(parseaddr(sender), "utf-8"),
        "Subject": encode_subject(heading(announcement, language)),
        "List-Id": f"<{list_id}>",
        # RFC 8058: the mail program may unsubscribe with one POST, without opening a page.
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        # RFC 3834: keeps holiday replies away.
        "Auto-Submitted": "auto-generated",
        "Content-Language": "ja" if language == "ja-easy" else language,
        "MIME-Version": "1.0",
    }
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def _base64_lines(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"".join([encoded[i : i + 76] + b"\r\n" for i in range(0, len(encoded), 76)])

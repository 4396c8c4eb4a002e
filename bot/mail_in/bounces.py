"""What a mail to a bounce address says: that its mail did not arrive and why, or nothing that counts.

Reports in the form of RFC 3464 first, then the plain words of Japanese carriers and of old mail servers. Whom it is
about says the address that it came to (content.register.bounce_addresses), never the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from flufl.bounce import all_failures

from content.register.addresses import is_carrier
from content.register.states import BounceKind

# Reports come first and the returned mail behind them.
MOST_READ = 64 * 1024
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
REPLY = re.compile(r"\b([245]\d\d)[ -]")
FROM_MACHINE = re.compile(r"mailer-daemon|postmaster|mail.?delivery|mdaemon|mail.?system", re.IGNORECASE)
# What an answering machine writes, also where it hides behind an empty envelope sender.
AUTOMATIC_REPLY = re.compile(r"auto-?repl|out of office|vacation|自動返信|自動応答|不在", re.IGNORECASE)
NOT_YET = re.compile(
    r"will (?:keep|continue) (?:on )?trying|still being retried|delivery (?:is |has been )?delayed"
    r"|warning message only|引き続き.{0,12}再送|再送を(?:試み|続け)",
    re.IGNORECASE,
)
FULL = re.compile(
    r"mailbox (?:is )?full|mailbox for .{0,80} is full|over ?quota|quota exceeded|exceeded.{0,20}(?:storage|quota)|insufficient storage"
    r"|(?:メールボックス|受信箱|受信トレイ).{0,12}(?:一杯|いっぱい|満杯|容量)|容量.{0,8}(?:超え|オーバー)",
    re.IGNORECASE,
)
UNKNOWN = re.compile(
    r"user unknown|unknown user|no such (?:user|mailbox|address)|(?:user|mailbox|address|recipient) (?:not found|unknown)"
    r"|does(?: not|n't) exist|invalid (?:recipient|mailbox)|account (?:is )?(?:disabled|inactive)"
    r"|(?:宛先|あて先|宛て先|メールアドレス|アドレス|ユーザー?).{0,20}(?:見つかりません|存在しません|不明|存在しない)|宛先不明",
    re.IGNORECASE,
)
NO_HOST = re.compile(r"host (?:or domain name )?(?:unknown|not found)|no such domain", re.IGNORECASE)
# About us, or about the words of one mail: no fault of the address.
ABOUT_US = re.compile(
    r"spam|policy|blocked|blacklist|block ?list|reputation|dmarc|\bspf\b|dkim|迷惑メール|なりすまし",
    re.IGNORECASE,
)
# Behind these stands the mail that we sent: its words are ours.
RETURNED = re.compile(
    r"^(?:-{2,9}.{0,80}(?:below this line|original message|copy of (?:the|your) message|returned message)"
    r"|received: |return-path: |-{2,9} ?(?:元のメッセージ|送信されたメール))",
    re.IGNORECASE | re.MULTILINE,
)
MAIL_ADDRESS = re.compile(r"[^\s<>;:,\"]@([A-Za-z0-9.-]{1,253})")


@dataclass(frozen=True, slots=True)
class Failed:
    """`status` as in RFC 3463, else the code of the reply, else ""."""

    kind: BounceKind
    status: str = ""


def read_mail(content: bytes) -> Message:
    """The front of a mail; whatever it holds, it can be read."""
    return BytesParser(policy=compat32).parsebytes(content[:MOST_READ])


def read_bounce(mail: Message) -> Failed | None:
    """None for what says nothing of the address: delays, successes, automatic replies, trouble of our own."""
    if blocks := list(_recipient_blocks(mail)):
        return next(filter(None, map(_by_block, blocks)), None)
    if not FROM_MACHINE.search(str(mail.get("From", ""))):
        return None
    if AUTOMATIC_REPLY.search(_header_text(mail, "Subject")):
        return None
    words = RETURNED.split(_text(mail), maxsplit=1)[0]
    if NOT_YET.search(words):
        return None
    said = _by_words(words, _domain_in(words))
    if said is not None or ABOUT_US.search(words):
        return said
    temporary, permanent = _known_forms(mail)
    return Failed(BounceKind.UNCLEAR) if permanent and not temporary else None


def _recipient_blocks(mail: Message) -> Iterator[Message]:
    """The parts of a delivery report that speak of a recipient each (RFC 3464, section 2.1)."""
    for part in mail.walk():
        blocks = part.get_payload()
        if part.get_content_type() == "message/delivery-status" and isinstance(blocks, list):
            yield from (block for block in blocks if isinstance(block, Message) and "Action" in block)


def _by_block(block: Message) -> Failed | None:
    if str(block["Action"]).strip().lower() != "failed":
        return None
    diagnostic = str(block.get("Diagnostic-Code", ""))
    status = STATUS.search(str(block.get("Status", "")))
    recipient = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    domain = _domain_in(recipient)
    found = STATUS.search(diagnostic) or status
    code = found[1] if found else ""
    if code[2:] not in ("", "0.0"):
        return _by_status(code, diagnostic, domain)
    return _by_words(diagnostic, domain) or _unless_ours(diagnostic, code)


def _by_status(status: str, words: str, domain: str) -> Failed | None:
    """By the classes of RFC 3463."""
    family, subject, detail = status.split(".")
    if FULL.search(words) or (subject, detail) == ("2", "2"):
        return Failed(BounceKind.SOFT, status)
    if family == "4":
        # Tried for days, and given up.
        return Failed(BounceKind.SOFT, status)
    if subject == "1" or (subject, detail) in (("2", "1"), ("4", "4")):
        # 5.1.7 and 5.1.8 speak of the sender.
        return None if subject == "1" and detail in ("7", "8") else _unknown(status, domain)
    if subject == "4":
        return Failed(BounceKind.SOFT, status)
    if subject in ("2", "0"):
        return _by_words(words, domain) or _unless_ours(words, status)
    # System, protocol, content, policy.
    return None


def _by_words(words: str, domain: str) -> Failed | None:
    status = STATUS.search(words)
    reply = REPLY.search(words)
    said = status[1] if status else reply[1] if reply else ""
    if FULL.search(words) or said == "552":
        return Failed(BounceKind.SOFT, said)
    if UNKNOWN.search(words) or NO_HOST.search(words):
        return _unknown(said, domain)
    return None


def _unknown(status: str, domain: str) -> Failed:
    # A carrier answers an unknown mailbox and a reader's own filter in the same words: "550 Unknown user".
    return Failed(BounceKind.UNCLEAR if is_carrier(domain) else BounceKind.HARD, status)


def _unless_ours(words: str, status: str) -> Failed | None:
    return None if ABOUT_US.search(words) else Failed(BounceKind.UNCLEAR, status)


def _domain_in(text: str) -> str:
    found = MAIL_ADDRESS.search(text)
    return found[1].lower().rstrip(".") if found else ""


def _known_forms(mail: Message) -> tuple[bool, bool]:
    """Whether it is one of the many forms of flufl.bounce: for a delay, for a failure."""
    try:
        temporary, permanent = all_failures(mail)
    except Exception:
        # Its detectors read what strangers write; what they stumble over says nothing.
        return False, False
    return bool(temporary), bool(permanent)


def _text(mail: Message) -> str:
    """The first part that is plain text, in whatever encoding."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            octets = part.get_payload(decode=True)
            if isinstance(octets, bytes):
                return _decoded(octets, part.get_content_charset() or "")
    return ""


def _decoded(octets: bytes, charset: str) -> str:
    for name in filter(None, (charset, "utf-8")):
        try:
            return octets.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return octets.decode("iso2022_jp" if b"\x1b$" in octets else "cp932", "replace")


def _header_text(mail: Message, name: str) -> str:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    raw = str(mail.get(name, ""))
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, UnicodeError, LookupError, ValueError):
        return raw

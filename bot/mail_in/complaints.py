"""Complaints (ARF, RFC 5965): a reader has called a mail of ours spam, and her provider tells us.

Which registration it is about stands in the mail that is reported: its envelope sender, or its link to unsubscribe.
Both carry marks that only we can make, so a complaint about somebody else cannot be made up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from content.register.bounce_addresses import looks_like_one

# Mailboxes of the bounce domain that a provider is told to send complaints to.
MAILBOXES = frozenset(("abuse", "fbl", "complaints"))
# Of the feedback types of RFC 5965 the only one by which a reader says: not this.
ABUSE = "abuse"
STOP_LINK = re.compile(r"/unsubscribe/([0-9]{1,18}\.[A-Za-z0-9_-]{16})")


@dataclass(frozen=True, slots=True)
class Complaint:
    """The local part of the reported mail's envelope sender and the token of its link, "" for what is not there."""

    bounce_local_part: str
    stop_token: str


def read_complaint(mail: Message) -> Complaint | None:
    """None for what is no complaint, or names no mail of ours."""
    report = next(
        (part for part in mail.walk() if part.get_content_type() == "message/feedback-report"), None
    )
    if report is None:
        return None
    fields = _fields(report)
    if str(fields.get("Feedback-Type", "")).strip().lower() != ABUSE:
        return None
    reported = _reported(mail)
    senders = [str(fields.get("Original-Mail-From", "")), str(reported.get("Return-Path", ""))]
    locals_ = [sender.strip().strip("<>").rpartition("@")[0] for sender in senders]
    link = STOP_LINK.search("".join(str(reported.get("List-Unsubscribe", "")).split()))
    found = Complaint(next(filter(looks_like_one, locals_), ""), link[1] if link else "")
    return found if found.bounce_local_part or found.stop_token else None


def _fields(report: Message) -> Message:
    """The library takes the fields for a mail within."""
    inside = report.get_payload()
    if isinstance(inside, list) and inside and isinstance(inside[0], Message):
        return inside[0]
    return _parsed(str(inside))


def _reported(mail: Message) -> Message:
    for part in mail.walk():
        inside = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inside, list) and inside:
            return inside[0] if isinstance(inside[0], Message) else Message()
        if part.get_content_type() == "text/rfc822-headers":
            return _parsed(str(inside))
    return Message()


def _parsed(text: str) -> Message:
    from email.parser import HeaderParser

    return HeaderParser().parsestr(text)

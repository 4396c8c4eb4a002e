"""What a mail is that came to our address: somebody who wants to join, or something that no machine may answer."""

from __future__ import annotations

from collections.abc import Collection
from email.message import Message
from email.parser import BytesHeaderParser

from content.register import addresses

# Headers stand at the front; whatever comes behind is a body that nobody here reads.
MOST_HEADERS = 32 * 1024
# RFC 3834 and the habits before it: these speak of machines, lists and mails that were answered already.
OF_MACHINES = ("List-Id", "List-Unsubscribe", "X-Auto-Response-Suppress", "X-Autoreply", "X-Loop")
BULK = {"bulk", "list", "junk", "auto_reply"}
NOBODY = {"mailer-daemon", "postmaster", "noreply", "no-reply", "root", "daemon", "abuse"}


def who_asks(envelope_sender: str, content: bytes, own: Collection[str]) -> str | None:
    """The normalised address that wants to join, None when no answer may be given.

    It is the envelope's sender (RFC 3834, section 4), which the town's mail server has checked; `own` are addresses
    of ours.
    """
    try:
        plain = addresses.normalise("mail", envelope_sender)
    except addresses.BadAddress:
        return None
    local = plain.rpartition("@")[0].lower()
    if local in NOBODY or local.endswith(("-request", "-bounces")) or local.startswith("owner-"):
        return None
    if plain.lower() in {one.lower() for one in own}:
        return None
    return None if _is_of_a_machine(BytesHeaderParser().parsebytes(content[:MOST_HEADERS])) else plain


def _is_of_a_machine(headers: Message) -> bool:
    if str(headers.get("Auto-Submitted", "no")).split(";")[0].strip().lower() != "no":
        return True
    if str(headers.get("Precedence", "")).strip().lower() in BULK:
        return True
    if headers.get_content_type() == "multipart/report":
        return True
    return any(name in headers for name in OF_MACHINES)

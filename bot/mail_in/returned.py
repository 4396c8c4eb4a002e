"""What is done with a mail to the bounce domain: a failure or a complaint is noted, anything else changes nothing.

Nothing is ever answered, so a bounce of a bounce, an automatic reply or a loop ends here.
"""

from __future__ import annotations

import asyncio
import re

import structlog

from bot.mail_in.bounces import Failed, read_bounce, read_mail
from bot.mail_in.complaints import MAILBOXES, Complaint, read_complaint
from bot.service import Service
from content.register import bounce_addresses, suppressing, tokens
from content.register.bounce_addresses import Returned
from content.register.states import BounceKind

log = structlog.get_logger(__name__)

# A report of a failure has no sender (RFC 5321, section 4.5.5), which aiosmtpd writes "<>"; some old servers give one
# all the same.
REPORTERS = re.compile(r"(?:<>)?|(?:mailer-daemon|postmaster|mail-daemon)(?:@.*)?", re.IGNORECASE)


def is_mailbox(local_part: str) -> bool:
    """Whether mail to it in the bounce domain is taken."""
    return local_part.lower() in MAILBOXES or bounce_addresses.looks_like_one(local_part)


async def take_returned(service: Service, local_part: str, envelope_sender: str, content: bytes) -> None:
    """Raises what the database raises, so that the mail server brings it again."""
    # Reading takes milliseconds, and a large send may bring thousands.
    complaint, failed = await asyncio.to_thread(read_returned, content)
    if complaint is not None:
        await _note_complaint(service, local_part, complaint)
        return
    if not REPORTERS.fullmatch(envelope_sender):
        log.info("bounce_ignored", why="sender")
        return
    if failed is None:
        log.info("bounce_ignored", why="words")
        return
    async with service.database.read() as connection:
        returned = await bounce_addresses.find_returned(connection, service.keys, local_part)
    await _note(service, returned, failed)


def read_returned(content: bytes) -> tuple[Complaint | None, Failed | None]:
    """What it says of either kind; nothing of what is built to be unreadable."""
    try:
        mail = read_mail(content)
        complaint = read_complaint(mail)
        return complaint, None if complaint else read_bounce(mail)
    except RecursionError:
        return None, None


async def _note_complaint(service: Service, local_part: str, complaint: Complaint) -> None:
    async with service.database.read() as connection:
        for place in (complaint.bounce_local_part, local_part):
            if returned := await bounce_addresses.find_returned(connection, service.keys, place):
                break
        else:
            found = await tokens.find_by_token(connection, service.keys, "unsubscribe", complaint.stop_token)
            # Of which notice it was is not known.
            returned = Returned(found, 0) if found else None
    await _note(service, returned, Failed(BounceKind.COMPLAINT))


async def _note(service: Service, returned: Returned | None, failed: Failed) -> None:
    if returned is None:
        log.warning("bounce_forged")
        return
    number = returned.subscriber.id
    async with service.database.write() as connection:
        stopped = await suppressing.note_bounce(
            connection,
            number,
            returned.version_id,
            failed.kind,
            status=failed.status,
            at=service.database.now(),
        )
    log.info("bounce_noted", subscriber=number, kind=failed.kind, status=failed.status, suppressed=stopped)

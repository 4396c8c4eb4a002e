"""What an account's quota was short of when a notice went to nobody, kept for whoever asks later why."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.staff import audit

# The action in the audit trail.
REFUSED = "delivery.refused"


@dataclass(frozen=True, slots=True)
class Shortage:
    """`left` messages this month, `reserved` of them to other notices, `needed` for this one."""

    account: str
    left: int
    reserved: int
    needed: int


async def record_shortage(
    connection: AsyncConnection, notice_id: int, shortage: Shortage, *, at: int
) -> None:
    """The figures as they were, for whoever asks later why nobody was sent to."""
    await audit.record(
        connection,
        at=at,
        actor="scheduler",
        action=REFUSED,
        subject=f"notice {notice_id}",
        **asdict(shortage),
    )


async def shortages_of(connection: AsyncConnection, notice_id: int) -> list[Shortage]:
    """What was recorded for a notice, by account."""
    entries = await audit.entries(connection, f"notice {notice_id}")
    found = [Shortage(**entry.detail) for entry in entries if entry.action == REFUSED]  # type: ignore[arg-type]
    return sorted(found, key=lambda item: item.account)


def shortage_words(item: Shortage) -> str:
    """How many messages are left and how many it takes."""
    reserved = f"(うち{item.reserved:,}通は、配信中のほかのお知らせの分)" if item.reserved else ""
    return f"今月あと{item.left:,}通{reserved}のところ、このお知らせには{item.needed:,}通が必要です。"

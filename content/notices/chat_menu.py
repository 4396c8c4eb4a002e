"""Which menu the chat shows: the everyday one, or that of a disaster, with the first urgent notice and by hand."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import insert_unless_known, metadata, one_of
from content.notices.notices import notice, trigger
from content.notices.states import TriggerState
from content.town import Mode, Urgency


class ChatMenu(StrEnum):
    EVERYDAY = "everyday"
    DISASTER = "disaster"


LASTS = DAY

chat_menu = Table(
    "chat_menu",
    metadata,
    Column("account", Text, primary_key=True),
    Column("chosen", Text, nullable=False),
    Column("chosen_by", Text, nullable=False),
    Column("chosen_at", BigInteger, nullable=False),
    CheckConstraint(one_of("chosen", ChatMenu), name="chosen"),
)


async def choose(connection: AsyncConnection, account: str, menu: ChatMenu, *, staff: str, at: int) -> None:
    """By hand: the disaster's for a day, the everyday one until the next urgent notice."""
    values = {"chosen": menu, "chosen_by": staff, "chosen_at": at}
    await connection.execute(
        insert_unless_known(connection, chat_menu)
        .values(account=account, **values)
        .on_conflict_do_update(index_elements=["account"], set_=values)
    )


async def menu_now(connection: AsyncConnection, account: str, now: int) -> ChatMenu:
    """That of a disaster for a day after an urgent live notice, unless a person has decided since."""
    urgent_at = await connection.scalar(
        select(func.max(trigger.c.fired_at))
        .join(notice, notice.c.id == trigger.c.notice_id)
        .where(
            notice.c.urgency == Urgency.URGENT,
            notice.c.mode == Mode.LIVE,
            trigger.c.state == TriggerState.FIRED,
            trigger.c.fired_at > now - LASTS,
        )
    )
    by_hand = (
        await connection.execute(select(chat_menu).where(chat_menu.c.account == account))
    ).one_or_none()
    if by_hand is not None and by_hand.chosen_at >= (urgent_at or 0):
        lasts = by_hand.chosen == ChatMenu.DISASTER and by_hand.chosen_at > now - LASTS
        return ChatMenu.DISASTER if lasts else ChatMenu.EVERYDAY
    return ChatMenu.EVERYDAY if urgent_at is None else ChatMenu.DISASTER

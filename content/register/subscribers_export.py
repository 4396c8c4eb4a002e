"""Everybody who ever registered, as CSV in the form that `subscribers_csv` reads."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import iso
from content.keys import Keys
from content.register.csv_cells import harmless
from content.register.history import histories, write_history
from content.register.imports import has_come_in
from content.register.subscribers import address, choices_of, seal_place, subscriber
from content.register.subscribers_csv import ALL_COLUMNS
from content.town import Mode, Town

SLICE = 2000


async def export_rows(connection: AsyncConnection, keys: Keys, town: Town) -> AsyncIterator[list[str]]:
    """The header, then everybody who ever registered on a live account, in the form that `read_rows` takes.

    The form has no account: registrations for drills would come back as residents. Who was erased is there with
    the bare number and no address.
    """
    live = [account.key for account in town.accounts if account.mode == Mode.LIVE]
    yield list(ALL_COLUMNS)
    after = 0
    while True:
        rows = (
            await connection.execute(
                select(subscriber, address.c.sealed)
                .outerjoin(address, address.c.subscriber_id == subscriber.c.id)
                .where(
                    subscriber.c.id > after,
                    subscriber.c.account.in_(live),
                    has_come_in(subscriber.c.id),
                )
                .order_by(subscriber.c.id)
                .limit(SLICE)
            )
        ).all()
        if not rows:
            return
        chosen = await choices_of(connection, rows[0].id, rows[-1].id)
        events = await histories(connection, rows[0].id, rows[-1].id)
        for row in rows:
            if row.id not in events:
                # Left before it joined, so it never counted.
                continue
            mine = chosen.get(row.id, {})
            account = town.account.get(row.account)
            cells = [
                account.channel if account else row.account,
                keys.open(row.sealed, seal_place(row.id, row.account)) if row.sealed else "",
                *(";".join(sorted(mine.get(kind, ()))) for kind in ("category", "area")),
                row.language,
                *(";".join(sorted(mine.get(kind, ()))) for kind in ("birth_month", "group")),
                iso(row.joined_at) or "",
                row.quiet_hours,
                row.paused_until,
                row.pace,
                str(row.id),
                row.state,
                write_history(events[row.id]),
            ]
            yield [harmless(cell) for cell in cells]
        after = rows[-1].id

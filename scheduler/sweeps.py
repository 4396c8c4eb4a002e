"""Every open state has an age limit and a sweep; and the nightly snapshot of counts."""

from __future__ import annotations

import structlog

from content.clock import MINUTE, now_ms, today_jst
from content.figures import counts, observed, snapshots, year_ends
from content.figures.book import enter_events
from content.ledger import account_outages, exchanges, leases, presence, retention, stopping
from content.ledger.resting import rest_late
from content.ledger.settling import settle_overdue
from content.ledger.states import MORNING, Lane
from content.notices import group_ends, pictures
from content.register import address_book, bounces, importing, inbound_events, mail_requests
from content.register.carrying_over import carry_over, successions
from content.staff import audit, audit_chain, challenges, sessions
from scheduler import morning
from scheduler.suspending import mark_suspended
from scheduler.town_context import BUDGET, TownContext

log = structlog.get_logger(__name__)

# Longer than any wait before a retry, so that the sender decides first.
GRACE = 70 * MINUTE


async def sweep(context: TownContext) -> None:
    """Leases that ran out go back to the queue, with the same retry key; what nobody sends is closed.

    The sender itself closes what is past its budget; an account that has left the town profile has
    no sender any more, so its deliveries are suspended until then.
    """
    now = context.database.now()
    async with context.database.write() as connection:
        released = await leases.release_expired(connection, now)
        await stopping.close_returned(connection, now)
        for lane, budget in BUDGET.items():
            before = now - budget - GRACE
            if closed := await settle_overdue(connection, lane=lane, before=before, now=now):
                log.warning("batches_overdue", lane=lane, batches=closed)
        # What waited for the morning goes on from there; this is for accounts that are not in the profile any more.
        await settle_overdue(connection, lane=MORNING, before=now - BUDGET[Lane.DIGEST] - 2 * GRACE, now=now)
        resting = await rest_late(connection, context.town, now)
        dead = await presence.forget_dead(connection, now)
        await account_outages.forget_all_but(connection, list(context.town.account))
    await morning.look(context)
    if released:
        context.database.wakeups.wake("batches")
        log.warning("leases_expired", batches=released)
    if resting:
        log.info("batches_resting", batches=resting)
    if dead:
        log.warning("senders_gone", senders=dead)
    await mark_suspended(context)
    await importing.finish_decided(context.database)


async def forget_times_ahead(context: TownContext, *, longest_wait: int = 0) -> None:
    """After the clock was set back: nothing waits for a time that comes once more.

    At a start nobody knows; then only what waits longer than it ever should.
    """
    async with context.database.write(wake="batches") as connection:
        changed = await leases.forget_times_ahead(
            connection, context.database.now(), lease=MINUTE, longest_wait=longest_wait
        )
    if changed:
        log.warning("times_ahead_forgotten", batches=changed)


async def forget_handled(context: TownContext) -> None:
    """Ids of handled events, kept to recognise late copies, go after two weeks, dead imports after a day.

    Exchanges with services go after a week, addresses that nobody confirmed with their links, and mails that came back long ago are forgotten.
    """
    async with context.database.write() as connection:
        await mail_requests.forget_old(connection, context.database.now())
        await exchanges.forget_old(connection, context.database.now())
        await bounces.forget_old(connection, context.database.now())
        await inbound_events.forget_old(connection, context.database.now())
        await importing.give_up(connection, before=context.database.now() - importing.ABANDONED_AFTER)
    await importing.clear_away(context.database)


async def forget_pictures(context: TownContext) -> None:
    """Pictures that were added to a form and never to a notice."""
    async with context.database.write() as connection:
        gone = await pictures.forget_unused(connection, context.database.now())
    if gone:
        log.info("pictures_forgotten", pictures=gone)


async def end_memberships(context: TownContext) -> None:
    """Of groups, by their last day; only where the group has been told."""
    now = context.database.now()
    async with context.database.write() as connection:
        ended = await group_ends.end_memberships(connection, today_jst(now), now)
    if ended:
        log.info("memberships_ended", memberships=ended)


async def carry_choices_over(context: TownContext) -> int:
    """To what stands for a category or district that was merged or split; the number of registrations."""
    carried = 0
    for found in successions(context.town, today_jst(context.database.now())):
        last: int | None = 0
        while last is not None:
            async with context.database.write() as connection:
                now = context.database.now()
                part, last = await carry_over(connection, found, at=now, after=last)
            carried += part
    if carried:
        log.info("choices_carried_over", registrations=carried)
    return carried


async def bind_seals(context: TownContext) -> None:
    """After an update: addresses that an earlier version sealed are bound to their rows."""
    if bound := await address_book.bind_seals(context.database, context.keys):
        log.info("seals_bound", addresses=bound)


async def forget_sources(context: TownContext) -> None:
    """From where somebody signed in is forgotten; that he did stays. Of sessions nothing stays."""
    async with context.database.write() as connection:
        await sessions.forget_old(connection, context.database.now())
        await challenges.forget_old(connection, context.database.now())
        await audit.forget_sources(connection, context.database.now())


async def link_audit(context: TownContext) -> int:
    """Link what the audit trail got since; 0 when nothing is left to link.

    The log is outside the database: a trail that was cut off and written anew does not fit to it.
    """
    head = await audit_chain.link_new(context.database, context.keys)
    if head is None:
        return 0
    log.info("audit_linked", head=str(head))
    return head.number


async def take_over(context: TownContext) -> None:
    """At the start of the only sender of a database: whoever held a batch before is gone."""
    async with context.database.write(wake="batches") as connection:
        released = await leases.release_all(connection, context.database.now())
        await stopping.close_returned(connection, context.database.now())
    if released:
        log.warning("batches_taken_over", batches=released)


async def summarise_old(context: TownContext) -> int:
    """Of deliveries past the time that recipients are kept only the figures stay; the number summarised.

    Each is a transaction of its own, so nothing else waits for long and a crash loses nothing.
    """
    now = context.database.now()
    async with context.database.read() as connection:
        old = await retention.deliveries_to_summarise(connection, before=now - context.keep_recipients)
    summarised = 0
    for delivery_id in old:
        async with context.database.write() as connection:
            summarised += await retention.summarise(connection, delivery_id, at=now)
    if summarised:
        log.info("deliveries_summarised", deliveries=summarised)
    return summarised


async def snapshot_counts(context: TownContext) -> int:
    """Note that the service runs, bring the book of movements up to date, and write down what is over: days and
    fiscal years; the number of days."""
    now = now_ms()
    today = today_jst(now)
    async with context.database.write() as connection:
        await observed.note_running(connection, now)
    if not await enter_events(context.database):
        return 0
    written = await snapshots.take_snapshots(context.database, today=today, at=now)
    async with context.database.write() as connection:
        frozen = await year_ends.freeze(connection, today=today, at=now, definition=counts.DEFINITION)
    if frozen:
        log.info("year_ends_frozen", fiscal_years=frozen)
    if different := await snapshots.count_once_more(context.database):
        log.error("figures_differ", figures=different)
    return written

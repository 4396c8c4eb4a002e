"""The figures of the database as families of Prometheus metrics: ledger, accounts, alarms, registrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.service import Service
from content.clock import SECOND
from content.database import identity
from content.figures.counts import active_now
from content.ledger import account_health, account_outages, alarms, measures
from content.register import inbound_events

Row = tuple[Sequence[str], float]


async def families(service: Service) -> list[Metric]:
    """Asked in one transaction that only reads. Labels are keys of accounts, states and reasons alone."""
    now = service.database.now()
    async with service.database.read() as connection:
        return [
            *await _waiting(connection, now),
            *await _last_day(connection, now),
            *await _accounts(connection, list(service.town.account), now),
            *await _the_rest(connection, now),
        ]


async def _waiting(connection: AsyncConnection, now: int) -> list[Metric]:
    place = ("account", "lane", "state")
    found = [((item.account, item.lane, item.state), item) for item in await measures.waiting(connection)]
    deliveries = await measures.deliveries_by_state(connection)
    return [
        _family(
            "batches", "Batches that are not settled.", place, ((key, item.batches) for key, item in found)
        ),
        _family(
            "recipients_waiting",
            "Recipients in batches that are not settled.",
            place,
            ((key, item.recipients) for key, item in found),
        ),
        _family(
            "oldest_batch_age_seconds",
            "Age of the oldest batch that is not settled.",
            place,
            ((key, _age(item.oldest, now)) for key, item in found),
        ),
        _family(
            "deliveries",
            "Deliveries by state.",
            ("account", "state"),
            (((account, state), number) for account, state, number in deliveries),
        ),
    ]


async def _last_day(connection: AsyncConnection, now: int) -> list[Metric]:
    days = await measures.last_day(connection, now)
    refused = await measures.refused_last_day(connection, now)
    lately = await measures.accepted_lately(connection, now)
    return [
        _family(
            "recipients_accepted_last_minute",
            "How fast it goes: recipients accepted in the last minute, counted by whole batches.",
            ("account",),
            (((account,), number) for account, number in lately),
        ),
        _family(
            "recipients_last_day",
            "What became of the recipients of the last 24 hours' deliveries.",
            ("account", "outcome"),
            (
                ((day.account, outcome), number)
                for day in days
                for outcome, number in (
                    ("accepted", day.accepted),
                    ("refused", day.refused),
                    ("unknown", day.unknown),
                )
            ),
        ),
        _family(
            "refusals_last_day",
            "Refusals of the last 24 hours' deliveries by reason.",
            ("account", "reason"),
            (((account, reason), number) for account, reason, number in refused),
        ),
    ]


async def _accounts(connection: AsyncConnection, accounts: list[str], now: int) -> list[Metric]:
    outages = await account_outages.find_outages(connection, now)
    quotas = [
        (item.account, item.quota)
        for item in await account_health.health_of(connection, accounts)
        if item.quota is not None
    ]
    active = await active_now(connection)
    return [
        _family(
            "account_outage",
            "1 for an account through which nothing goes out.",
            ("account", "reason"),
            (((item.account, item.reason), 1) for item in outages),
        ),
        _family(
            "quota_used_messages",
            "Messages of this month that the account has used.",
            ("account",),
            (((account,), quota.used) for account, quota in quotas),
        ),
        _family(
            "quota_limit_messages",
            "Messages a month that the account may send.",
            ("account",),
            (((account,), quota.limit) for account, quota in quotas if quota.limit is not None),
        ),
        _family(
            "subscribers_active",
            "Active registrations (addresses, not persons).",
            ("account",),
            (((account,), number) for account, number in active.items()),
        ),
    ]


async def _the_rest(connection: AsyncConnection, now: int) -> list[Metric]:
    codes = Counter(str(item.code) for item in await alarms.going_on(connection))
    oldest = await inbound_events.oldest_waiting(connection)
    found = await identity.read(connection)
    return [
        _family(
            "alarms",
            "Alarms that are going on.",
            ("code",),
            (((code,), number) for code, number in codes.items()),
        ),
        _family(
            "oldest_line_event_age_seconds",
            "Age of the oldest event of LINE that is not handled; 0 when none waits.",
            (),
            [((), 0.0 if oldest is None else _age(oldest, now))],
        ),
        _family(
            "held",
            "1 while everything is held until a person has looked (kairanban restore).",
            (),
            [((), float(found is not None and found.held_since is not None))],
        ),
    ]


def _family(name: str, meaning: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(f"kairanban_{name}", meaning, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _age(since: int, now: int) -> float:
    return max(0, now - since) / SECOND

"""Control API: what was requested, delivered and sent back."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from aiohttp import web

from sandbox.line.control import answer, channel_of, number_in, sandbox_of
from sandbox.line.errors import Json
from sandbox.line.feed import stream
from sandbox.line.ledger import expand
from sandbox.line.state import Channel

_ROWS = 1000


async def deliveries(request: web.Request) -> web.Response:
    """`GET /_sandbox/deliveries?userId|requestId|since&limit=`: one row per message and recipient."""
    channel, query = channel_of(request), request.query
    since, limit = number_in(request, "since", 0), number_in(request, "limit", _ROWS)
    wanted, user_id = query.get("requestId"), query.get("userId")
    user = channel.users.get(user_id) if user_id is not None else None
    if user_id is not None and user is None:
        return answer({"deliveries": []})
    records = [
        record
        for record in channel.ledger.records
        if record.at_ms >= since and wanted in (None, record.request_id)
    ]
    rows = (row for r in records for row in expand(r, channel.users.all, user))
    return answer({"deliveries": list(islice(rows, limit))})


async def stats(request: web.Request) -> web.Response:
    """`GET /_sandbox/stats?alert=TAG`: per method, alert and retry key; `duplicated` must be 0.

    `retryKeys.list` holds at most 1,000 keys; the sums next to it count all of them.
    """
    channel = channel_of(request)
    ledger, wanted = channel.ledger, request.query.get("alert")
    alerts = [{"tag": tag, **tally.public()} for tag, tally in ledger.alerts.items() if wanted in (None, tag)]
    return answer(
        {
            "ledger": sandbox_of(request).config["ledger"],
            "methods": {name: method.public() for name, method in ledger.methods.items()},
            "alerts": alerts,
            "duplicates": sum(len(tally.repeated) for tally in ledger.alerts.values()),
            "retryKeys": _retry_keys(channel),
            "retryKeyMismatches": channel.retry_keys.mismatches,
            "webhooksWaiting": channel.dispatcher.waiting,
            "users": {**channel.users.states(), "total": len(channel.users)},
            "quota": {"used": channel.quota.used(sandbox_of(request).clock.now_ms())},
        }
    )


async def requests(request: web.Request) -> web.Response:
    """`GET /_sandbox/requests?limit=&endpoint=`: the newest API requests, oldest first."""
    endpoint = request.query.get("endpoint", "")
    rows = [row for row in sandbox_of(request).requests if endpoint in row["endpoint"]]
    return answer({"requests": rows[-number_in(request, "limit", _ROWS) :]})


async def webhooks(request: web.Request) -> web.Response:
    """`GET /_sandbox/webhooks?limit=`: the newest POSTs to the bot, and failures per reason and minute."""
    dispatcher = channel_of(request).dispatcher
    rows = list(dispatcher.attempts.newest)[-number_in(request, "limit", _ROWS) :]
    reasons = Counter(str(row["reason"]) for row in rows)
    return answer(
        {
            "webhooks": rows,
            "reasons": dict(reasons),
            "errors": dispatcher.attempts.statistics(),
            "waiting": dispatcher.waiting,
        }
    )


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /_sandbox/events`: request, delivery and webhook as they happen."""
    return await stream(request, sandbox_of(request).feed, "")


def add_routes(app: web.Application) -> None:
    """Mount these handlers."""
    app.router.add_get("/_sandbox/deliveries", deliveries)
    app.router.add_get("/_sandbox/stats", stats)
    app.router.add_get("/_sandbox/requests", requests)
    app.router.add_get("/_sandbox/webhooks", webhooks)
    app.router.add_get("/_sandbox/events", events)


def _retry_keys(channel: Channel) -> Json:
    tallies = channel.ledger.retry_keys
    listed = [{"key": key, **tally.public()} for key, tally in islice(tallies.items(), _ROWS)]
    return {
        "count": len(tallies),
        "duplicated": sum(len(tally.repeated) for tally in tallies.values()),
        "list": listed,
    }

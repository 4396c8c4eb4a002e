"""Plan, use, counts and insights. LINE Messaging API reference, #get-quota and after, #get-insight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sandbox.line.call import Call
from sandbox.line.clock import JST, japan_day
from sandbox.line.errors import Json, Reply, invalid_parameter
from sandbox.line.paging import limit_of, next_token, start_of

_UNIT_PAGE = 100


def quota(call: Call) -> Reply:
    """How many messages the month allows."""
    limit = call.channel.quota.limit
    return Reply(body={"type": "none"} if limit is None else {"type": "limited", "value": limit})


def consumption(call: Call) -> Reply:
    """What was used of it; late by a knob, as LINE calls the figure approximate."""
    lag = call.sandbox.config["quota.lagSeconds"]
    return Reply(body={"totalUsage": call.channel.quota.used(call.now_ms, lag)})


def sent_by(method: str) -> Callable[[Call], Reply]:
    """The handler of the delivery count of one method: ready from the next day (UTC+9) on."""

    def handler(call: Call) -> Reply:
        day = day_of(call)
        if day >= japan_day(call.now_ms):
            return Reply(body={"status": "unready"})
        return Reply(body={"status": "ready", "success": call.channel.quota.sent_on(method, day)})

    return handler


def units_used(call: Call) -> Reply:
    """How many aggregation unit names were used this month."""
    return Reply(body={"numOfCustomAggregationUnits": len(_units(call))})


def unit_names(call: Call) -> Reply:
    """The names used this month, page by page."""
    limit, start = limit_of(call, _UNIT_PAGE, _UNIT_PAGE), start_of(call, "units")
    names = _units(call)
    body: Json = {"customAggregationUnits": names[start : start + limit]}
    if start + limit < len(names):
        body["next"] = next_token(call, "units", start + limit)
    return Reply(body=body)


def insight_followers(call: Call) -> Reply:
    """First-time adds (never fewer), reachable friends and blocks; yesterday and before only.

    The sandbox keeps no history of states: a past day shows the present figures.
    """
    if day_of(call) >= japan_day(call.now_ms):
        return Reply(body={"status": "unready"})
    states = call.channel.users.states()
    added = sum(1 for user in call.channel.users.all if user.followed_at is not None)
    figures = {"followers": added, "targetedReaches": states["friend"], "blocks": states["blocked"]}
    return Reply(body={"status": "ready", **figures})


def insight_delivery(call: Call) -> Reply:
    """Messages sent on a day, by method."""
    day = day_of(call)
    if day >= japan_day(call.now_ms):
        return Reply(body={"status": "unready"})
    methods = ("Broadcast", "Push", "Multicast", "Narrowcast", "Reply")
    sent = {f"api{name}": call.channel.quota.sent_on(name.lower(), day) for name in methods}
    return Reply(body={"status": "ready", **sent})


def day_of(call: Call) -> str:
    """The `date` of the query, yyyyMMdd in UTC+9. Raises 400 when it is none."""
    text = call.query.get("date", "")
    try:
        datetime.strptime(text, "%Y%m%d").replace(tzinfo=JST)
    except ValueError:
        raise invalid_parameter("date") from None
    if len(text) != 8:
        raise invalid_parameter("date")
    return text


def _units(call: Call) -> list[str]:
    return call.channel.units.get(japan_day(call.now_ms)[:6], [])

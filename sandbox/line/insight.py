"""What LINE tells of readers, as far as anybody's phone here says it: nothing below 20 people, so no opens at all.

Messaging API reference, #get-demographic, #get-message-event, #get-statistics-per-unit.
"""

from __future__ import annotations

from datetime import date

from sandbox.line.call import Call
from sandbox.line.errors import Json, Reply, invalid_parameter

LONGEST_SPAN = 30
BIG_ENOUGH = ("broadcast", "narrowcast")
UNSEEN: Json = {
    "uniqueImpression": None,
    "uniqueClick": None,
    "uniqueMediaPlayed": None,
    "uniqueMediaPlayed100Percent": None,
}


def demographic(call: Call) -> Reply:
    """The people here have no age and no address."""
    del call
    return Reply(body={"available": False})


def message_event(call: Call) -> Reply:
    """Of a broadcast or narrowcast by its request id; empty for one that is not known."""
    wanted = call.query.get("requestId", "")
    if not wanted:
        raise invalid_parameter("requestId")
    found = [one for one in call.channel.ledger.records if one.request_id == wanted]
    if not found or found[-1].method not in BIG_ENOUGH:
        return Reply(body={"overview": {"requestId": wanted}, "messages": [], "clicks": []})
    record = found[-1]
    overview = {
        "requestId": wanted,
        "timestamp": record.at_ms // 1000,
        "delivered": len(record.reached),
        **UNSEEN,
    }
    messages = [
        {"seq": seq, "impression": None, "uniqueImpression": None}
        for seq in range(1, len(record.message_ids) + 1)
    ]
    return Reply(body={"overview": overview, "messages": messages, "clicks": []})


def per_unit(call: Call) -> Reply:
    """Of messages that bear the name of a unit, within at most 30 days."""
    if not call.query.get("customAggregationUnit"):
        raise invalid_parameter("customAggregationUnit")
    first, last = _day(call, "from"), _day(call, "to")
    if not 0 <= (last - first).days <= LONGEST_SPAN:
        raise invalid_parameter("to")
    return Reply(body={"overview": UNSEEN, "messages": [], "clicks": []})


def _day(call: Call, name: str) -> date:
    text = call.query.get(name, "")
    if not (text.isdecimal() and len(text) == 8):
        raise invalid_parameter(name)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise invalid_parameter(name) from None

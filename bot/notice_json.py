"""A notice and its figures as JSON, the same for the command line and machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from bot.recurrence_words import next_dates, rule_words
from content.clock import iso
from content.ledger.tallies import Tally
from content.notices.attachments import Event
from content.notices.notices import Notice
from content.notices.recurrence import to_json
from scheduler.notice_status import Status


def notice_json(status: Status) -> dict[str, Any]:
    """`{"id", "url", "state", "mode", …, "channels": {"line": {"planned", "accepted", …}}}`; times are ISO 8601."""
    notice = status.notice
    return {
        "id": notice.id,
        "public_id": notice.public_id,
        "url": status.url or None,
        "state": status.state,
        "mode": notice.spec.mode,
        "urgency": notice.spec.urgency,
        "category": notice.spec.category,
        "title": notice.title,
        "approved_at": iso(notice.approved_at),
        "due_at": iso(notice.due_at),
        "fired_at": iso(notice.fired_at),
        "expires_at": iso(notice.spec.expires),
        "pictures": [
            {"url": f"{status.url}/{item.name}" if status.url else None, "alt": item.alts}
            for item in notice.spec.attached.pictures
        ],
        "place": asdict(notice.spec.attached.place) if notice.spec.attached.place else None,
        "event": _event(notice.spec.attached.event),
        "asks_read": notice.spec.asks_read,
        "series": notice.spec.series,
        "recurrence": _recurrence(notice),
        "channels": _channels(status.tallies),
        "posts": [
            {"account": item.account, "part": item.part, "url": item.url, "state": item.state}
            for item in status.posts
        ],
        "reasons": [
            {"channel": channel, "reason": reason, "number": number}
            for channel, reason, number in status.reasons
        ],
    }


def _channels(tallies: Iterable[Tally]) -> dict[str, dict[str, Any]]:
    """One entry a channel; of several accounts that post on it the figures together."""
    found: dict[str, dict[str, Any]] = {}
    for row in tallies:
        known = found.get(row.channel)
        found[row.channel] = _figures(row) if known is None else _together(known, _figures(row))
    return found


def _figures(row: Tally) -> dict[str, Any]:
    return {
        "account": row.account,
        "state": row.state,
        "reason": row.reason,
        "suspended_at": iso(row.suspended_at),
        "planned": row.planned,
        "accepted": row.accepted,
        "refused": row.refused,
        "unknown": row.unknown,
        "open": row.open,
        "read": row.read,
        "resting": row.resting,
        "rest_until": iso(row.rest_until),
        "first_accepted_at": iso(row.first_accepted_at),
        "last_accepted_at": iso(row.last_accepted_at),
    }


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {name: one[name] or other[name] for name in one}
    both["account"] = f"{one['account']},{other['account']}"
    for name in ("planned", "accepted", "refused", "unknown", "open", "read", "resting"):
        both[name] = one[name] + other[name]
    for name, choose in (("first_accepted_at", min), ("last_accepted_at", max)):
        both[name] = choose(filter(None, (one[name], other[name])), default=None)
    return both


def _recurrence(notice: Notice) -> dict[str, Any] | None:
    """The rule of a recurring notice and its next dates, each with the holiday it was moved away from."""
    if notice.spec.rule is None:
        return None
    return {
        "words": rule_words(notice.spec.rule),
        "rule": to_json(notice.spec.rule),
        "next": [
            {
                "due_at": iso(item.due_at),
                "moved_from": item.moved_from.isoformat() if item.moved_from else None,
                "holiday": item.holiday,
            }
            for item in next_dates(notice)
        ],
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    return {"starts": iso(event.starts), "ends": iso(event.ends)} if event else None

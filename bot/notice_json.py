"""A notice and its figures as JSON, the same for the command line and machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.recurrence_words import next_dates, rule_words
from content.clock import iso
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
        "asks_read": notice.spec.asks_read,
        "series": notice.spec.series,
        "recurrence": _recurrence(notice),
        "channels": {
            row.channel: {
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
            for row in status.tallies
        },
        "reasons": [
            {"channel": channel, "reason": reason, "number": number}
            for channel, reason, number in status.reasons
        ],
    }


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

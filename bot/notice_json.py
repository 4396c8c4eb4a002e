"""A notice and its figures as JSON, the same for the command line and machines."""

from __future__ import annotations

from typing import Any

from content.clock import iso
from scheduler.posting import Status


def notice_json(status: Status) -> dict[str, Any]:
    """`{"id", "state", "mode", …, "channels": {"line": {"planned", "accepted", …}}}`; times are ISO 8601."""
    notice = status.notice
    return {
        "id": notice.id,
        "state": status.state,
        "mode": notice.draft.mode,
        "urgency": notice.draft.urgency,
        "category": notice.draft.category,
        "title": notice.title,
        "approved_at": iso(notice.approved_at),
        "due_at": iso(notice.due_at),
        "fired_at": iso(notice.fired_at),
        "channels": {
            row.channel: {
                "account": row.account,
                "state": row.state,
                "reason": row.reason,
                "planned": row.planned,
                "accepted": row.accepted,
                "refused": row.refused,
                "unknown": row.unknown,
                "open": row.open,
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

"""One audience as the platform keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LIVES_MS = 180 * 24 * 3600 * 1000


@dataclass(slots=True)
class AudienceGroup:
    """`created_at` in ms; the people by their ids, each once."""

    number: int
    description: str
    created_at: int
    members: dict[str, None] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        return {
            "audienceGroupId": self.number,
            "type": "UPLOAD",
            "description": self.description,
            # LINE never gets an empty one ready.
            "status": "READY" if self.members else "IN_PROGRESS",
            "audienceCount": len(self.members),
            "created": self.created_at // 1000,
            "permission": "READ_WRITE",
            "isIfaAudience": False,
            "expireTimestamp": (self.created_at + LIVES_MS) // 1000,
            "createRoute": "MESSAGING_API",
        }

"""The states of the ledger, the kinds of its batches, the lanes: each word stands here once."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """`planning` until every batch is written; `stopped` when nothing more goes out, with the reason."""

    PLANNING = "planning"
    PLANNED = "planned"
    STOPPED = "stopped"


class BatchState(StrEnum):
    """`unknown`: a try may have been accepted unheard, so the next one uses the same retry key."""

    READY = "ready"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SETTLED = "settled"


class BatchKind(StrEnum):
    """`broadcast`: one call reaches everyone on the account, and the list is kept for the record."""

    LIST = "list"
    BROADCAST = "broadcast"


class PostState(StrEnum):
    """What became of a post; the words of channels.posted, which stand there."""

    BEGUN = "begun"
    OUT = "out"
    MARKED = "marked"
    DELETED = "deleted"
    GONE = "gone"
    LEFT = "left"


class Lane(StrEnum):
    """The most urgent first. `digest` carries what comes again by a rule and nobody waits for."""

    URGENT = "urgent"
    ROUTINE = "routine"
    DIGEST = "digest"


# Beside the lanes, and claimed by none: those who chose 朝のまとめ wait in it (content.ledger.morning).
MORNING = "morning"


class Outcome(StrEnum):
    """What became of recipients, and the columns of a batch that count them."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


def one_of(name: str, words: type[StrEnum]) -> str:
    """What a column of the database may hold, as SQL."""
    return f"{name} IN ({', '.join(repr(str(word)) for word in words)})"

"""The states of notices and triggers, the kinds of notices and the ways to aim one."""

from __future__ import annotations

from enum import StrEnum


class NoticeState(StrEnum):
    """Whether the words of a notice still change. What became of it is told by trigger and ledger."""

    DRAFT = "draft"
    APPROVED = "approved"
    CANCELLED = "cancelled"


class NoticeKind(StrEnum):
    """Whether a notice says something of its own, or speaks to those whom another reached."""

    ORIGINAL = "original"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


class TrialKind(StrEnum):
    """Targets of a notice that goes to addresses of staff and to no resident: one's own, or those of the self-test."""

    ONESELF = "oneself"
    SEEDS = "seeds"


class TriggerState(StrEnum):
    """`held` waits for a person; `finished` is a recurring notice after its last occurrence."""

    WAITING = "waiting"
    FIRED = "fired"
    HELD = "held"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class TargetKind(StrEnum):
    """宛先の決め方. Everyone is a kind of its own, never the absence of a rule."""

    SUBSCRIBED = "subscribed"
    SEGMENT = "segment"
    GROUP = "group"
    EVERYONE = "everyone"

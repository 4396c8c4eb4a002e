"""The states of a registration, what is recorded of it, and the states of what came in about it."""

from __future__ import annotations

from enum import StrEnum


class SubscriberState(StrEnum):
    """Whether an address is sent to. Who has left may come back, who was erased is a bare number."""

    ACTIVE = "active"
    LEFT = "left"
    ERASED = "erased"


class EventKind(StrEnum):
    """The kinds of registration events."""

    JOINED = "joined"
    LEFT = "left"
    CHANGED = "changed"


class Route(StrEnum):
    """By which door a change came in; `service` is the service itself: a receiver that is gone, an end by date;
    `profile` the town's, which merged or split what had been chosen."""

    LINE = "line"
    MAIL = "mail"
    WEB = "web"
    COUNTER = "counter"
    IMPORT = "import"
    SERVICE = "service"
    PROFILE = "profile"


class Pace(StrEnum):
    """When routine notices come: at once, or those of a day together in the morning (朝のまとめ)."""

    AT_ONCE = "at_once"
    MORNING = "morning"


class ImportState(StrEnum):
    """Being staged, decided and on its way into the register, all in it, or given up and to be cleared away."""

    STAGING = "staging"
    DECIDED = "decided"
    APPLIED = "applied"
    GIVEN_UP = "given_up"


class InboundState(StrEnum):
    """An event from a platform: to be handled, handled, or set aside for a person."""

    WAITING = "waiting"
    HANDLED = "handled"
    FAILED = "failed"


class BounceKind(StrEnum):
    """What a mail that did not arrive says of its address.

    hard: nobody is there; unclear: nobody, or somebody who refuses our mails; soft: not now; complaint: its
    reader called it spam.
    """

    HARD = "hard"
    UNCLEAR = "unclear"
    SOFT = "soft"
    COMPLAINT = "complaint"

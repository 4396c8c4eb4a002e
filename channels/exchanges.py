"""What was said to a service and what it answered, without what nobody else may read.

No address, token or word of a notice can be in an exchange: of a path only the words of the services' own
interfaces are kept, and of the bodies nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from yarl import URL

# What stands for a part of a path that may be a number, a name or a secret.
HIDDEN = "…"
_WORDS = (
    "api v1 v2 2 bot message multicast push broadcast narrowcast quota consumption info profile followers ids insight "
    "statuses accounts verify_credentials xrpc tweets users me feed media media_publish threads threads_publish "
    "services webhooks messages workflows"
)
KNOWN = frozenset(_WORDS.split())
METHOD = re.compile(r"com\.atproto\.[a-zA-Z.]{1,40}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call. `what` is its path as far as it may be read, `status` None when no answer came, `failure` then why.
    `took` in ms."""

    at: int
    method: str
    host: str
    what: str
    status: int | None
    failure: str
    took: int


# Whoever wants to know of the calls of a task.
LISTENER: ContextVar[Callable[[Exchange], None] | None] = ContextVar("LISTENER", default=None)


def readable_path(url: str) -> str:
    """The path with everything hidden that is no word of an interface."""
    parts = URL(url).raw_path.strip("/").split("/")
    return "/" + "/".join(part if part in KNOWN or METHOD.fullmatch(part) else HIDDEN for part in parts)

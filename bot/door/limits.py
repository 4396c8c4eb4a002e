"""How much one visitor, and all of them together, may take of the service."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
# Seconds that a request under way has when the service stops; one that is only half here has no more.
LAST_WORDS = 1.5


@dataclass(frozen=True, slots=True)
class LaneLimit:
    """Requests of one kind: so many at once inside, so many waiting, so many of both for one address."""

    inside: int
    waiting: int
    each: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. A head has its time from the opening of the connection or the last answer on."""

    connections: int = 4000
    connections_each: int = 400
    head_within: float = 10.0
    body_within: float = 30.0
    wait_within: float = 10.0
    answer_within: float = 60.0
    read_within: float = 30.0
    bodies: int = 64 * MEGABYTE
    # Of forms that may carry a picture.
    large_bodies: int = 48 * MEGABYTE
    # An answer up to this size is held here for a slow reader; a larger one is passed on as it is read.
    held_answer: int = 4 * MEGABYTE


# Few pages at a time for the public: the process behind shares its time between pages and sending.
# Whoever floods one lane stands in the way of nobody in another.
# LINE's webhooks are written together, so those who wait inside for the disk cost nothing.
LANES = {
    "probes": LaneLimit(inside=4, waiting=32, each=16),
    "line": LaneLimit(inside=32, waiting=512, each=256),
    "login": LaneLimit(inside=32, waiting=64, each=32),
    "staff": LaneLimit(inside=8, waiting=256, each=64),
    "machines": LaneLimit(inside=4, waiting=64, each=32),
    "public": LaneLimit(inside=4, waiting=512, each=128),
    # The door's own questions, for pages that it keeps.
    "renewal": LaneLimit(inside=4, waiting=128, each=132),
}
PREFIXES = (
    ("/healthz", "probes"),
    ("/readyz", "probes"),
    ("/metrics", "probes"),
    ("/line/", "line"),
    ("/console/login", "login"),
    ("/console/resume", "login"),
    ("/console", "staff"),
    ("/api/", "machines"),
)


def lane_of(path: str) -> str:
    return next((lane for prefix, lane in PREFIXES if path.startswith(prefix)), "public")

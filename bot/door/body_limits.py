"""How large the body of a request may be, by its path. A path that is not named takes a short form."""

from __future__ import annotations

KILOBYTE = 1024
DEFAULT = 16 * KILOBYTE
# The one form that may carry a picture: 15 MB of it, and the words beside.
PICTURE_PATH = "/console/notices/picture"
# The first prefix that fits counts.
LIMITS = (
    (PICTURE_PATH, 15 * 1024 * KILOBYTE + 512 * KILOBYTE),
    ("/line/webhook", 1024 * KILOBYTE),
    ("/console/login", 16 * KILOBYTE),
    ("/console/", 512 * KILOBYTE),
    ("/api/", 256 * KILOBYTE),
)


def is_large(limit: int) -> bool:
    """Whether bodies with this limit are counted apart: a few of them must not take the room of all others."""
    return limit > 1024 * KILOBYTE


def body_limit(path: str) -> int:
    """Bytes."""
    return next((limit for prefix, limit in LIMITS if path.startswith(prefix)), DEFAULT)

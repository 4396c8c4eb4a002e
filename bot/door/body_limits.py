"""How large the body of a request may be, by its path. A path that is not named takes a short form."""

from __future__ import annotations

KILOBYTE = 1024
DEFAULT = 16 * KILOBYTE
# The first prefix that fits counts.
LIMITS = (
    ("/line/webhook", 1024 * KILOBYTE),
    ("/console/login", 16 * KILOBYTE),
    ("/console/", 512 * KILOBYTE),
    ("/api/", 256 * KILOBYTE),
)


def body_limit(path: str) -> int:
    """Bytes."""
    return next((limit for prefix, limit in LIMITS if path.startswith(prefix)), DEFAULT)

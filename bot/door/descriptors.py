"""How many files and connections this process may have open."""

from __future__ import annotations

import resource

WANTED = 16_384
# Channels, database and log of a process that sends at full speed, with room to spare.
LEAST = 512
RESERVED_AT_THE_DOOR = 64


def raise_limit() -> int:
    """As high as the machine lets us; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(soft, wanted)


def shortage() -> str:
    """What is wrong with the limit and what to do; empty when it suffices."""
    possible = raise_limit()
    if possible >= LEAST:
        return ""
    return (
        f"Only {possible} files may be open at once; sending needs {LEAST}. "
        f"Raise the limit (LimitNOFILE= of the systemd unit, ulimit -n, nofile of the container) to {WANTED}."
    )

"""Knowing a post again on our own timeline, after a try that was never heard of."""

from __future__ import annotations

from datetime import datetime

from channels.channel import Announcement

# Clocks differ; what is older is another notice with the same words.
EARLIER = 600_000


def same_words(shown: str, meant: str) -> bool:
    """Services change white space, and nothing else of what they were given."""
    return "".join(shown.split()) == "".join(meant.split())


def is_of_now(created: str, announcement: Announcement) -> bool:
    """Whether a post with this ISO 8601 time can be one of this notice."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return False
    return moment.timestamp() * 1000 >= announcement.published_at - EARLIER

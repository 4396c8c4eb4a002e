"""朝のまとめ: which notices may wait for the morning, and when that is."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from content.clock import DAY, JST, from_datetime, today_jst
from content.notices.notices import Notice
from content.notices.publicity import may_have_page
from content.notices.states import NoticeKind, TargetKind
from content.town import Mode, Town


def may_be_in_digest(town: Town, found: Notice, at: int) -> bool:
    """Whether a notice of `at` may be told with the others of its day, by its title and its page.

    Only what everybody may read and is still to be read then, and what nobody is asked to answer; never a drill.
    Whether it is routine is for the caller to know.
    """
    spec = found.spec
    return (
        found.kind == NoticeKind.ORIGINAL
        and spec.mode == Mode.LIVE
        and spec.target.kind in (TargetKind.SUBSCRIBED, TargetKind.SEGMENT)
        and may_have_page(town, found)
        and not spec.asks_read
        and (spec.expires is None or spec.expires > at + 2 * DAY)
    )


def next_morning(town: Town, now: int) -> int:
    """The next time of the digest, in ms."""
    at, today = time.fromisoformat(town.digest_at), today_jst(now)
    days = (today, today + timedelta(days=1))
    moments = (from_datetime(datetime.combine(day, at, tzinfo=JST)) for day in days)
    return next(moment for moment in moments if moment > now)

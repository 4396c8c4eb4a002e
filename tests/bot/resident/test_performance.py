"""What went out, told to everybody: only where the town wants it, no drill among it, an empty year says so."""

from __future__ import annotations

from bot.service import Service
from content.clock import now_ms
from tests.bot.web_visitor import Visitor
from tests.content.played import claim, record
from tests.factories import make_delivery, make_notice, make_subscribers


async def test_it_is_there_only_where_the_profile_says_so(stranger: Visitor, service: Service) -> None:
    assert (await stranger.get("/performance")).status == 404
    assert "/performance" not in (await stranger.get("/")).html
    service.town.__dict__["public_performance"] = True
    page = await stranger.get("/performance")
    assert "記録は、まだありません" in page.text and page.headers["Cache-Control"] == "public, max-age=600"
    assert "/performance" in (await stranger.get("/")).html


async def test_live_notices_are_told_with_their_time(stranger: Visitor, service: Service) -> None:
    service.town.__dict__["public_performance"] = True
    now = now_ms()
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 3)
        for mode in ("live", "drill"):
            number = await make_notice(connection, urgency="urgent", mode=mode, at=now)
            await make_delivery(connection, [ids], notice_id=number, lane="urgent", at=now)
        claimed = await claim(connection, now, lane="urgent")
        assert await record(connection, claimed, 3, 3, now=now + 2_500)
    page = await stranger.get("/performance")
    assert "1件" in page.text and "LINE 3 3" in page.text and "最長 2.5秒" in page.text

"""A held database is the first thing that staff see, with what waits."""

from __future__ import annotations

from bot.service import Service
from content.clock import now_ms
from content.database import identity
from tests.bot.web_visitor import Visitor
from tests.factories import make_delivery, make_notice, make_subscribers


async def test_the_first_page_says_that_everything_is_held_and_what_waits(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await identity.bind(connection, town=service.town.code, key_check=service.keys.check)
        await make_notice(connection, at=now_ms(), texts={"ja": ("あすの断水", "断水します。")})
        await make_delivery(connection, [await make_subscribers(connection, service.keys, 3)])
    assert "すべての配信を止めています" not in (await tanaka.get("/console/")).text
    async with service.database.write() as connection:
        await identity.hold(connection, "older", now_ms())
    page = await tanaka.get("/console/")
    assert "すべての配信を止めています" in page.text and "前に動いていたときより古い内容です" in page.text
    assert "あすの断水" in page.text and "残り 3件" in page.text
    assert "kairanban restore --confirm" in page.text
    ready = await tanaka.get("/readyz")
    assert ready.status == 200 and "nothing goes out" in ready.html

"""LINE's own figures: a day late, as LINE gives them, once for each day."""

from __future__ import annotations

from datetime import timedelta

from bot.line.insights import fetch_insights
from content.clock import today_jst
from content.figures import line_figures
from tests.bot.line.village import ABE, SATO


async def test_the_figures_of_yesterday_come_in_once(village):
    await village.act(SATO, "follow")
    await village.act(ABE, "follow")
    await village.act(ABE, "block")
    assert await fetch_insights(village.service, village.api) == 1
    assert await fetch_insights(village.service, village.api) == 0
    yesterday = today_jst() - timedelta(days=1)
    async with village.service.database.read() as connection:
        (figure,) = await line_figures.line_figures(connection, yesterday, yesterday)
    added = sum(1 for user in village.platform.channel.users.all if user.followed_at is not None)
    assert (figure.followers, figure.friends) == (added, figure.followers - figure.blocks)
    assert figure.blocks >= 1

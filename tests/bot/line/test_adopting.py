"""The friends that an account already has become registrations, each once, and nobody is brought back or written to."""

from __future__ import annotations

from bot.line.choices import first_preferences
from content.clock import now_ms
from content.register.adopting import adopt
from tests.bot.line.village import ABE, MARIA, SATO


async def take_in(village, *user_ids):
    async with village.service.database.write() as connection:
        taken_in = await adopt(
            connection,
            village.service.keys,
            account="line",
            channel="line",
            plain=user_ids,
            preferences=first_preferences(village.service.town, "ja"),
            at=now_ms(),
        )
    return len(taken_in)


async def test_friends_get_life_critical_notices_until_they_choose(village):
    assert await take_in(village, SATO, ABE, SATO) == 2
    assert (await village.preferences(SATO)).categories == {"saigai"}
    assert await village.history(ABE) == ["joined"]
    assert village.chat(SATO) == []


async def test_a_second_run_changes_nobody(village):
    await village.act(MARIA, "follow")
    await village.act(MARIA, "postback", data="v1|category|on|event")
    await village.act(SATO, "follow")
    await village.act(SATO, "block")
    assert await take_in(village, SATO, ABE, MARIA) == 1
    assert await take_in(village, SATO, ABE, MARIA) == 0
    assert "event" in (await village.preferences(MARIA)).categories
    assert (await village.registration(SATO)).state == "left"


async def test_line_gives_its_friends_page_by_page(village):
    village.platform.channel.users.add("U" + "9" * 32, "友", "ja", "friend", 1)
    found, following = await village.api.followers()
    assert found == ["U" + "9" * 32]
    assert following == ""

"""A code typed into the chat opens its group; what is none is answered like any other text."""

from __future__ import annotations

from datetime import date

from content.clock import DAY, now_ms
from content.register.invitations import make_codes
from tests.bot.line.village import MARIA, SATO


async def code_for(village, group="kucho"):
    async with village.service.database.write() as connection:
        (code,) = await make_codes(
            connection,
            group,
            number=1,
            most=1,
            expires_at=now_ms() + DAY,
            member_until=date(2030, 3, 31),
            staff="tanaka",
            at=now_ms(),
        )
    return code


async def test_a_friend_of_long_standing_joins_by_writing_the_code(village):
    await village.act(SATO, "follow")
    (answer,) = await village.act(SATO, "text", text=(await code_for(village)).lower())
    assert answer["text"].startswith("「行政区長」に入りました")
    assert (await village.preferences(SATO)).groups == {"kucho"}


async def test_a_code_that_is_used_up_is_refused_in_her_language(village):
    code = await code_for(village)
    for user_id in (SATO, MARIA):
        await village.act(user_id, "follow")
        (answer,) = await village.act(user_id, "text", text=code)
    assert answer["text"].startswith("This code cannot be used")
    assert (await village.preferences(MARIA)).groups == set()

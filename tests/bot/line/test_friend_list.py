"""The register beside LINE's list of friends: who came or went unheard is taken in or ended, implausible losses wait."""

from __future__ import annotations

import pytest

from bot.line.friend_watch import compare, compare_when_due
from bot.line.inviting import send_invitations
from channels.channel import ChannelError
from channels.line.api import LineApi
from content.clock import DAY, now_ms
from content.ledger import friend_invitations
from content.register import friend_list
from content.register.friend_list import Comparison, is_plausible
from scheduler.alarm_checks import find_troubles
from scheduler.alarm_codes import AlarmCode
from tests.bot.line.village import ABE, MARIA, SATO, words_of


def set_friend(village, user_id, relation):
    village.platform.channel.users.by_id[user_id].state = relation


async def test_friends_who_came_or_went_unheard_are_taken_in_and_ended(village):
    await village.act(SATO, "follow")
    await village.act(ABE, "follow")
    await village.act(ABE, "block")
    set_friend(village, SATO, "blocked")
    set_friend(village, ABE, "friend")
    set_friend(village, MARIA, "friend")
    done = await compare(village.service, village.api)
    assert done == Comparison("line", friends=2, added=2, ended=1, held_back=0)
    assert (await village.registration(SATO)).state == "left"
    assert (await village.registration(ABE)).state == "active"
    assert (await village.preferences(MARIA)).language == "en"
    # Nobody was written to, and a second look changes nothing.
    assert village.chat(MARIA) == []
    assert await compare(village.service, village.api) == Comparison("line", 2, 0, 0, 0)


async def test_whoever_stopped_by_herself_stays_so(village):
    await village.act(SATO, "follow")
    await village.act(SATO, "postback", data="v1|stop|all_yes")
    await compare(village.service, village.api)
    assert (await village.registration(SATO)).state == "left"


async def test_an_implausible_loss_ends_nobody_and_is_told_until_a_person_decides(village, monkeypatch):
    await village.act(SATO, "follow")
    set_friend(village, SATO, "blocked")
    monkeypatch.setattr(friend_list, "PLAUSIBLE", 0)
    assert (await compare(village.service, village.api)).held_back == 1
    assert (await village.registration(SATO)).state == "active"
    codes = [item.code for item in await find_troubles(village.service.context)]
    assert AlarmCode.FRIENDS_MISSING in codes
    assert (await compare(village.service, village.api, whatever=True)).ended == 1
    codes = [item.code for item in await find_troubles(village.service.context)]
    assert AlarmCode.FRIENDS_MISSING not in codes


@pytest.mark.parametrize(
    ("missing", "active", "plausible"), [(20, 30, True), (21, 30, False), (50, 1000, True), (51, 1000, False)]
)
def test_what_is_plausible_grows_with_the_town(missing, active, plausible):
    assert is_plausible(missing, active) is plausible


async def test_one_process_compares_once_a_night(village):
    assert await compare_when_due(village.service, village.api) is not None
    assert await compare_when_due(village.service, village.api) is None
    async with village.service.database.write() as connection:
        await friend_list.begin(connection, "line", due_at=now_ms() + DAY, at=now_ms() - 2 * DAY)
    assert await compare_when_due(village.service, village.api) is not None


async def test_those_taken_in_are_invited_once_each_in_their_language(village):
    set_friend(village, SATO, "friend")
    set_friend(village, MARIA, "friend")
    await compare(village.service, village.api)
    await village.act(SATO, "postback", data="v1|category|on|event")
    before = len(village.chat(SATO))
    async with village.service.database.write() as connection:
        assert await friend_invitations.plan(connection, "line", at=now_ms()) == 1
        assert await friend_invitations.plan(connection, "line", at=now_ms()) == 0
    assert await send_invitations(village.service, village.api, "line") == 1
    assert await send_invitations(village.service, village.api, "line") == 0
    assert "You can now choose" in words_of(village.chat(MARIA)) and len(village.chat(SATO)) == before
    await village.tap(MARIA, "Start settings")
    assert "Topics" in words_of(village.chat(MARIA)[-1])


async def test_a_broken_off_invitation_goes_on_with_the_same_key(village):
    set_friend(village, MARIA, "friend")
    await compare(village.service, village.api)
    async with village.service.database.write() as connection:
        await friend_invitations.plan(connection, "line", at=now_ms())
    stranger = LineApi(village.service.settings.line.api_base, "", "no token of ours")
    with pytest.raises(ChannelError):
        await send_invitations(village.service, stranger, "line")
    await stranger.close()
    assert await send_invitations(village.service, village.api, "line") == 1

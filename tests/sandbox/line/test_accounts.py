"""Profiles, the list of friends, the bot itself."""

import pytest

from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, STRANGER


async def test_a_friends_profile_has_the_name_and_language(line, town):
    await town.send("PATCH", f"users/{PARENT}", {"language": "pt-BR"})
    profile = await line.get_profile(PARENT)
    assert (profile.display_name, profile.language) == ("佐藤 美咲", "pt-BR")


@pytest.mark.parametrize("state", ["blocked", "deleted", "none"])
async def test_there_is_no_profile_of_someone_who_is_no_friend(line, town, state):
    town.channel.users.by_id[PARENT].state = state
    assert (await refusal(line.get_profile(PARENT))).status == 404


async def test_who_wrote_without_joining_has_a_profile(line, town):
    await town.act(NEWCOMER, "text", text="hello")
    assert (await line.get_profile(NEWCOMER)).display_name == "Maria Silva"


async def test_an_unknown_id_is_404_and_a_malformed_one_400(line):
    assert (await refusal(line.get_profile(STRANGER))).status == 404
    failed = await refusal(line.get_profile("somebody"))
    assert (failed.status, failed.message) == (400, "The value for the 'userId' parameter is invalid")


async def test_the_bot_tells_its_names(line, town):
    info = await line.get_bot_info()
    assert (info.display_name, info.basic_id, info.user_id) == (
        "柴田町",
        "@sandbox",
        town.channel.bot_user_id,
    )


async def test_an_unverified_account_may_not_list_its_friends(line, town):
    await town.channel_is(accountType="unverified")
    failed = await refusal(line.get_followers())
    assert (failed.status, failed.message) == (403, "Access to this API is not available for your account")


async def test_20000_friends_are_listed_page_by_page_without_those_who_left(line, town):
    await town.send("POST", "users", {"count": 20_000, "blockedRatio": 0.1, "seed": 7})
    listed, start = [], None
    while True:
        page = await line.get_followers(limit=1000, start=start)
        listed += page.user_ids
        start = page.next
        if start is None:
            break
    friends = [user.user_id for user in town.channel.users.all if user.state == "friend"]
    assert listed == friends
    assert len(friends) < 19_000 and NEWCOMER not in listed


async def test_a_continuation_token_ends_after_a_day_and_fits_one_list_only(line, town):
    page = await line.get_followers(limit=1)
    assert page.user_ids == [PARENT]
    assert (await line.get_followers(limit=1, start=page.next)).user_ids == [GRANDMOTHER]
    assert (
        await refusal(line.get_aggregation_unit_name_list(start=page.next))
    ).message == "Invalid start param"
    await town.advance(24 * 3600)
    assert (await refusal(line.get_followers(start=page.next))).message == "Invalid start param"


async def test_a_link_token_links_once_within_ten_minutes(line, town, bot):
    for seconds, result in ((0, "ok"), (601, "failed")):
        token = (await line.issue_link_token(PARENT)).link_token
        await town.advance(seconds)
        await town.act(PARENT, "accountLink", linkToken=token, nonce="n" * 20)
        assert bot.events[-1]["link"] == {"result": result, "nonce": "n" * 20}


async def test_the_loading_dots_take_multiples_of_five_seconds(line, town):
    from linebot.v3.messaging import ShowLoadingAnimationRequest

    request = ShowLoadingAnimationRequest(chatId=PARENT, loadingSeconds=10)
    assert (await line.show_loading_animation_with_http_info(request)).status_code == 202
    body = {"chatId": PARENT, "loadingSeconds": 7}
    assert (await town.raw("POST", "/v2/bot/chat/loading/start", json=body))[0] == 400

"""The calls to LINE that carry no notice."""

import pytest
import pytest_asyncio

from channels.channel import AccountStopped, BatchRefused, TemporaryFailure
from channels.line.api import LineApi, Profile
from tests.channels.line_openapi import validate
from tests.channels.line_server import Answer

USER = "U" + "1" * 32


@pytest_asyncio.fixture
async def api(line_server, serve):
    origin = await serve(line_server.create_app())
    made = LineApi(origin, origin, "secret-token", timeout=30)
    yield made
    await made.close()


async def test_a_reply_is_what_line_describes_and_has_no_retry_key(api, line_server):
    await api.reply("token", [{"type": "text", "text": "登録しました。"}])
    (request,) = line_server.requests
    assert request.path == "/v2/bot/message/reply"
    assert "X-Line-Retry-Key" not in request.headers
    validate("ReplyMessageRequest", request.json)


async def test_a_used_reply_token_is_refused(api, line_server):
    line_server.answers.append(Answer(400, {"message": "Invalid reply token"}))
    with pytest.raises(BatchRefused):
        await api.reply("used", [{"type": "text", "text": "こんにちは"}])


async def test_a_profile_tells_the_language_and_hides_the_person(api, line_server):
    line_server.answers.append(Answer(json={"displayName": "花子", "userId": USER, "language": "ja"}))
    profile = await api.profile(USER)
    assert profile == Profile(USER, "花子", "ja")
    assert "花子" not in repr(profile) and USER not in repr(profile)


async def test_somebody_who_blocked_the_account_has_no_profile(api, line_server):
    line_server.answers.append(Answer(404, {"message": "Not found"}))
    assert await api.profile(USER) is None


@pytest.mark.parametrize(
    ("limit", "used"),
    [
        ({}, {"totalUsage": 1}),
        ({"type": "limited"}, {"totalUsage": 1}),
        ({"type": "limited", "value": "many"}, {"totalUsage": 1}),
        ({"type": "limited", "value": 5}, {}),
    ],
)
async def test_a_quota_that_cannot_be_read_is_no_quota(api, line_server, limit, used):
    line_server.answers.extend([Answer(json=limit), Answer(json=used)])
    with pytest.raises(TemporaryFailure):
        await api.quota()


async def test_a_revoked_token_stops_the_account(api, line_server):
    line_server.answers.append(Answer(401))
    with pytest.raises(AccountStopped):
        await api.bot_info()


async def test_a_rich_menu_is_made_dressed_and_shown(api, line_server):
    menu = {
        "size": {"width": 2500, "height": 843},
        "selected": True,
        "name": "町",
        "chatBarText": "メニュー",
        "areas": [],
    }
    line_server.answers.append(Answer(json={"richMenuId": "richmenu-1"}))
    identifier = await api.create_rich_menu(menu)
    await api.upload_rich_menu_image(identifier, b"\x89PNG")
    await api.set_default_rich_menu(identifier)
    line_server.answers.append(Answer(json={"richmenus": [{"richMenuId": identifier}]}))
    assert await api.list_rich_menus() == [{"richMenuId": identifier}]
    await api.delete_rich_menu(identifier)
    validate("RichMenuRequest", line_server.requests[0].json)
    assert [request.path for request in line_server.requests] == [
        "/v2/bot/richmenu",
        "/v2/bot/richmenu/richmenu-1/content",
        "/v2/bot/user/all/richmenu/richmenu-1",
        "/v2/bot/richmenu/list",
        "/v2/bot/richmenu/richmenu-1",
    ]
    assert line_server.requests[1].headers["Content-Type"] == "image/png"

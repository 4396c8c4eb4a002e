"""Pages inside LINE are registered, changed and removed."""

from __future__ import annotations

import pytest

from tests.sandbox.line.line_town import TOKEN


async def status_of(request):
    """What LIFF's own part of the SDK raises."""
    from linebot.v3.liff import ApiException

    with pytest.raises(ApiException) as refused:
        await request
    return refused.value.status


@pytest.fixture
async def liff(town):
    from linebot.v3.liff import AsyncApiClient, AsyncLiff, Configuration

    async with AsyncApiClient(Configuration(host=town.origin, access_token=TOKEN)) as client:
        yield AsyncLiff(client)


def app(**changes):
    from linebot.v3.liff import AddLiffAppRequest

    view = {"type": "full", "url": "https://town.example.jp/liff/settings"}
    return AddLiffAppRequest.from_dict({"view": view, "description": "お知らせの設定", **changes})


async def test_an_app_is_added_listed_changed_and_removed(liff):
    from linebot.v3.liff import UpdateLiffAppRequest

    assert await status_of(liff.get_all_liff_apps()) == 404
    liff_id = (await liff.add_liff_app(app())).liff_id
    change = UpdateLiffAppRequest.from_dict({"view": {"type": "tall"}, "features": {"qrCode": True}})
    await liff.update_liff_app(liff_id, change)
    (shown,) = (await liff.get_all_liff_apps()).apps
    assert (shown.liff_id, shown.view.type, shown.view.url) == (
        liff_id,
        "tall",
        "https://town.example.jp/liff/settings",
    )
    assert (shown.features.qr_code, shown.features.ble, shown.description) == (True, False, "お知らせの設定")
    await liff.delete_liff_app(liff_id)
    for request in (liff.delete_liff_app(liff_id), liff.update_liff_app(liff_id, change)):
        assert await status_of(request) == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"view": {"type": "full", "url": "http://town.example.jp"}},
        {"view": {"type": "full", "url": "https://town.example.jp/#part"}},
        {"view": {"type": "full"}},
        {"view": {"type": "huge", "url": "https://town.example.jp"}},
        {"description": "LINEのお知らせ"},
        {"scope": ["everything"]},
        {"botPrompt": "please"},
    ],
)
async def test_what_line_would_not_take_is_refused(town, changes):
    body = {"view": {"type": "full", "url": "https://town.example.jp"}, **changes}
    assert (await town.raw("POST", "/liff/v1/apps", json=body))[0] == 400
    assert (await town.raw("GET", "/liff/v1/apps"))[0] == 404


async def test_thirty_apps_and_no_more(liff):
    for _ in range(30):
        await liff.add_liff_app(app())
    assert await status_of(liff.add_liff_app(app())) == 400

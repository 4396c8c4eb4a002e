"""The menu below the chat: set up once, replaced when it changes, never doubled."""

import json

import pytest

from bot.line.rich_menu import rich_menu, set_up
from channels.line.api import encode
from tests.bot.line.village import SATO, words_of


@pytest.fixture
def menus(village):
    return village.platform.channel.menus


async def test_the_menu_is_made_once_and_shown_to_everyone(village, menus):
    menu_id = await set_up(village.service, village.api)
    assert await set_up(village.service, village.api) == menu_id
    assert list(menus.menus) == [menu_id]
    assert menus.default_id == menu_id
    assert menus.menus[menu_id].image == rich_menu()[1]


async def test_older_ones_of_ours_go_and_those_of_others_stay(village, menus):
    menu, _ = rich_menu()
    for name in ("kairanban-0123456789abcdef", "図書館"):
        await village.api.create_rich_menu({**menu, "name": name})
    await set_up(village.service, village.api)
    assert sorted(item.definition["name"] for item in menus.menus.values()) == sorted(
        [menu["name"], "図書館"]
    )


async def test_a_set_up_that_was_cut_off_before_the_picture_is_made_good(village, menus):
    half = await village.api.create_rich_menu(rich_menu()[0])
    menu_id = await set_up(village.service, village.api)
    assert list(menus.menus) == [menu_id] != [half]
    assert menus.default_id == menu_id


async def test_every_tile_opens_its_page(village):
    await village.act(SATO, "follow")
    titles = ("お知らせの設定：お知らせの種類", "登録内容", "ことば / Language")
    for area, title in zip(rich_menu()[0]["areas"], titles, strict=True):
        (page,) = await village.act(SATO, "tapMenu", action=area["action"])
        assert title in words_of(page)


async def test_the_tiles_cover_the_picture_and_have_spoken_labels(village):
    menu, picture = rich_menu()
    answer = await village.api.post("/v2/bot/richmenu/validate", encode(menu))
    assert answer.status == 200
    assert len(picture) < 1_000_000
    assert sum(area["bounds"]["width"] for area in menu["areas"]) == menu["size"]["width"]
    assert all(0 < len(area["action"]["label"]) <= 20 for area in menu["areas"])
    assert "kairanban" in json.dumps(menu)

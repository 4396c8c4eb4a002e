"""The menu below the chat: drawn here, one for each language and one for a disaster; set up once, never doubled."""

from __future__ import annotations

import asyncio

import pytest

from bot.line.menu_picture import NoPicture, draw
from bot.line.menu_watch import look
from bot.line.rich_menu import OURS, alias, all_menus, set_up
from channels.line.api import encode
from content.clock import DAY, now_ms
from content.notices import triggers
from content.notices.chat_menu import ChatMenu, choose, menu_now
from tests.bot.line.village import MARIA, SATO, words_of
from tests.factories import create_town, make_notice


@pytest.fixture
def menus(village):
    return village.platform.channel.menus


def shown(menus):
    return menus.menus[menus.default_id].definition["name"]


async def test_the_menus_are_made_once_and_the_everyday_one_is_shown(village, menus):
    menu_id = await set_up(village.service, village.api)
    assert await set_up(village.service, village.api) == menu_id
    assert len(menus.menus) == 4
    assert menus.default_id == menu_id
    assert set(menus.aliases) == {alias(language) for language in ("ja", "ja-easy", "en")}


async def test_older_ones_of_ours_go_and_those_of_others_stay(village, menus):
    definition = all_menus(create_town())["ja"].definition
    for name in (f"{OURS}0123456789abcdef", "図書館"):
        await village.api.create_rich_menu({**definition, "name": name})
    await set_up(village.service, village.api)
    names = {item.definition["name"] for item in menus.menus.values()}
    assert "図書館" in names and f"{OURS}0123456789abcdef" not in names


async def test_a_set_up_that_was_cut_off_before_the_picture_is_made_good(village, menus):
    half = await village.api.create_rich_menu(all_menus(create_town())["ja"].definition)
    menu_id = await set_up(village.service, village.api)
    assert menu_id != half and half not in menus.menus


async def test_every_tile_opens_its_page(village):
    await village.act(SATO, "follow")
    words = (
        "お知らせの設定：お知らせの種類",
        "避難場所の一覧は",
        "お知らせは、まだありません",
        "休日当番医の表",
        "できること",
    )
    areas = all_menus(village.service.town)["ja"].definition["areas"]
    for area, expected in zip(areas, words, strict=False):
        (page,) = await village.act(SATO, "tapMenu", action=area["action"])
        assert expected in words_of(page)


async def test_a_tile_with_a_language_changes_menu_and_language(village, menus):
    await set_up(village.service, village.api)
    await village.act(SATO, "follow")
    areas = all_menus(village.service.town)["ja"].definition["areas"]
    switch = next(area["action"] for area in areas if area["action"].get("richMenuAliasId") == alias("en"))
    await village.act(SATO, "tapMenu", action=switch)
    linked = village.platform.channel.users.by_id[SATO].linked_menu_id
    assert menus.menus[linked].definition["name"].startswith(f"{OURS}en-")
    assert (await village.preferences(SATO)).language == "en"


@pytest.mark.parametrize("kind", ["ja", "ja-easy", "en", "disaster"])
async def test_the_tiles_cover_the_picture_and_have_spoken_labels(village, kind):
    menu = all_menus(create_town())[kind]
    answer = await village.api.post("/v2/bot/richmenu/validate", encode(menu.definition))
    assert answer.status == 200
    assert menu.picture.startswith(b"\x89PNG") and len(menu.picture) < 1_000_000
    size = menu.definition["size"]
    areas = menu.definition["areas"]
    covered = sum(area["bounds"]["width"] * area["bounds"]["height"] for area in areas)
    assert covered == size["width"] * size["height"]
    assert all(0 < len(area["action"]["label"]) <= 20 for area in areas)


def test_the_same_town_gets_the_same_menus_and_another_one_its_own():
    names = {menu.name for menu in all_menus(create_town()).values()}
    assert names == {menu.name for menu in all_menus(create_town()).values()}
    assert names != {menu.name for menu in all_menus(create_town(name="大河原町")).values()}


def test_without_a_japanese_font_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr("channels.fonts.FONTS", ())
    with pytest.raises(NoPicture, match="fonts-noto-cjk"):
        draw(800, 400, [])


async def test_an_urgent_notice_brings_the_menu_of_a_disaster_for_a_day(village, menus):
    await set_up(village.service, village.api)
    now = now_ms()
    assert await look(village.service, village.api, None) == ChatMenu.EVERYDAY
    async with village.service.database.write() as connection:
        drill = await make_notice(connection, urgency="urgent", mode="drill", at=now)
        await triggers.fire(connection, drill, now)
        assert await menu_now(connection, "line", now) == ChatMenu.EVERYDAY
        real = await make_notice(connection, urgency="urgent", category="saigai", at=now)
        await triggers.fire(connection, real, now)
        assert await menu_now(connection, "line", now + DAY - 1) == ChatMenu.DISASTER
        assert await menu_now(connection, "line", now + DAY) == ChatMenu.EVERYDAY
    assert await look(village.service, village.api, ChatMenu.EVERYDAY) == ChatMenu.DISASTER
    assert shown(menus).startswith(f"{OURS}disaster-")
    async with village.service.database.write() as connection:
        await choose(connection, "line", ChatMenu.EVERYDAY, staff="bosai", at=now + 1)
    assert await look(village.service, village.api, ChatMenu.DISASTER) == ChatMenu.EVERYDAY
    assert shown(menus).startswith(f"{OURS}ja-")


async def test_by_hand_it_ends_by_itself_too(village):
    now = now_ms()
    async with village.service.database.write() as connection:
        await choose(connection, "line", ChatMenu.DISASTER, staff="bosai", at=now)
        assert await menu_now(connection, "line", now + DAY - 1) == ChatMenu.DISASTER
        assert await menu_now(connection, "line", now + DAY) == ChatMenu.EVERYDAY


async def test_an_account_with_a_menu_of_its_own_is_left_alone(village, menus):
    async with village.service.database.write() as connection:
        await choose(connection, "line", ChatMenu.DISASTER, staff="bosai", at=now_ms())
    assert await look(village.service, village.api, None) is None
    assert menus.default_id is None


async def test_whoever_changed_the_language_gets_the_menu_of_a_disaster_too(village, menus):
    await set_up(village.service, village.api)
    await village.act(MARIA, "follow")
    await village.act(SATO, "follow")
    maria, sato = (village.platform.channel.users.by_id[user_id] for user_id in (MARIA, SATO))

    village.platform.config.change({"menu.bulkDelay": 0})

    async def menu_of(user):
        await asyncio.sleep(0.01)
        return user.linked_menu_id and menus.menus[user.linked_menu_id].definition["name"]

    for chosen, kind in ((ChatMenu.DISASTER, "disaster"), (ChatMenu.EVERYDAY, "en")):
        async with village.service.database.write() as connection:
            await choose(connection, "line", chosen, staff="bosai", at=now_ms())
        await look(village.service, village.api, None)
        assert (await menu_of(maria)).startswith(f"{OURS}{kind}-")
        assert await menu_of(sato) is None

"""Rich menus from the drawing to the tap. LINE Messaging API reference, #rich-menu."""

import pytest

from tests.sandbox.line.drawn_menus import menu, png
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, STRANGER


async def shown_to(town, user_id):
    card = (await town.get(f"phone/{user_id}/state.json"))["richMenu"]
    return card and card["name"]


async def test_a_menu_without_an_image_can_not_be_applied(menus):
    made = await menus.line.create_rich_menu(menu())
    failed = await refusal(menus.line.set_default_rich_menu(made.rich_menu_id))
    assert (failed.status, failed.message) == (400, "must upload richmenu image before applying it to user")


async def test_an_image_is_uploaded_once_and_comes_back_as_it_was(menus, town):
    menu_id = await menus.complete()
    assert bytes(await menus.blob.get_rich_menu_image(menu_id)) == png(800, 270)
    assert (await refusal(menus.upload(menu_id))).status == 400
    state = town.channel.menus.menus[menu_id]
    async with town.session.get(f"{town.origin}/_sandbox/richmenus/{menu_id}/image") as answer:
        assert (await answer.read(), answer.content_type) == (state.image, "image/png")


async def test_an_image_of_another_size_or_type_or_weight_is_refused(menus):
    made = await menus.line.create_rich_menu(menu())
    assert (await refusal(menus.upload(made.rich_menu_id, png(800, 300)))).status == 400
    assert (await refusal(menus.upload(made.rich_menu_id, png(800, 270) + b"0" * 1024 * 1024))).status == 413
    headers = {"Content-Type": "image/gif"}
    sent = menus.blob.set_rich_menu_image(made.rich_menu_id, body=png(800, 270), _headers=headers)
    assert (await refusal(sent)).status == 415


async def test_the_default_menu_is_seen_by_all_and_an_own_one_goes_before_it(menus, town):
    daily, own = await menus.complete("平常時"), await menus.complete("区長")
    assert await shown_to(town, PARENT) is None
    await menus.line.set_default_rich_menu(daily)
    await menus.line.link_rich_menu_id_to_user(PARENT, own)
    assert (await menus.line.get_default_rich_menu_id()).rich_menu_id == daily
    assert (await menus.line.get_rich_menu_id_of_user(PARENT)).rich_menu_id == own
    assert (await shown_to(town, PARENT), await shown_to(town, GRANDMOTHER)) == ("区長", "平常時")
    await menus.line.unlink_rich_menu_id_from_user(PARENT)
    assert await shown_to(town, PARENT) == "平常時"
    await menus.line.cancel_default_rich_menu()
    assert (await refusal(menus.line.get_default_rich_menu_id())).status == 404
    assert (await refusal(menus.line.get_rich_menu_id_of_user(PARENT))).status == 404


async def test_menus_are_listed_read_and_deleted(menus):
    menu_id = await menus.complete("平常時")
    assert [m.rich_menu_id for m in (await menus.line.get_rich_menu_list()).richmenus] == [menu_id]
    assert (await menus.line.get_rich_menu(menu_id)).areas[0].action.data == "v1|garbage"
    await menus.line.delete_rich_menu(menu_id)
    assert (await refusal(menus.line.get_rich_menu(menu_id))).status == 404


async def test_a_bulk_link_of_500_takes_effect_some_seconds_later(menus, town):
    menu_id = await menus.complete("区長")
    _, made = await town.send("POST", "users", {"count": 498})
    from linebot.v3.messaging import RichMenuBulkLinkRequest, RichMenuBulkUnlinkRequest

    everyone = [PARENT, GRANDMOTHER, *made["userIds"]]
    request = RichMenuBulkLinkRequest(richMenuId=menu_id, userIds=everyone)
    assert (await menus.line.link_rich_menu_id_to_users_with_http_info(request)).status_code == 202
    assert await shown_to(town, PARENT) is None
    await town.advance(2)
    assert await shown_to(town, PARENT) == "区長"
    await menus.line.unlink_rich_menu_id_from_users(RichMenuBulkUnlinkRequest(userIds=everyone))
    await town.advance(2)
    assert await shown_to(town, PARENT) is None


async def test_linking_people_who_are_no_friends_has_no_effect(menus):
    menu_id = await menus.complete()
    await menus.line.link_rich_menu_id_to_user(NEWCOMER, menu_id)
    await menus.line.link_rich_menu_id_to_user(STRANGER, menu_id)
    assert (await refusal(menus.line.get_rich_menu_id_of_user(NEWCOMER))).status == 404
    assert (await refusal(menus.line.link_rich_menu_id_to_user("U1", menu_id))).status == 400


async def test_a_tab_switches_the_menu_by_its_alias_and_tells_the_bot(menus, town, bot):
    from linebot.v3.messaging import CreateRichMenuAliasRequest, UpdateRichMenuAliasRequest

    daily, disaster = await menus.complete("平常時"), await menus.complete("災害時")
    alias = CreateRichMenuAliasRequest(richMenuAliasId="disaster", richMenuId=daily)
    await menus.line.create_rich_menu_alias(alias)
    assert (await refusal(menus.line.create_rich_menu_alias(alias))).status == 400
    await menus.line.update_rich_menu_alias("disaster", UpdateRichMenuAliasRequest(richMenuId=disaster))
    action = {"type": "richmenuswitch", "richMenuAliasId": "disaster", "data": "v1|tab"}
    answer = await town.act(PARENT, "tapMenu", action=action)
    assert answer["event"]["postback"] == {
        "data": "v1|tab",
        "params": {"newRichMenuAliasId": "disaster", "status": "SUCCESS"},
    }
    assert await shown_to(town, PARENT) == "災害時"
    await menus.line.delete_rich_menu_alias("disaster")
    assert (await menus.line.get_rich_menu_alias_list()).aliases == []
    answer = await town.act(PARENT, "tapMenu", action=action)
    assert answer["event"]["postback"]["params"]["status"] == "RICHMENU_ALIAS_ID_NOTFOUND"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"size": {"width": 700, "height": 270}}, "size.width"),
        ({"size": {"width": 800, "height": 600}}, "size"),
        ({"chatBarText": "あ" * 15}, "chatBarText"),
        ({"areas": [{}] * 21}, "areas"),
    ],
)
async def test_a_menu_outside_the_limits_is_refused(town, change, place):
    body = {**menu().to_dict(), **change}
    status, answer, _ = await town.raw("POST", "/v2/bot/richmenu", json=body)
    assert (status, answer["details"][0]["property"]) == (400, place)

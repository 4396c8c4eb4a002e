"""The rich menus of many people change in one request."""

from __future__ import annotations

import pytest

from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, PARENT


def batch(*operations, **more):
    from linebot.v3.messaging import RichMenuBatchRequest

    return RichMenuBatchRequest.from_dict({"operations": list(operations), **more})


async def link(menus, **users):
    for user_id, menu_id in users.items():
        await menus.line.link_rich_menu_id_to_user(user_id, menu_id)


async def begun(town, menus, *operations, **more):
    """The request id of a batch that was carried out."""
    done = await menus.line.rich_menu_batch_with_http_info(batch(*operations, **more))
    assert done.status_code == 202
    number = done.headers["x-line-request-id"]
    assert (await menus.line.get_rich_menu_batch_progress(number)).phase == "ongoing"
    await town.advance(60)
    shown = await menus.line.get_rich_menu_batch_progress(number)
    assert shown.phase == "succeeded" and shown.completed_time
    return number


def menu_of(town, user_id):
    return town.channel.users.by_id[user_id].linked_menu_id


async def test_two_menus_are_exchanged(town, menus):
    daily, disaster = await menus.complete(), await menus.complete("災害時")
    await link(menus, **{PARENT: daily, GRANDMOTHER: disaster})
    await begun(
        town,
        menus,
        {"type": "link", "from": daily, "to": disaster},
        {"type": "link", "from": disaster, "to": daily},
    )
    assert (menu_of(town, PARENT), menu_of(town, GRANDMOTHER)) == (disaster, daily)


async def test_one_menu_or_all_are_taken_away(town, menus):
    daily, disaster = await menus.complete(), await menus.complete("災害時")
    await link(menus, **{PARENT: daily, GRANDMOTHER: disaster})
    await begun(town, menus, {"type": "unlink", "from": daily})
    assert (menu_of(town, PARENT), menu_of(town, GRANDMOTHER)) == (None, disaster)
    await begun(town, menus, {"type": "unlinkAll"})
    assert menu_of(town, GRANDMOTHER) is None


async def test_what_cannot_be_given_out_is_refused_before_anything_changes(town, menus):
    daily = await menus.complete()
    await link(menus, **{PARENT: daily})
    gone = batch({"type": "link", "from": daily, "to": "richmenu-gone"})
    assert (await refusal(menus.line.rich_menu_batch(gone))).status == 404
    assert (await refusal(menus.line.validate_rich_menu_batch_request(gone))).status == 404
    assert menu_of(town, PARENT) == daily
    await menus.line.validate_rich_menu_batch_request(batch({"type": "unlink", "from": daily}))
    assert menu_of(town, PARENT) == daily
    assert (await refusal(menus.line.get_rich_menu_batch_progress("nothing"))).status == 404


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "operations"),
        ({"operations": []}, "operations"),
        ({"operations": [{"type": "swap"}]}, "operations[0].type"),
        ({"operations": [{"type": "link", "from": "a"}]}, "operations[0].to"),
        ({"operations": [{"type": "unlinkAll"}], "resumeRequestKey": "あ"}, "resumeRequestKey"),
    ],
)
async def test_a_batch_that_is_none_names_the_place(town, body, place):
    status, answer, _ = await town.raw("POST", "/v2/bot/richmenu/batch", json=body)
    assert (status, answer["details"][0]["property"]) == (400, place)


async def test_three_batches_an_hour(town, menus):
    daily = await menus.complete()
    for _ in range(3):
        await menus.line.rich_menu_batch(batch({"type": "unlink", "from": daily}))
    assert (await refusal(menus.line.rich_menu_batch(batch({"type": "unlinkAll"})))).status == 429


async def test_a_resume_key_is_good_once(town, menus):
    await begun(town, menus, {"type": "unlinkAll"}, resumeRequestKey="night-1")
    again = batch({"type": "unlinkAll"}, resumeRequestKey="night-1")
    assert (await refusal(menus.line.rich_menu_batch(again))).status == 400

"""Groups on screen: made, opened by codes that are seen once, looked through, and members taken out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.group_joining import join_group
from bot.service import Service
from content.clock import now_ms, today_jst
from content.register.memberships import members_of
from content.register.states import Route
from tests.bot.web_visitor import Visitor
from tests.factories import PARENT, make_subscriber

CODE = re.compile(r"<code>([A-Z0-9-]{14})</code>")


async def make_group(tanaka: Visitor, name: str = "第一保育園の保護者") -> str:
    page = await tanaka.submit(await tanaka.get("/console/groups"), "/console/groups", {"name": name})
    assert name in page.text and "だれも入っていません" in page.text
    return page.path.partition("?")[0]


def wishes(**changes: str) -> dict[str, str]:
    in_a_month = (today_jst() + timedelta(days=30)).isoformat()
    return {"number": "1", "most": "1", "expires": in_a_month, "until": "", **changes}


async def test_from_a_new_group_to_a_member_and_out_again(tanaka: Visitor, service: Service) -> None:
    path = await make_group(tanaka)
    key = path.rpartition("/")[2]
    until = (today_jst() + timedelta(days=20)).isoformat()
    codes = await tanaka.submit(
        await tanaka.get(path), f"{path}/codes", wishes(number="3", most="5", until=until)
    )
    typed = CODE.findall(codes.html)
    assert len(set(typed)) == 3
    assert "この画面だけ" in codes.text
    page = await tanaka.get(path)
    assert typed[0][-4:] in page.text and typed[0] not in page.html and "0 / 5" in page.text

    async with service.database.write() as connection:
        parent = await make_subscriber(connection, service.keys, PARENT)
        joined = await join_group(
            connection, service.town, parent.id, typed[0], language="ja", route=Route.LINE, at=now_ms()
        )
    assert joined.belongs and "「第一保育園の保護者」に入りました" in joined.answer
    page = await tanaka.get(path)
    assert "会員(1件)" in page.text and "1 / 5" in page.text
    assert "終わることをまだ知らせていません" in page.text and "年に一度確かめて" in page.text
    page = await tanaka.submit(page, f"{path}/confirm", {})
    assert "最後に確かめた人と日" in page.text and "年に一度確かめて" not in page.text
    page = await tanaka.submit(page, f"{path}/remove", {"subscriber": str(parent.id)})
    assert "グループから外しました" in page.text
    async with service.database.read() as connection:
        assert await members_of(connection, key) == []


async def test_to_whom_a_code_was_handed_stands_beside_the_member(tanaka: Visitor, service: Service) -> None:
    path = await make_group(tanaka, "見守り協力")
    codes = await tanaka.submit(
        await tanaka.get(path), f"{path}/codes", wishes(labels="たかはし商店\r\n\r\n船岡駅前交番\r\n")
    )
    assert "たかはし商店: " in codes.text and "船岡駅前交番: " in codes.text
    async with service.database.write() as connection:
        shop = await make_subscriber(connection, service.keys, PARENT)
        typed = CODE.findall(codes.html)[0]
        await join_group(
            connection, service.town, shop.id, typed, language="ja", route=Route.LINE, at=now_ms()
        )
    async with service.database.read() as connection:
        (member,) = await members_of(connection, path.rpartition("/")[2])
    assert (member.number, member.code) == (shop.id, "たかはし商店")
    assert "たかはし商店" in (await tanaka.get(path)).text
    page = await tanaka.submit(await tanaka.get(path), f"{path}/codes", wishes(labels="長" * 41))
    assert page.status == 422 and "渡す先" in page.text


@pytest.mark.parametrize(
    ("wrong", "about"),
    [
        ({"number": "0"}, "枚数"),
        ({"number": "201"}, "枚数"),
        ({"number": "三"}, "枚数"),
        ({"most": ""}, "1枚で入れる数"),
        ({"expires": "2020-01-01"}, "有効期限"),
        ({"expires": "soon"}, "有効期限"),
        ({"until": "2020-01-01"}, "終わりの日"),
        ({"until": "x"}, "終わりの日"),
    ],
)
async def test_a_wrong_field_is_named_and_makes_no_code(
    tanaka: Visitor, wrong: dict[str, str], about: str
) -> None:
    path = "/console/groups/kucho"
    page = await tanaka.submit(await tanaka.get(path), f"{path}/codes", wishes(**wrong))
    assert page.status == 422 and about in page.text
    assert "招待コードはまだありません" in (await tanaka.get(path)).text


async def test_a_name_is_needed_and_stands_once(tanaka: Visitor) -> None:
    await make_group(tanaka, "消防団")
    for name in ("", "消防団", "行政区長", "長" * 41):
        page = await tanaka.submit(await tanaka.get("/console/groups"), "/console/groups", {"name": name})
        assert page.status == 422


async def test_a_code_is_stopped_and_a_group_is_closed(tanaka: Visitor, service: Service) -> None:
    path = await make_group(tanaka, "消防団")
    codes = await tanaka.submit(await tanaka.get(path), f"{path}/codes", wishes())
    (typed,) = CODE.findall(codes.html)
    page = await tanaka.get(path)
    number = re.search(r'name="code" value="(\d+)"', page.html)
    assert number is not None
    page = await tanaka.submit(page, f"{path}/codes/close", {"code": number[1]})
    assert "止めました" in page.text
    async with service.database.write() as connection:
        parent = await make_subscriber(connection, service.keys, PARENT)
        joined = await join_group(
            connection, service.town, parent.id, typed, language="en", route=Route.WEB, at=now_ms()
        )
    assert not joined.belongs and "cannot be used" in joined.answer
    await tanaka.submit(page, f"{path}/close", {})
    assert (await tanaka.get(path)).status == 404
    # One of the profile has no such button.
    assert "使用を終える" not in (await tanaka.get("/console/groups/kucho")).text

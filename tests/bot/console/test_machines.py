"""機械からの投稿: who administers makes keys and ends them."""

from __future__ import annotations

import re

import pytest_asyncio

from bot.service import Service
from content.staff import audit, machines, member_changes, members
from tests.bot.web_visitor import Visitor


@pytest_asyncio.fixture
async def kanri(stranger: Visitor, service: Service) -> Visitor:
    """An administrator."""
    async with service.database.write() as connection:
        member = await members.find(connection, "suzuki")
        await member_changes.set_role(connection, member, "administrator")
    await stranger.enter(service, "suzuki")
    return stranger


FIELDS = {"name": " 水位計 ", "permission": ["see", "write"], "category": ["saigai"]}


async def test_a_key_is_shown_once_and_ended(kanri: Visitor, service: Service) -> None:
    page = await kanri.get("/console/machines")
    assert "接続キーはまだありません" in page.text
    made = await kanri.submit(page, "/console/machines", FIELDS)
    (token,) = re.findall(r"kairan_[\w-]+", made.text)
    listed = await kanri.get("/console/machines")
    assert "水位計" in listed.text and token not in listed.html
    async with service.database.read() as connection:
        found = await machines.find_by_token(connection, token)
    assert {(item.permission, item.category) for item in found.rights} == {
        ("see", "saigai"),
        ("write", "saigai"),
    }
    ended = await kanri.submit(listed, f"/console/machines/{found.id}/end")
    assert "終わらせました" in ended.text
    async with service.database.read() as connection:
        entries = await audit.entries(connection)
    assert [item.action for item in entries[:2]] == ["machine.ended", "machine.added"]
    assert token not in str(entries)


async def test_a_mistake_is_shown_at_its_field_and_what_was_typed_stays(kanri: Visitor) -> None:
    page = await kanri.get("/console/machines")
    refused = await kanri.submit(page, "/console/machines", FIELDS | {"networks": "庁舎"})
    assert refused.status == 422
    assert 'value="水位計"' in refused.html and 'value="庁舎"' in refused.html
    assert 'href="#networks"' in refused.html
    refused = await kanri.submit(page, "/console/machines", FIELDS | {"permission": []})
    assert "できることを、1つ以上" in refused.text


async def test_an_editor_neither_sees_nor_makes_keys(tanaka: Visitor) -> None:
    assert (await tanaka.get("/console/machines")).status == 403

"""Who may post by machine: keys that are known, that last, and that open no more than they were given."""

from __future__ import annotations

from typing import Any

import pytest

from bot.service import Service
from content.clock import DAY
from content.staff import machines, members
from content.staff.members import NotAllowed
from content.staff.rights import Permission
from tests.bot.api.conftest import Caller, MakeCaller, wanted
from tests.bot.api.stored import stored


@pytest.mark.parametrize("token", ["", "kairan_no", "x", "kairan_" + "é" * 4])
async def test_who_has_no_key_is_told_nothing(caller: Caller, token: str) -> None:
    status, answer = await caller.post(wanted(), token=token)
    assert (status, answer["type"]) == (401, "urn:kairanban:problem:unknown-token")


async def test_an_ended_key_and_one_whose_time_is_over_are_no_keys(
    make_caller: MakeCaller, service: Service
) -> None:
    ended, over = await make_caller("一号"), await make_caller("二号")
    async with service.database.write() as connection:
        found = await machines.find_by_name(connection, "一号")
        assert await machines.end(connection, found.id, at=service.database.now())
        assert not await machines.end(connection, found.id, at=service.database.now())
        await connection.execute(
            machines.machine.update()
            .where(machines.machine.c.name == "二号")
            .values(expires_at=service.database.now() - DAY)
        )
    assert [(await item.post(wanted()))[0] for item in (ended, over)] == [401, 401]


async def test_a_key_ended_in_the_middle_of_the_act_does_nothing(caller: Caller, service: Service) -> None:
    async with service.database.write() as connection:
        found = await machines.find_by_name(connection, caller.name)
        await members.require(connection, found.actor, Permission.WRITE, "saigai")
        await machines.end(connection, found.id, at=service.database.now())
        with pytest.raises(NotAllowed):
            await members.require(connection, found.actor, Permission.WRITE, "saigai")


async def test_a_key_counts_from_its_own_network_alone(make_caller: MakeCaller) -> None:
    here = await make_caller("一号", networks="127.0.0.0/8 192.0.2.1")
    elsewhere = await make_caller("二号", networks="192.0.2.0/24")
    assert (await here.post(wanted()))[0] == 201
    status, answer = await elsewhere.post(wanted())
    assert (status, answer["type"]) == (403, "urn:kairanban:problem:wrong-place")


@pytest.mark.parametrize(
    ("permissions", "changes", "lacks"),
    [
        (("see",), {}, "作成"),
        (("see", "write"), {}, "承認・配信"),
        (("see", "write", "approve"), {"urgency": "urgent"}, "緊急発信"),
        (
            ("see", "write", "approve"),
            {"target": {"kind": "everyone"}, "accept": ["everyone"]},
            "登録者全員への配信",
        ),
    ],
)
async def test_it_does_only_what_its_key_allows(
    make_caller: MakeCaller,
    service: Service,
    permissions: tuple[str, ...],
    changes: dict[str, Any],
    lacks: str,
) -> None:
    caller = await make_caller(permissions=permissions)
    status, answer = await caller.post(wanted(**changes))
    assert (status, lacks in answer["detail"]) == (403, True)
    assert await stored(service) == []


async def test_everyone_takes_the_right_and_the_yes(make_caller: MakeCaller, service: Service) -> None:
    caller = await make_caller(permissions=("see", "write", "approve", "everyone"))
    status, answer = await caller.post(wanted(target={"kind": "everyone"}))
    assert (status, [item["code"] for item in answer["problems"]]) == (422, ["everyone"])
    status, _ = await caller.post(wanted(target={"kind": "everyone"}, accept=["everyone"]))
    assert (status, len(await stored(service))) == (201, 1)


async def test_in_another_category_it_neither_posts_nor_sees(make_caller: MakeCaller) -> None:
    whole, limited = await make_caller("一号"), await make_caller("二号", categories=("event",))
    _, posted = await whole.post(wanted())
    assert (await limited.post(wanted()))[0] == 403
    assert (await limited.show(posted["id"]))[0] == 404
    assert (await whole.show(posted["id"] + 1))[0] == 404
    assert (await limited.post(wanted(category="event", channels=["mail"])))[0] == 201

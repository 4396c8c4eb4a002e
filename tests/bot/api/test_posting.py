"""A machine posts a notice: the road of the console, once, under the same checks and its own rights."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.door.refusals import refusal
from bot.service import Service
from content.notices import maintenance, submissions
from content.staff import machines
from content.town import Town
from scheduler import notice_service
from scheduler.triggers import fire_due
from tests.bot.api.conftest import WORDS, Caller, MakeCaller, wanted
from tests.bot.api.stored import entries, stored
from tests.factories import create_town


async def test_what_it_posts_is_approved_in_its_name_and_shown_as_on_the_command_line(
    caller: Caller, service: Service
) -> None:
    status, answer = await caller.post(wanted())
    assert status == 201
    assert (answer["state"], answer["waiting_for_approval"]) == ("scheduled", False)
    (found,) = await stored(service)
    assert (found.id, found.approved_by) == (answer["id"], "機械 防災システム")
    assert found.spec.texts == {"ja": (WORDS["title"], WORDS["body"])}
    assert {(item.action, item.actor) for item in await entries(service)} >= {
        ("notice.drafted", "機械 防災システム"),
        ("notice.approved", "機械 防災システム"),
    }
    await fire_due(service.context)
    status, shown = await caller.show(found.id)
    assert (status, shown["state"]) == (200, "planning")
    assert set(shown["channels"]) == {"line"}


async def test_without_channels_it_takes_every_one_that_carries_the_mode(
    caller: Caller, service: Service
) -> None:
    status, _ = await caller.post(wanted(channels=[]))
    assert status == 201
    assert (await stored(service))[0].spec.channels == tuple(service.town.channels)


async def test_the_same_request_again_has_the_same_answer_and_is_one_notice(
    caller: Caller, service: Service
) -> None:
    first = await caller.post(wanted(), key="alarm-17")
    await fire_due(service.context)
    assert await caller.post(wanted(), key="alarm-17") == first
    assert len(await stored(service)) == 1


async def test_another_notice_under_a_used_key_is_refused(caller: Caller, service: Service) -> None:
    await caller.post(wanted(), key="alarm-17")
    status, answer = await caller.post(wanted(urgency="urgent"), key="alarm-17")
    assert (status, answer["type"]) == (422, "urn:kairanban:problem:key-reused")
    assert len(await stored(service)) == 1


async def test_two_at_once_are_one_notice_and_one_answer(caller: Caller, service: Service) -> None:
    answers = await asyncio.gather(*(caller.post(wanted(), key="alarm-17") for _ in range(4)))
    assert [status for status, _ in answers] == [201] * 4
    assert len({json.dumps(answer, sort_keys=True) for _, answer in answers}) == 1
    assert len(await stored(service)) == 1


async def test_two_different_ones_at_once_under_one_key_are_one_notice_and_one_refusal(
    caller: Caller, service: Service
) -> None:
    other = wanted(texts={"ja": {**WORDS, "title": "槻木地区の断水"}})
    answers = await asyncio.gather(caller.post(wanted(), key="a"), caller.post(other, key="a"))
    assert sorted(status for status, _ in answers) == [201, 422]
    assert len(await stored(service)) == 1


async def test_the_key_of_one_machine_is_not_that_of_another(
    make_caller: MakeCaller, service: Service
) -> None:
    one, other = await make_caller("一号"), await make_caller("二号")
    await one.post(wanted(), key="1")
    status, _ = await other.post(wanted(texts={"ja": {**WORDS, "title": "槻木地区の断水"}}), key="1")
    assert status == 201
    assert len(await stored(service)) == 2


async def test_what_is_refused_leaves_its_key_free(caller: Caller, service: Service) -> None:
    body = wanted(texts={"ja": {**WORDS, "body": "本日〇〇で断水しています。給水車が来ます。"}})
    status, answer = await caller.post(body, key="k")
    assert (status, answer["type"]) == (422, "urn:kairanban:problem:questioned")
    assert [item["code"] for item in answer["problems"]] == ["placeholder"]
    assert answer["problems"][0]["field"] == "texts.ja.body"
    assert await stored(service) == []
    status, answer = await caller.post(body | {"accept": ["placeholder"]}, key="k")
    assert (status, [item["accepted"] for item in answer["findings"] if item["code"] == "placeholder"]) == (
        201,
        [True],
    )


async def test_nobody_there_is_refused(caller: Caller, service: Service) -> None:
    status, answer = await caller.post(wanted(category="kosodate", channels=["mail"]))
    assert (status, [item["code"] for item in answer["problems"]]) == (422, ["nobody"])
    assert await stored(service) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (wanted() | {"titel": "x"}, "titel"),
        (wanted(mode="practice"), "mode"),
        ({key: value for key, value in wanted().items() if key != "mode"}, "mode"),
        (wanted(texts={"ja": {"title": "x"}}), "texts.ja.body"),
        (wanted(at="tomorrow"), "at"),
        (wanted(texts={"en": WORDS}), "texts.ja.title"),
        (wanted(target={"kind": "segment", "key": "nothing"}), "target"),
        (wanted(channels=["fax"]), "channels"),
        (wanted(category="nothing"), "category"),
        (wanted(accept=["evryone"]), "accept"),
        (wanted(at="2001-01-01T09:00"), "at"),
        (wanted(texts={"ja": WORDS, "xx": WORDS}), "texts.xx"),
        (wanted(texts={"ja": {**WORDS, "body": "船岡地区で\x00断水しています。"}}), "texts.ja.body"),
        (wanted(reason="a\x00b"), "reason"),
        (wanted(category="sai\x00gai"), "category"),
    ],
)
async def test_a_mistake_is_named_by_its_field_with_its_remedy(
    caller: Caller, service: Service, body: dict[str, Any], field: str
) -> None:
    status, answer = await caller.post(body)
    assert status == 422, answer
    assert field in {item["field"] for item in answer["problems"]}
    assert all(item["message"] for item in answer["problems"])
    assert await stored(service) == []


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b'{"category": "\xff"}', {"Content-Type": "application/json"}, 400),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "application/json; charset=utf-7"}, 415),
        (b"{}", {"Content-Type": "application/json", "Idempotency-Key": ""}, 400),
        (b"{}", {"Content-Type": "application/json", "Idempotency-Key": "あ"}, 400),
        (b"{}", {"Content-Type": "application/json", "Idempotency-Key": "x" * 256}, 400),
        (b'"' + b"x" * 300_000 + b'"', {"Content-Type": "application/json"}, 413),
    ],
)
async def test_what_cannot_be_read_is_told_so(
    caller: Caller, body: bytes, headers: dict[str, str], expected: int
) -> None:
    status, answer = await caller.post(body, **headers)
    assert (status, answer["status"]) == (expected, expected)
    assert answer["type"].startswith("urn:kairanban:problem:")


async def test_half_an_emoji_changes_nothing(caller: Caller, service: Service) -> None:
    body = json.dumps(wanted()).replace("saigai", "\\ud83d").encode()
    status, _ = await caller.post(body, **{"Content-Type": "application/json"})
    assert status in (400, 422)
    assert await stored(service) == []


async def test_the_notices_of_an_hour_have_a_limit(make_caller: MakeCaller, service: Service) -> None:
    caller = await make_caller(per_hour=1)
    first = await caller.post(wanted(), key="1")
    other = wanted(texts={"ja": {**WORDS, "title": "槻木地区の断水"}}, accept=["repeated"])
    status, answer = await caller.post(other, key="2")
    assert (status, answer["type"]) == (429, "urn:kairanban:problem:too-many")
    assert await caller.post(wanted(), key="1") == first
    assert len(await stored(service)) == 1


async def test_calls_of_a_machine_gone_wild_have_an_end(caller: Caller, monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.api.access.CALLS_OF_MACHINE", 2)
    assert [(await caller.show(1))[0] for _ in range(3)] == [404, 404, 429]


async def test_who_tries_keys_waits_and_keeps_nobody_waiting(caller: Caller, monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.api.access.WRONG_KEYS", 2)
    assert [(await caller.post(wanted(), token="x"))[0] for _ in range(3)] == [401, 401, 429]
    assert (await caller.post(wanted()))[0] == 201


async def test_maintenance_holds_what_a_machine_posts_also_when_it_is_urgent(
    caller: Caller, service: Service
) -> None:
    async with service.database.write() as connection:
        await maintenance.begin(connection, by="tanaka", reason="点検", at=service.database.now())
    _, answer = await caller.post(wanted(urgency="urgent"))
    assert await fire_due(service.context) == 0
    _, shown = await caller.show(answer["id"])
    assert shown["state"] == "held"
    # A person may still let it go.
    assert await notice_service.release(service.context, answer["id"], staff="tanaka")
    assert await fire_due(service.context) == 1


async def test_that_a_key_was_used_is_written_down(caller: Caller, service: Service) -> None:
    await caller.show(1)
    async with service.database.read() as connection:
        found = await machines.find_by_name(connection, caller.name)
    assert found.last_used_at is not None
    assert caller.token.encode() not in found.name.encode()


def test_the_door_refuses_what_is_meant_for_machines_in_json_too() -> None:
    answer = refusal(413, "/api/v1/notices")
    assert (answer.status, answer.content_type) == (413, "application/problem+json")
    assert json.loads(answer.text)["type"] == "urn:kairanban:problem:too-large"


async def test_what_there_is_not_is_said_in_json(caller: Caller) -> None:
    for method, path, expected in (("GET", "/api/v2/notices", 404), ("PUT", "/api/v1/notices", 405)):
        async with caller.client.request(method, path) as answer:
            assert answer.status == expected
            assert answer.content_type == "application/problem+json"
            assert (await answer.json(content_type=None))["status"] == expected


class TestTwoPeople:
    @pytest.fixture
    def town(self) -> Town:
        categories = create_town().model_dump(mode="json")["categories"]
        return create_town(categories=[item | {"approval": "two"} for item in categories])

    async def test_a_routine_notice_waits_for_a_person(
        self, make_caller: MakeCaller, service: Service
    ) -> None:
        caller = await make_caller(permissions=("see", "write"))
        status, answer = await caller.post(wanted())
        assert (status, answer["waiting_for_approval"], answer["state"]) == (201, True, "draft")
        async with service.database.read() as connection:
            (waiting,) = await submissions.waiting(connection)
        assert (waiting.notice_id, waiting.submitted_by) == (answer["id"], "機械 防災システム")
        assert await fire_due(service.context) == 0
        assert await notice_service.approve(service.context, answer["id"], staff="tanaka")
        assert await fire_due(service.context) == 1

    async def test_an_urgent_one_goes_with_its_reason_and_is_looked_at_afterwards(
        self, caller: Caller, service: Service
    ) -> None:
        status, answer = await caller.post(wanted(urgency="urgent"))
        assert (status, answer["problems"][0]["field"]) == (422, "reason")
        status, answer = await caller.post(wanted(urgency="urgent", reason="水位計の警報"))
        assert status == 201
        async with service.database.read() as connection:
            (review,) = await submissions.open_reviews(connection)
        assert (review.sent_by, review.reason) == ("機械 防災システム", "水位計の警報")

"""The twelve incidents once more, done by a machine: nothing is sent until somebody has said yes, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.belonging import bind
from bot.service import Service, open_town_context
from bot.settings import Settings
from channels.links import ask_link
from content.database import Database
from content.keys import Keys
from content.notices import notices
from content.staff import audit
from content.town import Town
from sandbox.line import SANDBOX_KEY, SandboxOptions, create_app
from tests.bot.api.conftest import Caller, wanted
from tests.bot.conftest import SETTINGS
from tests.bot.incidents import ACCOUNTS, INCIDENTS, Incident
from tests.factories import SHIBATA, create_town, make_delivery, make_notice, segment


def sent(incident: Incident) -> dict[str, Any]:
    """The body of the request."""
    body = wanted(
        category=incident.category,
        texts={"ja": {"title": incident.title, "body": incident.body}},
        urgency="urgent" if incident.urgent else "routine",
        mode=incident.mode,
    )
    if incident.target:
        body["target"] = {"kind": "segment", "key": incident.target}
    return body | ({"at": incident.at} if incident.at else {})


def codes(answer: dict[str, Any]) -> set[str]:
    return {item["code"] for item in answer["problems"]}


@pytest.fixture
def town() -> Town:
    example = create_town().model_dump(mode="json")
    return create_town(accounts=ACCOUNTS, segments=[*example["segments"], segment(key="empty")])


async def stored(service: Service) -> list[notices.Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def accepted(service: Service) -> list[object]:
    async with service.database.read() as connection:
        entries = await audit.entries(connection)
    return [entry.detail["accepted"] for entry in entries if entry.action == "notice.approved"]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda item: item.name)
async def test_the_machine_interface_holds_it(caller: Caller, service: Service, incident: Incident) -> None:
    status, answer = await caller.post(sent(incident), key="k")
    assert (status, incident.code in codes(answer)) == (422, True)
    assert await stored(service) == []
    status, answer = await caller.post(sent(incident) | {"accept": [incident.code]}, key="k")
    if incident.blocking:
        # Nobody can say yes to what is impossible.
        assert (status, await stored(service)) == (422, [])
        return
    assert (status, await accepted(service)) == (201, [[incident.code]])


async def test_an_alert_is_not_repeated_by_the_same_machine_or_another_way(
    caller: Caller, service: Service
) -> None:
    order = wanted(
        urgency="urgent",
        texts={"ja": {"title": "避難指示 船岡地区", "body": "今すぐ高台へ避難してください。"}},
    )
    assert (await caller.post(order))[0] == 201
    status, answer = await caller.post(order)
    assert (status, codes(answer)) == (422, {"repeated"})
    second = order | {"texts": {"ja": {"title": "避難指示 第2報", "body": "今すぐ高台へ避難してください。"}}}
    assert (await caller.post(second))[0] == 201
    assert len(await stored(service)) == 2


async def test_a_tenth_of_the_usual_number_is_asked_about(caller: Caller, service: Service) -> None:
    async with service.database.write() as connection:
        for number in range(6):
            notice_id = await make_notice(
                connection, category="saigai", texts={"ja": (f"お知らせ{number}", "本文")}, at=1_000
            )
            await make_delivery(connection, [list(range(1, 101))], notice_id=notice_id)
    status, answer = await caller.post(wanted())
    assert (status, codes(answer)) == (422, {"unusual-number"})
    assert (await caller.post(wanted(accept=["unusual-number"])))[0] == 201


class TestWithOthersOutside:
    """LINE's stand-in, and a page that is not there."""

    @pytest_asyncio.fixture
    async def service(
        self, staffed_template: Path, keys: Keys, town: Town, tmp_path: Path
    ) -> AsyncIterator[Service]:
        shutil.copyfile(staffed_template, tmp_path / "web.db")
        database = Database(f"sqlite:///{tmp_path / 'web.db'}")
        line = create_app(SandboxOptions(channel_secret="secret", channel_token="token"))
        runner = web.AppRunner(line, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        line[SANDBOX_KEY].channel.quota.change_plan({"type": "limited", "value": 1})
        settings = Settings(
            town=SHIBATA,
            secret_key_file=tmp_path / "secret.key",
            **SETTINGS | {"line": SETTINGS["line"] | {"api_base": origin}},
        )
        context = open_town_context(settings, town, database, await bind(database, town, keys))

        async def asked(_: str) -> str:
            return await ask_link(f"{origin}/gone", allow_private=True)

        yield Service(settings, replace(context, ask_link=asked))  # type: ignore[arg-type]
        await database.close()
        await runner.cleanup()

    async def test_a_quota_that_is_too_small_is_asked_about_before_and_not_found_half_way(
        self, caller: Caller, service: Service
    ) -> None:
        status, answer = await caller.post(wanted())
        assert (status, codes(answer)) == (422, {"quota"})
        assert await stored(service) == []
        # What is urgent waits for no answer of LINE's: it goes out by every way that is left.
        assert (await caller.post(wanted(urgency="urgent")))[0] == 201

    async def test_a_dead_link_is_asked_about_and_keeps_no_urgent_notice_waiting(
        self, caller: Caller
    ) -> None:
        words = {
            "title": "お知らせ",
            "body": "くわしくは https://www.town.example.jp/oshirase をご覧ください。",
        }
        body = wanted(texts={"ja": words}, accept=["quota"])
        status, answer = await caller.post(body)
        assert (status, codes(answer)) == (422, {"link-dead"})
        assert (await caller.post(body | {"urgency": "urgent"}))[0] == 201

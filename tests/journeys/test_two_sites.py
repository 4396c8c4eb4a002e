"""The machine of the town hall fails in the middle of an evacuation order; a second site goes on, and nobody hears it twice."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, deployed, until

LINE, MAIL = 1_200, 40

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@asynccontextmanager
async def two_sites(folder: Path) -> AsyncIterator[tuple[Deployment, Deployment, str, str]]:
    """The town hall, which serves, the second site, which has the key alone; LINE and the mail server of both."""
    hall_folder, second_folder = folder / "hall", folder / "second"
    hall_folder.mkdir()
    second_folder.mkdir()
    async with (
        deployed(hall_folder, KAIRANBAN_TWO_SITES="true") as hall,
        deployed(second_folder, KAIRANBAN_TWO_SITES="true") as second,
    ):
        line_url, inbox = await hall.start_line(), await hall.start_smtp()
        for name in ("KAIRANBAN_LINE__API_BASE", "KAIRANBAN_MAIL__SMTP_URL"):
            second.environment[name] = hall.environment[name]
        await hall.registered_and_slow(line_url, LINE, MAIL, latency_ms=0)
        shutil.copy(hall_folder / "secret.key", second_folder / "secret.key")
        yield hall, second, line_url, inbox


async def answers_get_lost(town: Deployment, line_url: str, stage: str) -> None:
    fault = {
        "target": "api",
        "stage": stage,
        "match": {"path": "*multicast"},
        "action": {"type": "status", "code": 500},
    }
    async with town.session.post(f"{line_url}/_sandbox/faults", json=fault) as answer:
        assert answer.status < 300, await answer.text()


async def line_works(town: Deployment, line_url: str) -> None:
    async with town.session.delete(f"{line_url}/_sandbox/faults") as answer:
        assert answer.status < 300


async def post(town: Deployment, title: str) -> int:
    words = ("--category", "saigai", "--title", title, "--body", "にげてください", "--urgent", "--json")
    return int((await town.json("notice", "post", *words, "--channel", "line", "--channel", "mail"))["id"])


async def sent(town: Deployment, line_url: str) -> list[tuple[int, int]]:
    alerts = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"]
    return [(alert["users"], alert["duplicated"]) for alert in alerts]


async def is_held(town: Deployment) -> bool:
    async with town.session.get(f"{town.web_url}/readyz") as answer:
        return "nothing goes out (taken_over)" in await answer.text()


async def test_the_second_site_goes_on_and_the_first_sends_nothing_more(tmp_path: Path) -> None:
    async with two_sites(tmp_path) as (hall, second, line_url, inbox):
        serving = await hall.serve()
        await answers_get_lost(hall, line_url, "after")
        order = await post(hall, "避難指示")

        async def has_begun() -> bool:
            return bool(await sent(hall, line_url))

        await until(has_begun, "LINE to have some of it")
        await answers_get_lost(hall, line_url, "before")
        copy = str(tmp_path / "copy.db")
        code, _, err = await hall.run("backup", copy)
        assert code == 0, err

        async def mail_is_out() -> bool:
            return bool((await hall.get_json(f"{inbox}/api/stats"))["messages"] == MAIL)

        # All mails leave after the copy was made, as far as it knows.
        await until(mail_is_out, "the mails to be out")
        await serving.end(signal.SIGKILL)

        assert (await second.run("restore", copy))[0] == 0
        code, _, err = await second.run("takeover", "--other-is-off")
        assert code == 0, err
        await second.serve()
        await line_works(hall, line_url)
        shown = await second.finished(order)
        assert shown["channels"]["line"]["accepted"] == LINE
        assert await sent(hall, line_url) == [(LINE, 0)]
        mail = await hall.get_json(f"{inbox}/api/stats")
        assert (mail["messages"], mail["duplicates"]) == (MAIL, 0)

        # The first machine comes back and believes that half of it is open.
        await hall.serve()
        await until(lambda: is_held(hall), "the town hall to see that it was taken over")
        await post(hall, "前の場所からの知らせ")
        code, _, err = await hall.run("restore", "--confirm")
        assert code == 1 and "takeover" in err
        lifted = await second.finished(await post(second, "避難指示の解除"))
        assert lifted["channels"]["mail"]["accepted"] == MAIL, lifted
        assert await sent(hall, line_url) == [(LINE, 0), (LINE, 0)]
        mail = await hall.get_json(f"{inbox}/api/stats")
        assert (mail["messages"], mail["duplicates"]) == (2 * MAIL, 0)


async def test_a_site_that_still_runs_notices_and_stops(tmp_path: Path) -> None:
    async with two_sites(tmp_path) as (hall, second, line_url, _):
        await hall.serve()
        copy = str(tmp_path / "copy.db")
        assert (await hall.run("backup", copy))[0] == 0
        assert (await second.run("restore", copy))[0] == 0
        code, _, err = await second.run("takeover", "--other-is-off")
        assert code == 0, err
        await until(lambda: is_held(hall), "the town hall to see that it was taken over")
        await post(hall, "前の場所からの知らせ")
        await second.serve()
        await second.finished(await post(second, "引き継いだ場所からの知らせ"))
        assert await sent(hall, line_url) == [(LINE, 0)]


async def test_without_the_setting_or_a_word_nothing_is_taken_over(tmp_path: Path) -> None:
    async with deployed(tmp_path) as town:
        await town.init()
        code, _, err = await town.run("takeover", "--other-is-off")
        assert (code, "KAIRANBAN_TWO_SITES" in err) == (2, True)
        town.environment["KAIRANBAN_TWO_SITES"] = "true"
        code, _, err = await town.run("takeover")
        assert (code, "--other-is-off" in err) == (2, True)
        assert "止まっている配信はありません" in (await town.run("restore"))[2]

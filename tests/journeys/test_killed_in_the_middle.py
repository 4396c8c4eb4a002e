"""`kill -9` of the service in the middle of an urgent send: nobody is lost, nobody on LINE gets it twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, deployed, until

LINE, MAIL = 50_000, 5_000
# Mail connections times the mails between two records of progress.
IN_FLIGHT = 5 * 25

pytestmark = [pytest.mark.slow, pytest.mark.faults]


async def test_a_killed_service_goes_on_where_it_was(tmp_path: Path) -> None:
    async with deployed(tmp_path) as town:
        line_url = await town.start_line()
        inbox_url = await town.start_smtp()
        await town.registered_and_slow(line_url, LINE, MAIL, latency_ms=400)
        # Some get no answer as long as the first service lives: the send cannot end before it dies.
        silent = {"action": "hang", "match": {"path": "*multicast", "every": 8}}
        async with town.session.post(f"{line_url}/_sandbox/faults", json=silent) as answer:
            assert answer.status < 300, await answer.text()
        first = await town.serve()
        posted = await town.json(
            *("notice", "post", "--category", "saigai", "--title", "避難指示", "--body", "にげてください"),
            *("--urgent", "--json", "--channel", "line", "--channel", "mail"),
        )
        await until(lambda: _under_way(town, line_url, inbox_url), "the send to be under way")
        await first.end(signal.SIGKILL)
        line_before, _ = await _received(town, line_url, inbox_url)
        assert line_before < LINE, "the service was killed too late for this test to mean anything"
        async with town.session.delete(f"{line_url}/_sandbox/faults") as answer:
            assert answer.status < 300, await answer.text()
        await town.serve()
        shown = await town.finished(posted["id"])

        alert = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"][0]
        mail = await town.get_json(f"{inbox_url}/api/stats")
        assert alert["users"] == LINE
        assert alert["duplicated"] == 0
        assert mail["recipients"] == MAIL
        assert mail["duplicates"] <= IN_FLIGHT
        assert shown["channels"]["line"]["accepted"] == LINE
        assert shown["channels"]["mail"]["accepted"] == MAIL
        assert [row["open"] for row in shown["channels"].values()] == [0, 0]


async def _received(town: Deployment, line_url: str, inbox_url: str) -> tuple[int, int]:
    alerts = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"]
    mail = await town.get_json(f"{inbox_url}/api/stats")
    return (alerts[0]["users"] if alerts else 0), mail["recipients"]


async def _under_way(town: Deployment, line_url: str, inbox_url: str) -> bool:
    line, mail = await _received(town, line_url, inbox_url)
    return line >= 2_000 and mail >= 100

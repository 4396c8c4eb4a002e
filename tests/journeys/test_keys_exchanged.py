"""A leaked key is exchanged while an evacuation order goes out: nobody misses it, nobody gets it twice, and the service
goes on as if nothing had been."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from content.key_file import read_roots
from tests.journeys.deployment import Deployment, deployed, line_id, until

LINE, MAIL = 1_200, 40

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    return {"KAIRANBAN_DATABASE_URL": request.getfixturevalue("empty_postgres")}


async def act(town: Deployment, line_url: str, user: str, kind: str, **more: Any) -> None:
    """What one resident does on the phone, until the service has answered."""
    url = f"{line_url}/_sandbox/users/{user}/actions?wait=1"
    async with town.session.post(url, json={"type": kind, **more}) as answer:
        assert answer.status < 300, await answer.text()


async def post(town: Deployment, title: str, *more: str) -> int:
    words = (
        "--category",
        "saigai",
        "--title",
        title,
        "--body",
        "にげてください",
        "--urgent",
        "--json",
        *more,
    )
    return int((await town.json("notice", "post", *words, "--channel", "line", "--channel", "mail"))["id"])


async def test_a_leaked_key_is_exchanged_during_an_urgent_send(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    async with deployed(tmp_path, **settings) as town:
        line_url, inbox = await town.start_line(), await town.start_smtp()
        await town.registered_and_slow(line_url, LINE, MAIL, latency_ms=0)
        serving = await town.serve()
        others = [await town.start("worker")] if settings else []

        # LINE takes what comes and answers 500, then nothing more: what is under way must be asked again with the
        # same retry keys.
        await line_fails(town, line_url, "after")
        order = await post(town, "避難指示")
        await until(lambda: sent_some(town, line_url), "the order to be on its way")
        await line_fails(town, line_url, "before")
        for words in (("key", "add"), ("key", "retire", "1")):
            code, _, err = await town.run(*words)
            assert code == 0, err
        under_way = await town.json("notice", "show", str(order), "--json")
        assert under_way["channels"]["line"]["open"], "it was over before the keys were exchanged"
        async with town.session.delete(f"{line_url}/_sandbox/faults") as answer:
            assert answer.status < 300
        shown = await town.finished(order)
        assert set(read_roots(tmp_path / "secret.key")) == {2}
        await everybody_once(town, line_url, inbox, shown, notices=1)

        # Whoever leaves and comes back is known by the new key, and nobody is a second time.
        await act(town, line_url, line_id(1), "block")
        await act(town, line_url, line_id(1), "unblock")
        assert await registrations(town) == LINE + MAIL
        async with town.session.get(await first_link(town, inbox)) as answer:
            assert answer.status == 200 and "<form" in await answer.text()

        # The new key alone carries a new start.
        for process in (serving, *others):
            assert await process.end() == 0
        await town.serve()
        again = await town.finished(await post(town, "避難指示の解除"))
        await everybody_once(town, line_url, inbox, again, notices=2)
        code, out, err = await town.run("audit", "verify")
        assert code == 0, (out, err)


async def line_fails(town: Deployment, line_url: str, stage: str) -> None:
    """500 `before` or `after` LINE has accepted."""
    fault = {
        "target": "api",
        "stage": stage,
        "match": {"path": "*multicast"},
        "action": {"type": "status", "code": 500},
    }
    async with town.session.post(f"{line_url}/_sandbox/faults", json=fault) as answer:
        assert answer.status < 300, await answer.text()


async def sent_some(town: Deployment, line_url: str) -> bool:
    return bool((await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"])


async def everybody_once(
    town: Deployment, line_url: str, inbox: str, shown: dict[str, Any], notices: int
) -> None:
    assert [row["open"] for row in shown["channels"].values()] == [0, 0]
    assert shown["channels"]["line"]["accepted"] == LINE
    assert shown["channels"]["mail"]["accepted"] == MAIL
    alerts = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"]
    # Whoever unblocked is greeted besides.
    sent = [(alert["users"], alert["duplicated"]) for alert in alerts if alert["users"] > 1]
    assert sent == [(LINE, 0)] * notices
    mail = await town.get_json(f"{inbox}/api/stats")
    assert (mail["messages"], mail["duplicates"]) == (MAIL * notices, 0)


async def registrations(town: Deployment) -> int:
    code, out, err = await town.run("subscribers", "export")
    assert code == 0, err
    return len(out.splitlines()) - 1


async def first_link(town: Deployment, inbox: str) -> str:
    """The link to unsubscribe in a mail that went out before the exchange."""
    messages = await town.get_json(f"{inbox}/api/messages?to=m0@example.jp")
    found = re.search(r"https?://\S+?/unsubscribe/[^>\s\"]+", str(messages[0]))
    assert found is not None
    return found[0]

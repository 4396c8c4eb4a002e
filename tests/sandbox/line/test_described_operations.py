"""Every operation that LINE describes, asked with whatever its description allows and forbids: nothing stumbles, and what is
answered has the form that LINE describes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.line import SANDBOX_KEY, create_app
from tests.sandbox.line.line_town import GRANDMOTHER, PARENT, TOKEN, options

DESCRIPTIONS = Path(__file__).parents[4] / "shared" / "line-openapi"
# What tests of the bot side have; webhook.yml describes the bot's own server.
NAMES = sorted(path.stem for path in DESCRIPTIONS.glob("*.yml") if path.stem != "webhook")
# `KAIRANBAN_TEST_EXAMPLES=30` takes minutes.
EXAMPLES = int(os.environ.get("KAIRANBAN_TEST_EXAMPLES", "3"))
# What the town has, for half of the questions: a random name is only ever unknown.
KNOWN: dict[str, Any] = {"userId": PARENT, "chatId": PARENT}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NAMES, reason="LINE's descriptions are not at ../shared/line-openapi"),
]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The stand-in in a thread of its own: schemathesis waits for its answers."""
    ready, stop = threading.Event(), asyncio.Event()
    found: dict[str, Any] = {}

    async def serve() -> None:
        found["loop"] = asyncio.get_running_loop()
        app = create_app(options())
        town = app[SANDBOX_KEY]
        for number, user in enumerate((PARENT, GRANDMOTHER)):
            town.channel.users.add(user, f"佐藤 {number}", "ja", "friend", town.clock.now_ms())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found["origin"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield str(found["origin"])
    found["loop"].call_soon_threadsafe(stop.set)
    thread.join(60)


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_answers_in_lines_form_whatever_it_is_asked(origin: str, name: str) -> None:
    import schemathesis

    described = schemathesis.openapi.from_path(str(DESCRIPTIONS / f"{name}.yml"))
    for result in described.get_all_operations():
        ask(result.ok(), origin)


def ask(operation: Any, origin: str) -> None:
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import response_schema_conformance

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def examine(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):
            known = {key: value for key, value in KNOWN.items() if key in (case.path_parameters or {})}
            case.path_parameters = {**(case.path_parameters or {}), **known}
        answer = case.call(base_url=origin, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        assert answer.status_code < 500 or answer.status_code == 501, (operation.label, answer.text)
        assert answer.headers.get("x-line-request-id"), (operation.label, answer.status_code)
        if answer.status_code < 300:
            case.validate_response(answer, checks=[response_schema_conformance])

    examine()

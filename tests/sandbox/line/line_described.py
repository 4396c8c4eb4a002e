"""Requests by LINE's own OpenAPI files, made up by schemathesis, to a sandbox that runs beside the test."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings

from sandbox.line import SANDBOX_KEY, LineSandbox, create_app
from tests.sandbox.line.line_known import known_in
from tests.sandbox.line.line_town import TOKEN, options

# LINE's files beside the project's folder, or beside the one that this names.
FOLDER = Path(
    os.environ.get(
        "LINE_OPENAPI", Path(__file__).parents[4] / "shared" / "line-openapi" / "messaging-api.yml"
    )
).parent
# A hook of the bot is described there, no operation of LINE.
FILES = sorted(file.stem for file in FOLDER.glob("*.yml") if file.stem != "webhook")
NOT_HERE = 501
# `KAIRANBAN_TEST_EXAMPLES=30` takes minutes.
EXAMPLES = int(os.environ.get("KAIRANBAN_TEST_EXAMPLES", "4"))
# These need an assertion by JWT, or a picture of the right size.
NOT_BY_CHANCE = {
    "GET /oauth2/v2.1/tokens/kid",
    "POST /oauth2/v2.1/token",
    "POST /v2/bot/richmenu/{richMenuId}/content",
}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Served:
    """A sandbox in a thread of its own, as schemathesis waits for every answer."""

    def __init__(self) -> None:
        self.origin = ""
        self._loop = asyncio.new_event_loop()
        self._app = create_app(options())
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def sandbox(self) -> LineSandbox:
        return self._app[SANDBOX_KEY]

    def run(self, job: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(10)

    def start(self) -> None:
        self._thread.start()
        self.run(self._listen())

    def stop(self) -> None:
        self.run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"


@contextmanager
def served() -> Iterator[Served]:
    running = Served()
    running.start()
    try:
        yield running
    finally:
        running.stop()


def operations(file: str) -> list[Any]:
    import schemathesis

    described = schemathesis.openapi.from_path(FOLDER / f"{file}.yml")
    return [found.ok() for found in described.get_all_operations()]


def faults_of(operation: Any, running: Served) -> list[str]:
    """What is wrong with the answers to a dozen requests, right and wrong ones, of which one at least is accepted."""
    from schemathesis import GenerationMode

    faults: list[str] = []
    seen: set[int] = set()
    session = requests.Session()

    def ask(case: Any) -> None:
        answer = case.call(base_url=running.origin, session=session, headers=BEARER)
        seen.add(answer.status_code)
        if found := _fault(operation, answer):
            faults.append(f"{operation.label}: {found}\n{case.as_curl_command()[:600]}")

    known = running.run(known_in(running.sandbox))
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)

    def ask_twice(case: Any) -> None:
        ask(case)
        ask(_naming(case, known))

    _with(right, ask_twice)
    _with(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), ask)
    if not seen & {200, 202, NOT_HERE} and operation.label not in NOT_BY_CHANCE:
        faults.append(f"{operation.label}: never accepted, only answered {sorted(seen)}")
    return faults


def _with(strategy: Any, do: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(drawn: Any) -> None:
        do(drawn)

    each()


def _naming(case: Any, known: dict[str, dict[str, Any]]) -> Any:
    """The same request about people and things that are there."""
    for place in ("path_parameters", "query", "body"):
        fields = getattr(case, place)
        if isinstance(fields, dict):
            # LINE needs it where its file does not say so.
            fields = {"description": "", **fields} if place == "body" else fields
            named = {name: _as(value, known[place].get(name, value)) for name, value in fields.items()}
            setattr(case, place, {name: value for name, value in named.items() if value is not None})
    return case


def _as(drawn: Any, known: Any) -> Any:
    return known[0] if isinstance(known, list) and not isinstance(drawn, list) else known


def _fault(operation: Any, answer: Any) -> str:
    status = answer.status_code
    if status >= 500 and status != NOT_HERE:
        return f"answers {status}"
    if "x-line-request-id" not in answer.headers:
        return f"answers {status} without an x-line-request-id"
    if status < 300:
        return _shape_fault(operation, answer)
    told = answer.json()
    return "" if told.get("message") or told.get("error") else f"answers {status} and does not say why"


def _shape_fault(operation: Any, answer: Any) -> str:
    from schemathesis.core.failures import Failure, FailureGroup

    if str(answer.status_code) not in operation.responses.status_codes:
        return f"answers {answer.status_code}, which LINE does not describe"
    try:
        operation.validate_response(answer)
    except (Failure, FailureGroup) as failure:
        return f"answers {answer.text[:300]}: {failure}"
    return ""

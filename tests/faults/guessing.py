"""Strangers guess at the login: what they hear and how long it takes tells no name, and shuts nobody out."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from content.staff.throttle import TRIES
from tests.faults.hostile import MARK
from tests.journeys.deployment import PASSWORD, Deployment

KNOWN, UNKNOWN = "admin", "tokumei"
# Each is a visitor of its own to the throttle.
GUESSER_OF_KNOWN, GUESSER_OF_UNKNOWN, COLLEAGUE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
# The last ones are those of a guesser who has to wait.
GUESSES = TRIES + 3
# One takes so many times as long as the other at the most.
UNLIKE = 1.5
BUSY = 503
ENTERED = 303


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    words: str
    seconds: float


async def guess(town: Deployment, say: Any, slack: float) -> list[str]:
    """What did not hold, as sentences. `slack` are seconds by which times may differ besides."""
    known, unknown = [], []
    for _ in range(GUESSES):
        # In turn, so that whatever else the machine does hits both.
        known.append(await _try(town, GUESSER_OF_KNOWN, KNOWN, MARK))
        unknown.append(await _try(town, GUESSER_OF_UNKNOWN, UNKNOWN, MARK))
    failed = _alike(known, unknown, say, slack)
    tired = await _try(town, GUESSER_OF_KNOWN, KNOWN, PASSWORD)
    if tired.status == ENTERED:
        failed.append("guessing: who guessed wrong so often got in")
    if (await _try(town, COLLEAGUE, KNOWN, PASSWORD)).status != ENTERED:
        failed.append("guessing: a stranger's guesses shut a colleague out")
    return failed


def _alike(known: list[Answer], unknown: list[Answer], say: Any, slack: float) -> list[str]:
    failed = []
    if [(one.status, one.words) for one in known] != [(one.status, one.words) for one in unknown]:
        failed.append("guessing: answers to a known and to an unknown name differ")
    # Those who have to wait are told by another time than the others, if at all: each with its like.
    for what, part in (("wrong", slice(TRIES)), ("waiting", slice(TRIES, None))):
        first, second = (
            statistics.median(one.seconds for one in answers[part]) for answers in (known, unknown)
        )
        say(f"guessing, {what:9} {1000 * first:6.0f} ms for a known name, {1000 * second:.0f} for an unknown")
        if max(first, second) > UNLIKE * min(first, second) + slack:
            failed.append(f"guessing: {first:.3f} s for a known name, {second:.3f} for an unknown")
    return failed


async def _try(town: Deployment, address: str, login: str, password: str) -> Answer:
    connector = TCPConnector(local_addr=(address, 0), force_close=True)
    async with ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=60)
    ) as stranger:
        while True:
            begun = time.monotonic()
            async with stranger.post(
                f"{town.web_url}/console/login",
                data={"login": login, "password": password},
                headers={"Origin": town.web_url},
                allow_redirects=False,
            ) as answer:
                words = await answer.text()
            if answer.status != BUSY:
                return Answer(answer.status, _without(login, words), time.monotonic() - begun)


def _without(login: str, words: str) -> str:
    """The page without what was typed and what is new in each page."""
    return re.sub(r'value="[^"]*"', "", words.replace(login, ""))

"""kairanban selftest: begin the silent self-test (自己点検) now, and wait for its proof."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import typer

from bot.commands.common import (
    FAILED,
    NOBODY,
    OK,
    TIMED_OUT,
    fail,
    load_settings,
    opened,
    operator,
    print_json,
    run,
    talk,
)
from bot.service import Service
from channels.reasons import find_reason
from content.clock import SECOND, iso
from content.ledger import self_tests
from content.ledger.self_tests import SelfTest
from scheduler import self_test
from scheduler.self_test import NO_SEEDS, SelfTestRefused

ASK_EVERY = 0.5


def selftest(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the proof.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.")] = 1200.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Begin the silent self-test to the seed addresses of staff; with --wait 0: passed, 1: failed, 4: no addresses."""
    raise typer.Exit(run(_selftest(wait, timeout, json)))


async def _selftest(wait: bool, timeout: float, as_json: bool) -> int:
    async with opened(load_settings()) as service:
        try:
            number = await self_test.begin(service.context, by=operator())
        except SelfTestRefused as refused:
            fail(str(refused), NOBODY if str(refused) == NO_SEEDS else FAILED)
        assert number is not None
        talk.print(f"自己点検 第{number}号を始めました。", highlight=False)
        found = await _ended(service, number, timeout if wait else 0.0)
        if as_json:
            print_json(_as_json(found))
        else:
            _tell(found)
    if not wait:
        return OK
    if found.passed is None:
        talk.print("待ち時間を過ぎました。`kairanban serve` が動いているか確かめてください。", style="yellow")
        return TIMED_OUT
    return OK if found.passed else FAILED


async def _ended(service: Service, number: int, timeout: float) -> SelfTest:
    """As it is when it has ended or the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        await self_test.end_finished(service.context)
        async with service.database.read() as connection:
            found = await self_tests.get(connection, number)
        assert found is not None
        if found.ended_at is not None or time.monotonic() >= deadline:
            return found
        await asyncio.sleep(ASK_EVERY)


def _tell(found: SelfTest) -> None:
    word = {None: "点検中", True: "合格", False: "不合格"}[found.passed]
    typer.echo(f"自己点検 第{found.id}号: {word}")
    for item in found.accounts if found.ended_at is not None else ():
        why = f" {find_reason(item.reason).what}" if item.reason else ""
        took = "" if item.milliseconds is None else f" {item.milliseconds / SECOND:.1f}秒"
        typer.echo(f"{item.account}: 宛先{item.expected}件のうち受付{item.accepted}件{took}{why}")


def _as_json(found: SelfTest) -> dict[str, Any]:
    return {
        "id": found.id,
        "begun_at": iso(found.begun_at),
        "begun_by": found.begun_by,
        "ended_at": iso(found.ended_at),
        "passed": found.passed,
        "accounts": {
            item.account: {
                "expected": item.expected,
                "planned": item.planned,
                "accepted": item.accepted,
                "refused": item.refused,
                "unknown": item.unknown,
                "reason": item.reason or None,
                "seconds": None if item.milliseconds is None else item.milliseconds / SECOND,
            }
            for item in found.accounts
        },
    }

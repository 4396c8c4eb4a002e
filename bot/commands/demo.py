"""demo: the whole service with stand-ins and a seeded town; `--once` plays the story and judges it."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import FAILED, fail, print_json, run, talk
from bot.logs import configure_logging

if TYPE_CHECKING:
    from bot.demo.stage import Stage


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the three stories, print them, end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --once: print JSON.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Keep the data in this empty folder; default: a temporary one.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65532, help="Port of the pages (default 8080); the stand-ins take the next three."
        ),
    ] = None,
) -> None:
    """The whole service on this machine; nothing leaves it."""
    configure_logging("console", logging.WARNING if once else logging.INFO)
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        if any(data.iterdir()):
            fail(f"--data: {data} is not empty; choose a new folder.", FAILED)
        run(_demo(data, once, json, port))
        return
    with tempfile.TemporaryDirectory(prefix="kairanban-demo-") as folder:
        run(_demo(Path(folder), once, json, port))


async def _demo(folder: Path, once: bool, as_json: bool, port: int | None) -> None:
    from bot.demo.stage import DEMO_PORTS, Ports, PortTaken, staged

    ports = Ports.from_first(port) if port else Ports() if once else DEMO_PORTS
    try:
        async with staged(folder, ports, talk.print) as stage:
            if once:
                await _play(stage, as_json)
            else:
                await _show(stage)
    except PortTaken as error:
        fail(f"{error}; stop what uses it, or choose others with --port.", FAILED)


async def _play(stage: Stage, as_json: bool) -> None:
    from bot.demo.story import play

    steps = await play(stage)
    held = all(step.held for step in steps)
    if as_json:
        print_json({"held": held, "steps": [asdict(step) for step in steps]})
    else:
        for step in steps:
            talk.print(f"{'✔' if step.held else '✘'} {step.name}", style="green" if step.held else "bold red")
            for name, value in step.figures.items():
                talk.print(f"    {name}: {value}", highlight=False, markup=False)
    if not held:
        raise typer.Exit(FAILED)


async def _show(stage: Stage) -> None:
    from bot.demo.stage import STAFF
    from bot.server import wait_for_signal

    lines = [
        "",
        "回覧板 demo(外部には何も送りません)  Ctrl+C で終了",
        f"  職員の画面            {stage.web_url}/console/",
        f"  住民のスマートフォン  {stage.line_url}/_sandbox/phones",
        f"  住民のメール受信箱    {stage.inbox_url}/",
        f"  Webhookの受信         {stage.hooks_url}/",
        *(
            f"  ログイン {login:<8} パスワード {password:<18} {meaning}"
            for login, password, _, meaning in STAFF
        ),
    ]
    # Addresses are to be copied: never wrapped, never shortened.
    talk.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)
    await wait_for_signal()

"""Bots written with LINE's own SDKs, as processes of their own: neither can tell the stand-in from LINE."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests import picture_files as files
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, SECRET, TOKEN, Town

ECHO = Path(__file__).parent / "echo"
# Beside the virtual environment, which is nobody's to commit.
NODE_PARTS = Path(sys.prefix) / "echo-bot"
OLDEST_NODE = 20

pytestmark = [pytest.mark.slow]


def python_bot() -> list[str]:
    return [sys.executable, str(ECHO / "bot.py")]


@cache
def node_bot() -> list[str]:
    """Skips where there is no Node, or no registry to take the SDK from."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"LINE's SDK needs Node {OLDEST_NODE}; this is {version.strip()}")
    NODE_PARTS.mkdir(exist_ok=True)
    # Other workers want the same: one installs, the others find it.
    with (NODE_PARTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm)
    return [node, str(NODE_PARTS / "bot.mjs")]


def _install(npm: str) -> None:
    done = NODE_PARTS / "installed"
    wanted = (ECHO / "package-lock.json").read_text()
    if not done.is_file() or done.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(ECHO / name, NODE_PARTS / name)
        words = ["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run([npm, *words], cwd=NODE_PARTS, capture_output=True, text=True)
        if ran.returncode:
            pytest.skip(f"npm could not take LINE's SDK: {ran.stderr.strip().splitlines()[-1:]}")
        done.write_text(wanted)
    shutil.copyfile(ECHO / "bot.mjs", NODE_PARTS / "bot.mjs")


class EchoBot:
    def __init__(self, town: Town, port: int) -> None:
        self.town = town
        self.url = f"http://127.0.0.1:{port}"

    async def do(self, what: str, **more: Any) -> Any:
        async with self.town.session.post(f"{self.url}/do", json={"what": what, **more}) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body


@asynccontextmanager
async def started(town: Town, command: list[str], picture: Path) -> AsyncIterator[EchoBot]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "LINE_ORIGIN": town.origin,
            "CHANNEL_SECRET": SECRET,
            "CHANNEL_TOKEN": TOKEN,
            "PICTURE": str(picture),
        },
    )
    try:
        assert process.stdout is not None
        port = await asyncio.wait_for(process.stdout.readline(), 60)
        yield EchoBot(town, int(port))
    finally:
        process.kill()
        await process.wait()


@pytest_asyncio.fixture(params=[python_bot, node_bot])
async def echo(request: pytest.FixtureRequest, town: Town, tmp_path: Path) -> AsyncIterator[EchoBot]:
    picture = tmp_path / "menu.png"
    picture.write_bytes(files.png((800, 270)))
    async with started(town, request.param(), picture) as bot:
        town.channel.webhook.url = f"{bot.url}/callback"
        yield bot


def answers(town: Town, user_id: str) -> list[str]:
    """What the bot has said in the chat with one person."""
    history = town.channel.users.by_id[user_id].history or []
    return [entry["object"]["text"] for entry in history if entry["from"] == "bot"]


async def test_the_same_conversation_as_on_line(town: Town, echo: EchoBot) -> None:
    await town.act(NEWCOMER, "follow")
    assert town.words(NEWCOMER) == ["ようこそ Maria Silva"]

    await town.act(PARENT, "text", text="避難所はどこですか")
    quoted = town.chat(PARENT)[-1]
    assert quoted["text"] == "避難所はどこですか"
    assert quoted["quoteToken"]
    await town.act(PARENT, "postback", data="menu=1")
    await town.act(PARENT, "sticker", packageId="446", stickerId="1988")
    picture = files.png((64, 48))
    await town.act(PARENT, "image", content=base64.b64encode(picture).decode())
    assert answers(town, PARENT)[-3:] == ["menu=1", "446/1988", f"{len(picture)} bytes"]
    assert town.chat(GRANDMOTHER) == []

    status, made = await town.send(
        "POST", "chats?wait=1", {"kind": "group", "name": "船岡3区", "members": [PARENT, GRANDMOTHER]}
    )
    assert status == 201
    await town.send(
        "POST", f"chats/{made['chatId']}/actions?wait=1", {"type": "text", "userId": PARENT, "text": "集合"}
    )
    (chat,) = (await town.get("chats"))["chats"]
    said = [entry["object"].get("text") for entry in chat["history"] if entry["from"] == "bot"]
    assert said == ["船岡3区のみなさん", "集合"]
    assert len(answers(town, PARENT)) == 4


async def test_what_a_bot_asks_for_is_answered_as_line_answers(town: Town, echo: EchoBot) -> None:
    first, second = await echo.do("pushTwice", to=PARENT)
    assert (first["status"], second["status"]) == (200, 409)
    assert first["requestId"] and second["acceptedRequestId"] == first["requestId"]
    assert town.words(PARENT) == ["一度だけ"]

    assert [item["status"] for item in await echo.do("multicast", to=[PARENT, GRANDMOTHER])] == [200]
    assert [item["status"] for item in await echo.do("broadcast")] == [200]
    assert town.words(GRANDMOTHER) == ["みなさんへ", "全員へ"]
    assert [item["status"] for item in await echo.do("validate")] == [200]
    assert sorted(await echo.do("followers")) == sorted([PARENT, GRANDMOTHER])
    assert await echo.do("menu", to=PARENT) is True


async def test_an_error_comes_as_the_error_of_the_sdk(town: Town, echo: EchoBot) -> None:
    (refused,) = await echo.do("refused", to=PARENT)
    assert refused["status"] == 400
    assert refused["body"]["message"] == "The request body has 1 error(s)"
    assert refused["body"]["details"] == [{"message": "May not be empty", "property": "messages[0].text"}]


async def test_the_sdk_refuses_a_webhook_with_a_wrong_signature(town: Town, echo: EchoBot) -> None:
    body = json.dumps({"destination": "U" + "0" * 32, "events": []}).encode()
    async with town.session.post(
        f"{echo.url}/callback", data=body, headers={"X-Line-Signature": "x" * 44}
    ) as answer:
        assert answer.status == 401
    status, result = await town.send("POST", "webhook-test", {})
    assert status in (200, 404), result

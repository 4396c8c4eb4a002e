"""A town that posts to ten accounts, and what stands there after its service was killed in the middle.

`python -m tests.faults.post_kills --rounds 50` is the long run; it prints its seed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from sandbox.sns.app import create_app
from sandbox.sns.state import SnsSandbox
from tests.factories import SHIBATA
from tests.journeys.deployment import Deployment, deployed

# Account key → service. Of the last four nobody can ask what became of a post.
ACCOUNTS = {
    "masto": "mastodon",
    "masto2": "mastodon",
    "sky": "bluesky",
    "xx": "x",
    "fb": "facebook",
    "th": "threads",
    "slack": "slack",
    "slack2": "slack",
    "discord": "discord",
    "teams": "teams",
}
CANNOT_TELL = {"slack", "discord", "teams"}
# Seconds of every call, so that a kill meets the middle.
LATENCY = 0.25
LONGEST = 2.0


def account_settings(key: str, service: str, origin: str) -> dict[str, str]:
    """Every setting that any service wants; the others are passed over. The token names the account there."""
    urls = {
        "slack": f"{origin}/slack/services/{key}",
        "discord": f"{origin}/discord/api/webhooks/1/{key}",
        "teams": f"{origin}/teams/workflows/{key}",
    }
    known = {"token": key, "user": "100", "app_key": "a", "app_secret": "b", "token_secret": "c"}
    if service in urls:
        return {"url": urls[service]}
    return {**known, "api_base": f"{origin}/{service}"}


@asynccontextmanager
async def posting_town(
    folder: Path, *, readers: bool = False
) -> AsyncIterator[tuple[Deployment, SnsSandbox]]:
    """A town with ten accounts that post, and with `readers` also LINE and mail."""
    sandbox = SnsSandbox()
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(sandbox), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        profile = SHIBATA.read_text(encoding="utf-8")
        head, _, rest = profile.partition("[[accounts]]")
        rest = rest[rest.index("[[categories]]") :]
        own = {"line": "line", "mail": "mail"} if readers else {}
        accounts = "".join(
            f'[[accounts]]\nkey = "{key}"\nchannel = "{name}"\n\n'
            for key, name in {**own, **ACCOUNTS}.items()
        )
        town_file = folder / "town.toml"
        town_file.write_text(head + accounts + rest, encoding="utf-8")
        known = {key: account_settings(key, service, origin) for key, service in ACCOUNTS.items()}
        town = await stack.enter_async_context(
            deployed(folder, KAIRANBAN_TOWN=str(town_file), KAIRANBAN_ACCOUNTS=json.dumps(known))
        )
        yield town, sandbox


async def post(town: Deployment, title: str, *channels: str) -> int:
    chosen = [word for channel in channels for word in ("--channel", channel)]
    posted = await town.json(
        *("notice", "post", "--category", "saigai", "--title", title, "--body", "高い所へ避難してください。"),
        *("--urgent", "--json", "--accept", "repeated", *chosen),
    )
    return int(posted["id"])


async def kill_round(town: Deployment, sandbox: SnsSandbox, number: int, wait: float) -> list[str]:
    """What does not hold, as sentences; the service runs before and after."""
    title = f"避難指示 {number}番"
    serve = next(process for process in reversed(town.processes) if process.running)
    notice_id = await post(town, title, *dict.fromkeys(ACCOUNTS.values()))
    await asyncio.sleep(wait)
    await serve.end(signal.SIGKILL)
    await town.serve()
    shown = await town.finished(notice_id)
    wrong = []
    for key, service in ACCOUNTS.items():
        times = sum(
            title in item.first_text
            for item in sandbox.posts
            if (item.service, item.account) == (service, key)
        )
        if service not in CANNOT_TELL and times != 1:
            wrong.append(f"{key} shows it {times} times")
        if service in CANNOT_TELL and times > 1:
            wrong.append(f"{key} shows it {times} times")
    for service in CANNOT_TELL:
        figures = shown["channels"][service]
        mine = [key for key, name in ACCOUNTS.items() if name == service]
        there = sum(title in item.first_text for item in sandbox.posts if item.service == service)
        if figures["accepted"] + figures["unknown"] != len(mine) or figures["accepted"] > there:
            wrong.append(
                f"{service}: {figures['accepted']} accepted, {figures['unknown']} unknown, {there} there"
            )
    return wrong


async def play(folder: Path, rounds: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    async with posting_town(folder) as (town, sandbox):
        await town.init()
        await town.serve()
        sandbox.latency = LATENCY
        wrong = []
        for number in range(1, rounds + 1):
            found = await kill_round(town, sandbox, number, chance.uniform(0, LONGEST))
            wrong += [f"round {number}: {words}" for words in found]
    return wrong


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = options.parse_args()
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory(prefix="posts-") as folder:
        wrong = asyncio.run(play(Path(folder), chosen.rounds, chosen.seed))
    print(
        "\n".join(wrong) or f"{chosen.rounds} rounds: none twice where the service can tell, the others told."
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

"""The rush of answers right after an alert."""

from __future__ import annotations

from sandbox.line.events import build
from sandbox.line.faults import FaultRule
from sandbox.line.state import Channel, LineSandbox


def start_burst(sandbox: LineSandbox, channel: Channel, rule: FaultRule) -> None:
    """Let `n` postbacks of random friends arrive, `rps` a second (action `burst`)."""
    rule.hits += 1
    sandbox.spawn(_burst(sandbox, channel, rule))


async def _burst(sandbox: LineSandbox, channel: Channel, rule: FaultRule) -> None:
    number, rate = int(rule.action.get("n", 100)), float(rule.action.get("rps", 200))
    data = str(rule.action.get("data", "sandbox|burst"))
    friends = [user for user in channel.users.all if user.state == "friend"]
    for _ in range(number if friends else 0):
        user = sandbox.faults.random.choice(friends)
        event = build(sandbox, channel, user, "postback", answerable=True, postback={"data": data})
        channel.dispatcher.emit(event)
        await sandbox.clock.sleep(1 / rate)

"""Named troubles: combinations of faults and knobs that a drill or a test starts by one call."""

from __future__ import annotations

from typing import Any

from sandbox.line.errors import Json
from sandbox.line.state import Channel, LineSandbox

_SENDS = {"method": "POST", "path": "/v2/bot/message/*cast"}

SCENARIOS: dict[str, tuple[Json, ...]] = {
    "timeout-but-accepted": ({"action": "hang", "stage": "after", "match": _SENDS, "times": 1},),
    "flaky-500-10pct": (
        {"action": "status", "stage": "before", "match": {**_SENDS, "probability": 0.05}},
        {"action": "status", "stage": "after", "match": {**_SENDS, "probability": 0.05}},
    ),
    "quota-runs-out-midway": (),
    "rate-limited": (),
    "token-expires-midway": ({"action": "tokenRevoke", "match": {**_SENDS, "nth": 3}},),
    "platform-outage-5min": (
        {"action": {"type": "outage", "seconds": 300}, "match": {"path": "/v2/bot/message/*"}, "times": 1},
    ),
    "duplicate-and-late-webhooks": (
        {"target": "webhook", "action": {"type": "duplicate", "n": 1, "gapMs": 500}},
        {"target": "webhook", "action": {"type": "reorder", "windowMs": 3000}},
    ),
    "mass-block-during-send": (
        {"action": {"type": "massBlock", "ratio": 0.1}, "match": {**_SENDS, "nth": 2}, "times": 1},
    ),
    "slow-network": ({"action": {"type": "latency", "ms": 800, "jitterMs": 400}},),
}


def start_scenario(sandbox: LineSandbox, channel: Channel, name: str) -> dict[str, Any]:
    """Start one of SCENARIOS; answers what was set. Ends with the faults (`DELETE /_sandbox/faults`)."""
    rules = [sandbox.faults.add(dict(fault)) for fault in SCENARIOS[name]]
    result: Json = {"faults": [rule.rule_id for rule in rules]}
    if name == "rate-limited":
        result["config"] = {"rate.scale": 0.01}
        before = sandbox.config["rate.scale"]
        sandbox.undo.append(lambda: sandbox.config.change({"rate.scale": before}))
        sandbox.config.change(result["config"])
    if name == "quota-runs-out-midway":
        friends = channel.users.states()["friend"]
        used = channel.quota.used(sandbox.clock.now_ms())
        result["plan"] = {"type": "limited", "value": used + friends // 2}
        quota, limit, name_before = channel.quota, channel.quota.limit, channel.quota.plan_name
        sandbox.undo.append(lambda: quota.restore(limit, name_before))
        channel.quota.change_plan(result["plan"])
    return result

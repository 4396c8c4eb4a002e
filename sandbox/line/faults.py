"""Faults on demand: rules that make the API or the webhooks misbehave."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

ANSWER_MANGLERS = ("truncate", "badJson", "wrongContentType", "emptyBody", "dropHeader", "slowBody")
API_ACTIONS = (
    "latency",
    "status",
    "hang",
    "reset",
    *ANSWER_MANGLERS,
    "rateBurst",
    "tokenRevoke",
    "outage",
    "massBlock",
)
EVENT_ACTIONS = (
    "duplicate",
    "redeliver",
    "delay",
    "reorder",
    "drop",
    "unknownEvent",
    "missingField",
    "standby",
)
# These bend the POST that carries the events rather than one event.
POST_ACTIONS = ("badSignature", "noSignature", "wrongSecret", "batch")
WEBHOOK_ACTIONS = (*EVENT_ACTIONS, *POST_ACTIONS, "burst")
TARGETS = {"api": API_ACTIONS, "webhook": WEBHOOK_ACTIONS}
MATCH_FIELDS = (
    "method",
    "path",
    "channel",
    "userId",
    "retryKeySeen",
    "event",
    "nth",
    "every",
    "probability",
)
# What the numbers of a rule may be; times are ms unless the name says otherwise.
NUMBERS: dict[str, tuple[float, float]] = {
    "code": (400, 599),
    "ms": (0, 600_000),
    "jitterMs": (0, 600_000),
    "gapMs": (0, 3_600_000),
    "windowMs": (0, 3_600_000),
    "lingerMs": (0, 60_000),
    "seconds": (0, 86_400),
    "n": (1, 1_000_000),
    "rps": (0.01, 1_000_000),
    "bytesPerSecond": (1, 1_000_000),
    "ratio": (0, 1),
    "nth": (1, 1_000_000_000),
    "every": (1, 1_000_000_000),
    "probability": (0, 1),
}
# These make no sense before the answer, or the batch of events, is known.
_AFTER_BY_NATURE = (*ANSWER_MANGLERS, *POST_ACTIONS, "massBlock")


@dataclass(slots=True)
class FaultRule:
    """One fault. `action` is `{"type": …, parameters}`; `times` None means without end."""

    rule_id: str
    target: str
    stage: str
    action: dict[str, Any]
    match: dict[str, Any] = field(default_factory=dict)
    times: int | None = None
    seen: int = 0
    hits: int = 0

    def public(self) -> dict[str, Any]:
        """The rule with its counts: `seen` matching calls, `hits` times it struck."""
        return {
            "id": self.rule_id,
            "target": self.target,
            "stage": self.stage,
            "action": self.action,
            "match": self.match,
            "times": self.times,
            "seen": self.seen,
            "hits": self.hits,
        }


class FaultBook:
    """All rules of a sandbox, in the order in which they were added."""

    def __init__(self, seed: int) -> None:
        self.rules: dict[str, FaultRule] = {}
        self.random = random.Random(seed + 1)  # noqa: S311 - repeatable on purpose
        self._count = 0

    def add(self, wanted: dict[str, Any]) -> FaultRule:
        """Add a rule from the body of `POST /_sandbox/faults`. Raises ValueError saying what is wrong."""
        target = wanted.get("target", "api")
        action = _action_of(wanted.get("action"))
        match = wanted.get("match") or {}
        if target not in TARGETS:
            raise ValueError("target must be api or webhook")
        if action["type"] not in TARGETS[target]:
            raise ValueError(f"action of {target} must be one of {', '.join(TARGETS[target])}")
        _check_numbers({**match, **action})
        if unknown := set(match) - set(MATCH_FIELDS):
            raise ValueError(f"unknown match field: {', '.join(sorted(unknown))}")
        self._count += 1
        rule = FaultRule(
            f"fault-{self._count}", target, _stage_of(wanted, action), action, match, _times_of(wanted)
        )
        self.rules[rule.rule_id] = rule
        return rule

    def remove(self, rule_id: str | None = None) -> bool:
        """Remove one rule, or all without an id. False when there is no such rule."""
        if rule_id is None:
            self.rules.clear()
            return True
        return self.rules.pop(rule_id, None) is not None

    def take(
        self, target: str, stage: str, applies: Callable[[dict[str, Any]], bool]
    ) -> list[dict[str, Any]]:
        """The actions that strike now. `applies` decides about the fields that describe the call."""
        struck = []
        for rule in list(self.rules.values()):
            if rule.target == target and rule.stage == stage and applies(rule.match) and self._strikes(rule):
                rule.hits += 1
                struck.append(rule.action)
        return struck

    def _strikes(self, rule: FaultRule) -> bool:
        rule.seen += 1
        if rule.times is not None and rule.hits >= rule.times:
            return False
        match = rule.match
        if "nth" in match and rule.seen != match["nth"]:
            return False
        if "every" in match and rule.seen % match["every"]:
            return False
        return "probability" not in match or self.random.random() < match["probability"]


def path_matches(match: dict[str, Any], path: str) -> bool:
    """Whether the rule's path pattern (with `*`) covers this path."""
    return fnmatchcase(path, str(match.get("path", "*")))


def _action_of(action: Any) -> dict[str, Any]:
    if isinstance(action, str):
        return {"type": action}
    if isinstance(action, dict) and isinstance(action.get("type"), str):
        return dict(action)
    raise ValueError('action is a name or {"type": name, …}')


def _check_numbers(fields: dict[str, Any]) -> None:
    for name, (least, most) in NUMBERS.items():
        value = fields.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"{name} must be a number from {least} to {most}")


def _stage_of(wanted: dict[str, Any], action: dict[str, Any]) -> str:
    accepted = action["type"] == "reset" and action.get("when") in ("body", "afterAccept")
    default = "after" if accepted or action["type"] in _AFTER_BY_NATURE else "before"
    stage = wanted.get("stage", default)
    if stage not in ("before", "after"):
        raise ValueError("stage must be before or after")
    return default if default == "after" else str(stage)


def _times_of(wanted: dict[str, Any]) -> int | None:
    times = wanted.get("times")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times must be a whole number from 1")
    return times

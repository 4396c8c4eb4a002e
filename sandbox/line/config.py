"""The knobs of a sandbox: behaviour where LINE is silent, contradictory or can't be waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.line.options import LEDGERS


@dataclass(frozen=True, slots=True)
class Knob:
    """A default and the test that a new value has to pass."""

    default: Any
    allows: Callable[[Any], bool]
    meaning: str


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: value in values


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _optional_number(value: Any) -> bool:
    return value is None or _number(value)


def _positive_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _optional_positive_int(value: Any) -> bool:
    return value is None or _positive_int(value)


def _numbers_by_route(value: Any) -> bool:
    return isinstance(value, dict) and all(_number(number) for number in value.values())


def _number_list(value: Any) -> bool:
    return isinstance(value, list) and all(_number(number) for number in value)


KNOBS: dict[str, Knob] = {
    "ledger": Knob("full", _one_of(*LEDGERS), "how much is kept of each delivery"),
    "multicast.unknownId": Knob("silent", _one_of("silent", "reject400"), "ids unknown to the channel"),
    "multicast.duplicates": Knob("once", _one_of("once", "each", "reject400"), "an id twice in one `to`"),
    "retryKey.mismatch": Knob("409", _one_of("409", "accept", "400"), "a known key with another body"),
    "rate.off": Knob(False, _flag, "no rate limits"),
    "rate.scale": Knob(1.0, _number, "multiplies every rate and capacity"),
    "rate.capacity": Knob({}, _numbers_by_route, 'bucket sizes by "METHOD /path/template"'),
    "rate.retryAfter": Knob(None, _optional_number, "seconds in a Retry-After header on a rate 429"),
    "quota.lagSeconds": Knob(0, _number, "how late `consumption` is"),
    "narrowcast.stepSeconds": Knob(1, _number, "waiting and sending take this long each"),
    "menu.bulkDelay": Knob(2, _number, "seconds until a bulk link or unlink takes effect"),
    "webhook.batch": Knob(None, _optional_positive_int, "events per POST at most; null: 1-5 by seed"),
    "webhook.concurrency": Knob(1, _positive_int, "POSTs in flight per channel"),
    "webhook.intervals": Knob([10, 60, 300], _number_list, "seconds before each redelivery"),
    "webhook.headerCase": Knob("lower", _one_of("lower", "title", "upper"), "case of header names"),
}


class Config:
    """Current values of the knobs."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {name: knob.default for name, knob in KNOBS.items()}

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def change(self, changes: dict[str, Any]) -> None:
        """Set several knobs, all or none. Raises ValueError naming the unknown or unfit one."""
        for name, value in changes.items():
            if name not in KNOBS:
                raise ValueError(f"unknown knob: {name}")
            if not KNOBS[name].allows(value):
                raise ValueError(f"value not allowed for {name} ({KNOBS[name].meaning})")
        self.values.update(changes)

"""The demo's register: invented registrations of 柴田町 and their history, the same at every start.

Three fiscal years (2020–2022) lead to 2,800 LINE and 1,200 mail registrations. In spring 2022 about
1,000 guardians leave LINE for a nursery's own app, as the annotation of the indicator says.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from content.clock import JST, fiscal_months, from_datetime, month_end
from content.register.registration import Registration
from content.register.subscribers import Preferences
from content.town import Town

MAIL_DOMAINS = ("example.jp", "example.com", "example.net", "example.org")
# Joined per month, April to March, for each fiscal year; then who leaves.
LINE_JOINED = {
    2020: (420, 260, 210, 190, 160, 190, 150, 130, 110, 100, 130, 120),
    2021: (180, 140, 120, 110, 95, 100, 85, 80, 70, 65, 75, 80),
    2022: (120, 90, 75, 62, 60, 55, 48, 44, 36, 32, 36, 45),
}
LINE_BLOCKED = {
    2020: (0, 4, 5, 6, 7, 8, 8, 7, 6, 6, 7, 6),
    2021: (9, 9, 8, 8, 9, 10, 9, 8, 8, 8, 9, 9),
    2022: (8, 9, 9, 8, 8, 9, 8, 7, 7, 7, 7, 9),
}
GUARDIANS_LEAVE = {(2022, 4): 620, (2022, 5): 270, (2022, 6): 110}
MAIL_JOINED = {
    2020: (300, 160, 110, 90, 70, 80, 60, 50, 40, 40, 40, 40),
    2021: (30, 20, 15, 15, 12, 15, 10, 10, 8, 8, 8, 9),
    2022: (20, 15, 10, 10, 8, 10, 8, 8, 6, 5, 5, 5),
}
LINE_TARGET, MAIL_TARGET = 2800, 1200


@dataclass(frozen=True, slots=True)
class Persona:
    """A resident to play on the phone page; not registered yet."""

    user_id: str
    name: str
    language: str


PERSONAS = (
    Persona("U" + hashlib.sha256(b"demo persona sato").hexdigest()[:32], "佐藤さん(78歳・船岡)", "ja"),
    Persona("U" + hashlib.sha256(b"demo persona abe").hexdigest()[:32], "阿部さん(0歳児の親・槻木)", "ja"),
    Persona("U" + hashlib.sha256(b"demo persona maria").hexdigest()[:32], "Maria (newcomer)", "en"),
)


def line_registrations(town: Town) -> list[Registration]:
    """Active and departed LINE registrations in order of joining; exactly LINE_TARGET are active."""
    chance = random.Random("kairanban demo line")  # noqa: S311 - the same town at every start
    joined = _moments(chance, LINE_JOINED)
    departures = _departures(chance, joined)
    return [
        Registration(
            "line",
            _account(town, "line"),
            line_user_id(number),
            _preferences(chance, town, guardian=departures.get(number, (0, ""))[1] == "moved_to_app"),
            registered_at=at,
            left_at=departures[number][0] if number in departures else None,
            left_reason=departures[number][1] if number in departures else "blocked",
        )
        for number, at in enumerate(joined)
    ]


def mail_registrations(town: Town) -> list[Registration]:
    """MAIL_TARGET active mail registrations in order of joining."""
    chance = random.Random("kairanban demo mail")  # noqa: S311
    joined = _moments(chance, MAIL_JOINED)[-MAIL_TARGET:]
    return [
        Registration(
            "mail",
            _account(town, "mail"),
            f"resident{number:04d}@{MAIL_DOMAINS[number % len(MAIL_DOMAINS)]}",
            _preferences(chance, town),
            registered_at=at,
        )
        for number, at in enumerate(joined)
    ]


def webhook_registration(town: Town, address: str) -> Registration:
    everything = frozenset(town.category)
    at = from_datetime(datetime(2020, 4, 1, 9, 0, tzinfo=JST))
    return Registration("webhook", _account(town, "webhook"), address, Preferences(everything), at)


def line_user_id(number: int) -> str:
    return "U" + hashlib.sha256(f"demo line {number}".encode()).hexdigest()[:32]


def refused_mail_addresses(town: Town) -> list[str]:
    """A dozen addresses that no longer exist at their provider, to show refusals."""
    return [item.address for item in mail_registrations(town)[100::100]]


def _account(town: Town, channel: str) -> str:
    account = town.live_account(channel)
    if account is None:
        raise ValueError(f"the demo needs a live account for {channel} in the town profile")
    return account.key


def _moments(chance: random.Random, plan: Mapping[int, tuple[int, ...]]) -> list[int]:
    moments = [
        _moment(chance, year, month)
        for fiscal, numbers in plan.items()
        for (year, month), number in zip(fiscal_months(fiscal), numbers, strict=True)
        for _ in range(number)
    ]
    return sorted(moments)


def _moment(chance: random.Random, year: int, month: int) -> int:
    day = date(year, month, chance.randint(1, month_end(year, month).day))
    seconds = chance.randint(7 * 3600, 22 * 3600)
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=JST) + timedelta(seconds=seconds))


def _departures(chance: random.Random, joined: list[int]) -> dict[int, tuple[int, str]]:
    """number → (when, why). The last departures are adjusted so that LINE_TARGET stay."""
    waiting = list(range(len(joined)))
    departures: dict[int, tuple[int, str]] = {}
    for at, reason in _leaving_moments(chance):
        present = [number for number in waiting if joined[number] < at]
        number = chance.choice(present)
        waiting.remove(number)
        departures[number] = (at, reason)
    last_day = from_datetime(datetime(2023, 3, 20, 12, 0, tzinfo=JST))
    while len(waiting) > LINE_TARGET:
        number = waiting.pop(chance.randrange(len(waiting) // 2))
        departures[number] = (last_day + number, "blocked")
    if len(waiting) < LINE_TARGET:
        raise ValueError("the demo's history leads to too few registrations")
    return departures


def _leaving_moments(chance: random.Random) -> Iterator[tuple[int, str]]:
    leaving = [
        (_moment(chance, year, month), "blocked")
        for fiscal, numbers in LINE_BLOCKED.items()
        for (year, month), number in zip(fiscal_months(fiscal), numbers, strict=True)
        for _ in range(number)
    ]
    leaving += [
        (_moment(chance, year, month), "moved_to_app")
        for (year, month), number in GUARDIANS_LEAVE.items()
        for _ in range(number)
    ]
    return iter(sorted(leaving))


def _preferences(chance: random.Random, town: Town, guardian: bool = False) -> Preferences:
    optional = [key for key, item in town.category.items() if not item.always and not item.closed]
    chosen = {key for key in optional if chance.random() < 0.45}
    has_children = guardian or chance.random() < 0.2
    if has_children and "kosodate" in optional:
        chosen.add("kosodate")
    months = {f"{chance.randint(2016, 2022)}-{chance.randint(1, 12):02d}"} if has_children else set()
    language = chance.choices(
        town.languages, weights=[94] + [6 / max(1, len(town.languages) - 1)] * (len(town.languages) - 1)
    )[0]
    return Preferences(
        categories=frozenset(chosen | set(town.always_categories)),
        areas=frozenset({chance.choice(list(town.area))}) if town.area else frozenset(),
        birth_months=frozenset(months),
        language=language,
    )

"""Towns, people and notices for tests: keyword functions that make one valid thing each.

Three people recur. A parent with a baby in 船岡 (子育て, LINE), a 78-year-old (only 災害, LINE),
a newcomer who reads English (mail). Times are named moments, in milliseconds since the epoch.
"""

from __future__ import annotations

import atexit
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import JST, from_datetime
from content.database import Database
from content.keys import Keys
from content.ledger import deliveries
from content.notices import notice_changes, notices, triggers
from content.notices.notices import NoticeSpec
from content.register.registration import Registration, register_many
from content.register.subscriber_changes import join
from content.register.subscribers import Preferences, Subscriber
from content.town import Town

EXAMPLE = Path(__file__).parent.parent / "examples" / "shibata.toml"


def _without_quiet_hours() -> Path:
    """A copy of the example that sends at night too: a test must not wait for the morning when it runs then."""
    folder = Path(mkdtemp(prefix="kairanban-town-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    copy = folder / EXAMPLE.name
    copy.write_text("".join(line for line in lines if not line.startswith("quiet_hours")), encoding="utf-8")
    return copy


SHIBATA = _without_quiet_hours()


def jst(*parts: int) -> int:
    """A moment in Japan: year, month, day, hour, minute, second, microsecond."""
    return from_datetime(datetime(*parts, tzinfo=JST))  # type: ignore[misc,arg-type]


# The first week of fiscal year 2026, on a Tuesday morning.
APRIL_TUESDAY = jst(2026, 4, 7, 9, 30)
# The last second of fiscal year 2025 and the first of 2026.
YEAR_END = jst(2026, 3, 31, 23, 59, 59, 999_000)
YEAR_START = jst(2026, 4, 1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with one address on one channel."""

    channel: str
    address: str = field(repr=False)
    preferences: Preferences

    @property
    def account(self) -> str:
        return self.channel


PARENT = Person(
    "line",
    "U" + "a1" * 16,
    Preferences(
        categories=frozenset({"saigai", "kosodate"}),
        areas=frozenset({"funaoka"}),
        birth_months=frozenset({"2025-11"}),
    ),
)
ELDER = Person(
    "line", "U" + "78" * 16, Preferences(categories=frozenset({"saigai"}), areas=frozenset({"tsukinoki"}))
)
NEWCOMER = Person(
    "mail",
    "newcomer@example.jp",
    Preferences(categories=frozenset({"saigai", "event"}), areas=frozenset({"shibata"}), language="en"),
)
PEOPLE = (PARENT, ELDER, NEWCOMER)


def create_town(**changes: Any) -> Town:
    """柴田町 of the example, without its time to take back; `changes` replace top-level fields: `create_town(segments=[…])`."""
    return Town.model_validate(_example() | {"undo_seconds": 0} | changes)


@cache
def _example() -> dict[str, Any]:
    return tomllib.loads(SHIBATA.read_text(encoding="utf-8"))


def segment(*rules: dict[str, Any], key: str = "chosen", **changes: Any) -> dict[str, Any]:
    """A segment for `create_town(segments=[segment({"field": "area", "any_of": […]})])`."""
    return {"key": key, "names": {"ja": "ためしの配信対象"}, "rules": list(rules), **changes}


def line_id(number: int) -> str:
    """A LINE user id of its own for every number."""
    return f"U{number:032x}"


async def make_subscriber(
    connection: AsyncConnection,
    keys: Keys,
    person: Person = PARENT,
    *,
    account: str | None = None,
    address: str | None = None,
    at: int = APRIL_TUESDAY,
    event_at: int = 0,
    reason: str = "form",
    **preferences: Any,
) -> Subscriber:
    """Register a person; `preferences` replace what the person chose: `areas={"tsukinoki"}`."""
    chosen: dict[str, Any] = {
        name: value if name in ("language", "quiet_hours", "paused_until") else frozenset(value)
        for name, value in preferences.items()
    }
    subscriber, _ = await join(
        connection,
        keys,
        account=account or person.account,
        channel=person.channel,
        plain=address or person.address,
        preferences=replace(person.preferences, **chosen),
        reason=reason,
        at=at,
        event_at=event_at,
    )
    return subscriber


async def make_subscribers(
    connection: AsyncConnection, keys: Keys, number: int, *, at: int = APRIL_TUESDAY, channel: str = "line"
) -> list[int]:
    """So many registrations on LINE, or by mail, that chose 災害; their ids, ascending."""
    chosen = Preferences(categories=frozenset({"saigai"}))
    addresses = [line_id(n + 1) if channel == "line" else f"r{n + 1}@example.jp" for n in range(number)]
    registrations = [Registration(channel, channel, address, chosen, at) for address in addresses]
    return await register_many(connection, keys, registrations, reason="import")


def spec(**changes: Any) -> NoticeSpec:
    """A routine 子育て notice in Japanese for LINE, due at once."""
    plain = NoticeSpec(
        category="kosodate",
        urgency="routine",
        texts={"ja": ("乳幼児健診のお知らせ", "4月の乳幼児健診は次のとおりです。")},
        channels=("line",),
    )
    return replace(plain, **changes)


async def make_notice(
    connection: AsyncConnection,
    *,
    approved: bool = True,
    submission_key: str | None = None,
    staff: str = "tanaka",
    at: int = APRIL_TUESDAY,
    **changes: Any,
) -> int:
    """Store a notice, approved unless told otherwise; `changes` go to `spec`. Its id."""
    notice_id, _ = await notice_changes.create(
        connection, spec(**changes), submission_key=submission_key or uuid4().hex, staff=staff, at=at
    )
    if approved:
        await notice_changes.approve(connection, notice_id, staff=staff, at=at)
    return notice_id


async def public_page(database: Database, notice_id: int) -> str:
    """The path of a notice's public page."""
    async with database.read() as connection:
        found = await notices.get(connection, notice_id)
    assert found is not None
    return f"/n/{found.public_id}"


async def make_delivery(
    connection: AsyncConnection,
    batches: Sequence[Sequence[int]] = (),
    *,
    notice_id: int | None = None,
    account: str = "line",
    lane: str = "routine",
    language: str = "ja",
    kind: str = "list",
    planned: bool = True,
    at: int = APRIL_TUESDAY,
) -> int:
    """A delivery of a fired notice with these batches of subscriber ids, planned to its end. Its id."""
    if notice_id is None:
        notice_id = await make_notice(connection, urgency="urgent" if lane == "urgent" else "routine", at=at)
    await triggers.fire(connection, notice_id, at)
    found = await notices.get(connection, notice_id)
    assert found is not None
    delivery_id = await deliveries.open_delivery(
        connection,
        notice_id=notice_id,
        version_id=found.version_id,
        account=account,
        channel=account,
        lane=lane,
        at=at,
    )
    opened = await connection.run_sync(deliveries.get_delivery, delivery_id)
    await deliveries.add_batches(connection, opened, [(language, ids, 0) for ids in batches], kind=kind)
    if planned:
        await deliveries.finish_planning(connection, delivery_id, at)
    return delivery_id


def sealed_for_no_row(root: bytes, plain: str) -> bytes:
    """An address as versions before seals were bound to their rows left it, with the key number 1."""
    sealing = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kairanban seal").derive(root)
    return bytes([1]) + b"n" * 12 + AESGCM(sealing).encrypt(b"n" * 12, plain.encode(), None)

"""A register of any size in seconds: bulk rows with properly sealed addresses and hashed look-ups.

What a registration chose follows from its number, so every run measures the same register:
everyone has saigai, half of them each further category, one of six areas and one child's birth month.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from common import talk

from content.clock import now_ms
from content.database import Database, identity
from content.key_file import create_key_file
from content.keys import Keys, load_keys
from content.register.subscribers import seal_place
from content.schema import upgrade
from content.town import Town, load_town

EXAMPLE = Path(__file__).parents[1] / "examples" / "shibata.toml"
OPTIONAL = ("bohan", "kosodate", "event", "gomi", "kenko", "kurashi")
AREAS = ("funaoka", "higashifunaoka", "funabasama", "shibata", "nishizumi", "tsukinoki")
MONTHS = 192
SEGMENTS = """
[[segments]]
key = "wide"
names = { ja = "どの地区でも、17歳までの子どもがいる登録者" }
rules = [
  { field = "area", any_of = ["funaoka", "higashifunaoka", "funabasama", "shibata", "nishizumi", "tsukinoki"] },
  { field = "birth_month", children_aged = [0, 17] },
]

[[segments]]
key = "narrow"
names = { ja = "川沿いの地区で、2歳までの子どもがいる登録者" }
rules = [
  { field = "area", any_of = ["funaoka", "higashifunaoka", "tsukinoki"] },
  { field = "birth_month", children_aged = [0, 2] },
]
"""


@dataclass(frozen=True, slots=True)
class Register:
    """So many registrations; the first `in_group` of each account stand in the group `kucho`."""

    line: int = 0
    mail: int = 0
    in_group: int = 0

    @property
    def total(self) -> int:
        return self.line + self.mail

    def account(self, number: int) -> str:
        """Both accounts spread evenly over the numbers."""
        return "mail" if number * self.mail // self.total > (number - 1) * self.mail // self.total else "line"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A folder with the key file, the town profile and, on SQLite, the database."""

    folder: Path
    register: Register

    @property
    def key_file(self) -> Path:
        return self.folder / "secret.key"

    @property
    def identity_file(self) -> Path:
        """Of the database: what is sealed is bound to it."""
        return self.folder / "identity"

    @property
    def town_file(self) -> Path:
        return self.folder / "town.toml"

    @property
    def database(self) -> Path:
        return self.folder / "bench.db"

    def keys(self) -> Keys:
        return load_keys(self.key_file).bound_to(self.identity_file.read_text())

    def town(self) -> Town:
        return load_town(self.town_file)


def line_id(number: int) -> str:
    return "U" + hashlib.md5(str(number).encode()).hexdigest()


def mail_address(number: int) -> str:
    return f"r{number}@example.jp"


async def seed_sqlite(folder: Path, register: Register) -> Seeded:
    """`bench.db` in a folder of its own below `folder`, checkpointed, so that a round may copy the one file."""
    home = folder / f"register-{register.line}-{register.mail}-{register.in_group}"
    if home.is_dir():
        return Seeded(home, register)
    seeded = _prepare(home.with_suffix(".partial"), register)
    database = Database(f"sqlite:///{seeded.database}")
    await _make_database(database, seeded)
    connection = sqlite3.connect(seeded.database, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("BEGIN")
    for table, columns, rows in _tables(register, seeded.keys()):
        places = ",".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({places})", rows)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    seeded.folder.rename(home)
    talk(f"registered {register.line:,} on LINE and {register.mail:,} by mail")
    return Seeded(home, register)


async def seed_postgres(url: str, folder: Path, register: Register) -> Seeded:
    seeded = _prepare(folder, register)
    database = Database(url)
    await _make_database(database, seeded)
    connection = await asyncpg.connect(url)
    for table, columns, rows in _tables(register, seeded.keys()):
        await connection.copy_records_to_table(table, columns=columns, records=rows)
    await connection.execute("SELECT setval(pg_get_serial_sequence('subscriber', 'id'), $1)", register.total)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return seeded


def _prepare(folder: Path, register: Register) -> Seeded:
    folder.mkdir(parents=True, exist_ok=True)
    seeded = Seeded(folder, register)
    create_key_file(seeded.key_file)
    # A broadcast would be one call for everyone; what is measured here are lists.
    town = EXAMPLE.read_text(encoding="utf-8").replace('everyone = "broadcast"\n', "")
    # Nor is what waits for the morning when it runs at night.
    town = re.sub("^quiet_hours.*\n", "", town, flags=re.MULTILINE)
    seeded.town_file.write_text(town + SEGMENTS, encoding="utf-8")
    return seeded


async def _make_database(database: Database, seeded: Seeded) -> None:
    await upgrade(database)
    # Bound before anything is sealed: in a database that is nobody's yet, seals are tried without it.
    check = load_keys(seeded.key_file).check
    async with database.write() as connection:
        found = await identity.bind(connection, town=seeded.town().code, key_check=check)
    seeded.identity_file.write_text(found.identity)
    await database.close()


def _tables(register: Register, keys: Keys) -> Iterator[tuple[str, tuple[str, ...], Iterable[tuple]]]:
    numbers = range(1, register.total + 1)
    joined = now_ms() - 86_400_000
    yield (
        "subscriber",
        ("id", "account", "state", "language", "joined_at", "changed_at"),
        ((n, register.account(n), "active", "ja", joined, joined) for n in numbers),
    )
    yield (
        "address",
        ("subscriber_id", "account", "lookup", "sealed"),
        (_address(n, register.account(n), keys) for n in numbers),
    )
    # In the order of the primary key, which is how both databases take them fastest.
    yield (
        "preference",
        ("kind", "value", "subscriber_id", "account", "active"),
        ((kind, value, n, register.account(n), True) for kind, value, n in _choices(register)),
    )
    yield (
        "registration_event",
        ("subscriber_id", "account", "kind", "reason", "at"),
        ((n, register.account(n), "joined", "bench", joined) for n in numbers),
    )


def _address(number: int, account: str, keys: Keys) -> tuple[int, str, bytes, bytes]:
    plain = line_id(number) if account == "line" else mail_address(number)
    return number, account, keys.lookup(account, plain), keys.seal(plain, seal_place(number, account))


def _choices(register: Register) -> Iterator[tuple[str, str, int]]:
    numbers = range(1, register.total + 1)
    for area in sorted(AREAS):
        place = AREAS.index(area)
        yield from (("area", area, n) for n in numbers if n // 7 % 6 == place)
    for month in range(MONTHS):
        value = f"{2010 + month // 12}-{month % 12 + 1:02}"
        for start in range(10 * month, register.total + 1, 10 * MONTHS):
            yield from (
                ("birth_month", value, n) for n in range(start, start + 10) if 1 <= n <= register.total
            )
    for category in sorted((*OPTIONAL, "saigai")):
        if category == "saigai":
            yield from (("category", category, n) for n in numbers)
        else:
            place = OPTIONAL.index(category)
            yield from (("category", category, n) for n in numbers if (n - place) % 6 < 3)
    left = {"line": register.in_group, "mail": register.in_group}
    for n in numbers:
        if not any(left.values()):
            return
        account = register.account(n)
        if left[account]:
            left[account] -= 1
            yield "group", "kucho", n

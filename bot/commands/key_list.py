"""key list: which keys there are, what each still seals, and how often those of a purpose were rotated."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from bot.commands.common import load_settings, opened, print_json
from bot.key_words import WORDS
from content import key_changes
from content.clock import iso
from content.database import secret_keys
from content.database.secret_keys import SecretKey
from content.resealing import count_sealed


@dataclass(frozen=True, slots=True)
class _Standing:
    number: int
    state: str
    added_at: int | None
    seals: int


async def show(as_json: bool) -> None:
    """The keys of the file and of single purposes, as a table or as JSON."""
    from rich.console import Console
    from rich.table import Table

    async with opened(load_settings(), only_reads=True) as service, service.database.read() as connection:
        known = await secret_keys.known_keys(connection)
        generations = await key_changes.newest_generations(connection)
        numbers = sorted({*service.keys.numbers, *(key.number for key in known)})
        standing = [
            _standing(number, known, service.keys.sealing, await count_sealed(connection, number))
            for number in numbers
        ]
    rotated = {purpose: generations.get(purpose, 0) for purpose in WORDS}
    if as_json:
        print_json(
            {
                "keys": [
                    {
                        "number": item.number,
                        "state": item.state,
                        "added_at": iso(item.added_at or None),
                        "seals": item.seals,
                    }
                    for item in standing
                ],
                "rotated": rotated,
            }
        )
        return
    table = Table(title="秘密鍵")
    for column in ("番号", "状態", "作った日時", "この鍵で封じたもの"):
        table.add_column(column)
    for item in standing:
        words = {"in_force": "使用中", "waiting": "使う前", "older": "取り替え前", "retired": "退いた"}
        table.add_row(
            str(item.number),
            words[item.state],
            iso(item.added_at or None) or "はじめから",
            f"{item.seals:,}件",
        )
    Console().print(table)
    for purpose, times in rotated.items():
        typer.echo(
            f"{WORDS[purpose]}({purpose}): {f'{times}回入れ替えました' if times else 'はじめの鍵です'}"
        )


def _standing(number: int, known: list[SecretKey], sealing: int, seals: int) -> _Standing:
    found = next((key for key in known if key.number == number), None)
    if number == sealing:
        state = "in_force"
    elif found is not None and found.retired_at is not None:
        state = "retired"
    else:
        state = "waiting" if found is None or found.in_force_at is None else "older"
    return _Standing(number, state, found.added_at if found else None, seals)

"""token add, list, end: keys by which machines post notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, print_json, run, talk
from content.clock import iso
from content.staff.machines import GIVEN_TO_MACHINES, Machine, MachineRefused
from content.staff.rights import OFFICE

app = typer.Typer(no_args_is_help=True, help="機械がお知らせを出すための接続キー.")

Name = Annotated[str, typer.Argument(help="Name of the machine, as it stands in the audit trail.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(
    name: Name,
    department: Annotated[str, typer.Option(help="The department: its key or name.")] = OFFICE,
    permission: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(GIVEN_TO_MACHINES)}; repeat. Default: see and write."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category, by key or name; repeat. Default: all of the department."),
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Address or network that it comes from; repeat. Default: any.")
    ] = None,
    per_hour: Annotated[int, typer.Option(help="Notices that it may post in an hour.")] = 30,
    days: Annotated[int, typer.Option(help="It ends after so many days.")] = 365,
    json: Json = False,
) -> None:
    """Make a key and print it, once; only its hash is kept."""
    from bot.machine_keys import Wanted

    wanted = Wanted(
        name=name,
        department=department,
        permissions=tuple(permission or ("see", "write")),
        categories=tuple(category or ()),
        networks=" ".join(network or ()),
        per_hour=per_hour,
        days=days,
    )
    run(_add(wanted, json))


@app.command("list")
def show_all(json: Json = False) -> None:
    """Every key that was made, with what it allows, until when, and when it was last used."""
    run(_show_all(json))


@app.command()
def end(name: Name) -> None:
    """The key is good for nothing from now on."""
    run(_end(name))


async def _add(wanted: Any, as_json: bool) -> None:
    from bot import machine_keys
    from bot.commands.named import key_among, key_in
    from content.staff import rights

    async with opened(load_settings()) as service:
        async with service.database.read() as connection:
            names = {item.key: {"ja": item.name} for item in await rights.departments(connection)}
        wanted = replace(
            wanted,
            department=key_in(names, wanted.department),
            categories=tuple(key_among(service.town.categories, one) for one in wanted.categories),
        )
        try:
            token = await machine_keys.make(service, wanted, by=operator())
        except MachineRefused as error:
            fail(f"{error.field}: {error}", USAGE)
    if as_json:
        print_json({"name": wanted.name, "token": token})
        return
    talk.print("この接続キーは、もう表示できません。", highlight=False)
    typer.echo(token)


async def _show_all(as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from content.staff import machines

    async with opened(load_settings()) as service:
        now = service.database.now()
        async with service.database.read() as connection:
            everyone = await machines.everyone(connection)
    if as_json:
        print_json([_as_json(item, now) for item in everyone])
        return
    table = Table(title="機械の接続キー")
    for column in ("名前", "課", "できること", "分野", "期限", "最後に使われた", "状態"):
        table.add_column(column)
    for item in everyone:
        row = _as_json(item, now)
        table.add_row(
            item.name,
            item.department,
            ", ".join(row["permissions"]),
            ", ".join(row["categories"]) or "課の分野すべて",
            row["expires_at"],
            row["last_used_at"] or "まだありません",
            "有効" if row["good"] else "終わり",
        )
    Console().print(table)


async def _end(name: str) -> None:
    from bot import machine_keys
    from content.staff import machines

    async with opened(load_settings()) as service:
        async with service.database.read() as connection:
            found = await machines.find_by_name(connection, name)
        if found is None:
            fail(f"「{name}」という機械はありません。token list で確かめてください。", FAILED)
        if not await machine_keys.end(service, found, by=operator()):
            fail(f"「{name}」の接続キーは、もう終わっています。", FAILED)
    talk.print(f"「{name}」の接続キーを終わらせました。", highlight=False)


def _as_json(item: Machine, now: int) -> dict[str, Any]:
    return {
        "name": item.name,
        "department": item.department,
        "permissions": sorted({right.permission for right in item.rights}),
        "categories": sorted({right.category for right in item.rights} - {""}),
        "networks": item.networks.split(),
        "per_hour": item.per_hour,
        "created_by": item.created_by,
        "created_at": iso(item.created_at),
        "expires_at": iso(item.expires_at),
        "last_used_at": iso(item.last_used_at),
        "ended_at": iso(item.ended_at),
        "good": item.is_good(now),
    }

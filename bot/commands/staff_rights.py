"""staff rights show, grant, revoke: one right at a time, per permission, department and category."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, print_json, run, talk
from bot.commands.named import key_among, key_in
from bot.console.staff_words import PERMISSION_WORDS
from content.clock import now_ms
from content.database import Database
from content.staff import audit, member_changes, members, rights
from content.staff.member_changes import LastAdministrator
from content.staff.members import Staff
from content.staff.rights import OFFICE, Permission, Right, RightRefused
from content.town import Town

app = typer.Typer(no_args_is_help=True, help="1人の権限を見る・与える・外す(権限 × 課 × 分野).")

Login = Annotated[str, typer.Argument(help="Login name.")]
PermissionName = Annotated[str, typer.Argument(metavar="PERMISSION", help=f"One of {', '.join(Permission)}.")]
DepartmentKey = Annotated[str, typer.Option("--department", help="The department: its key or name.")]
CategoryKey = Annotated[
    str,
    typer.Option(
        "--category", help="For this category alone, by key or name; default: all of the department."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(login: Login, json: Json = False) -> None:
    """What a member may do, where."""
    run(_show(login, json))


@app.command()
def grant(
    login: Login, permission: PermissionName, department: DepartmentKey = OFFICE, category: CategoryKey = ""
) -> None:
    """Give one right, in force from the next request; others stay."""
    run(_change(login, permission, department, category, give=True))


@app.command()
def revoke(
    login: Login, permission: PermissionName, department: DepartmentKey = OFFICE, category: CategoryKey = ""
) -> None:
    """Take one right away; others stay. The last administrator keeps theirs."""
    run(_change(login, permission, department, category, give=False))


async def _show(login: str, as_json: bool) -> None:
    async with opened(load_settings()) as service, service.database.read() as connection:
        member = await _find(connection, login)
        names = {item.key: item.name for item in await rights.departments(connection)}
        town = service.town
    if as_json:
        print_json(
            [
                {"permission": item.permission, "department": item.department, "category": item.category}
                for item in sorted(member.rights)
            ]
        )
        return
    table = Table("課", "権限", "分野", title=f"職員「{login}」の権限")
    for item in sorted(member.rights):
        table.add_row(*_words(item, names, town))
    Console().print(table, markup=False, highlight=False)
    if not member.rights:
        talk.print("権限はありません。この人は、ログインしても何も開けません。", highlight=False)


async def _change(login: str, permission: str, department: str, category: str, *, give: bool) -> None:
    if permission not in set(Permission):
        words = "、".join(f"{item}({PERMISSION_WORDS[item]})" for item in Permission)
        fail(f"PERMISSION: 権限は次のどれかです: {words}", USAGE)
    async with opened(load_settings()) as service:
        town = service.town
        async with service.database.read() as connection:
            names = {item.key: item.name for item in await rights.departments(connection)}
        department = key_in({key: {"ja": name} for key, name in names.items()}, department)
        right = Right(permission, department, key_among(town.categories, category) if category else "")
        category = right.category
        if department not in names:
            known = "、".join(f"{key}({name})" for key, name in names.items())
            fail(f"--department: 課は次のどれかです: {known}", USAGE)
        # A right for a category that the profile has lost can still be taken away.
        if give and category and category not in town.category:
            known = "、".join(f"{item.key}({item.name()})" for item in town.categories)
            fail(f"--category: 分野は次のどれかです: {known}", USAGE)
        try:
            changed = await _write(service.database, login, right, give=give)
        except LastAdministrator:
            fail(f"「{login}」は最後の管理者です。先に、ほかの職員に管理の権限を与えてください。", USAGE)
        except RightRefused as error:
            fail(str(error), USAGE)
    what = "{}の「{}」({})".format(*_words(right, names, town))
    if give:
        said = f"に{what}を与えました。" if changed else f"には、{what}がもうあります。"
    else:
        said = f"から{what}を外しました。" if changed else f"には、{what}がありません。"
    talk.print(f"職員「{login}」{said}", markup=False, highlight=False, soft_wrap=True)


async def _write(database: Database, login: str, right: Right, *, give: bool) -> bool:
    """False when it was so already. Raises LastAdministrator and RightRefused."""
    now = now_ms()
    async with database.write() as connection:
        member = await _find(connection, login)
        wanted = await member_changes.change_right(connection, member.id, right, give=give)
        if wanted is None:
            return False
        await audit.record(
            connection,
            at=now,
            actor=operator(),
            action="staff.rights_changed",
            subject=f"staff {member.id}",
            login=login,
            rights=sorted(map(str, wanted)),
        )
    return True


async def _find(connection: AsyncConnection, login: str) -> Staff:
    member = await members.find_any(connection, login)
    if member is None:
        fail(f"職員「{login}」は登録されていません。名前は kairanban staff list で確かめられます。", FAILED)
    return member


def _words(right: Right, names: dict[str, str], town: Town) -> tuple[str, str, str]:
    """Where, what, and for which category."""
    category = town.category[right.category].name() if right.category in town.category else right.category
    in_all = "すべての分野" if right.department == OFFICE else "課が持つ分野"
    return names[right.department], PERMISSION_WORDS[right.permission], category or in_all

"""staff list, add, disable, enable, reset, role: who may work with the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands import staff_rights
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, print_json, run, talk
from bot.console.staff_words import role_words
from content.clock import iso, now_ms
from content.staff import audit, codes, member_changes, members, second_factor
from content.staff.codes import CodePurpose
from content.staff.member_changes import LastAdministrator, LoginRefused
from content.staff.members import Staff
from content.staff.passwords import PasswordRefused, new_hash
from content.staff.rights import ROLES, departments

app = typer.Typer(no_args_is_help=True, help="職員の登録、無効化、パスワードと権限.")
app.add_typer(staff_rights.app, name="rights")

PasswordFile = Annotated[
    Path | None, typer.Option(help="File that holds the password; asked for when absent.")
]
Login = Annotated[str, typer.Argument(help="Login name.")]
# Changes a member within a transaction; the words for what was done, or None when it was so already.
Change = Callable[[AsyncConnection, Staff, int], Awaitable[str | None]]


@app.command("list")
def show_all(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Everybody who may or might sign in, with role, state and last sign-in."""
    run(_show_all(json))


@app.command()
def add(
    login: Login,
    role: Annotated[str, typer.Option(help="viewer, planner, editor or administrator.")] = "editor",
    password_file: PasswordFile = None,
) -> None:
    """Register a member of staff."""
    _refuse_unknown_role(role, "--role")
    run(_add(login, role, read_password(password_file)))


@app.command()
def disable(login: Login) -> None:
    """End a member's access and every open session."""

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        if member.disabled_at is not None:
            return None
        await member_changes.disable(connection, member, at=now)
        return "を無効にしました。開いている画面も、次の操作から使えません。"

    run(_change(login, "staff.disabled", change, already="は既に無効です。"))


@app.command()
def enable(login: Login) -> None:
    """Give a disabled member access again, with the password of before."""

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        if member.disabled_at is None:
            return None
        await member_changes.enable(connection, member)
        return "を有効に戻しました。パスワードは前のままです(新しくするには staff reset)。"

    run(_change(login, "staff.enabled", change, already="は有効です。"))


@app.command()
def reset(login: Login, password_file: PasswordFile = None) -> None:
    """Set a new password; every open session ends."""
    run(_known(login))
    password = read_password(password_file)

    try:
        password_hash = run(new_hash(password, login))
    except PasswordRefused as error:
        fail(str(error), USAGE)

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        await member_changes.set_password(connection, member, password_hash, at=now)
        still = "" if member.disabled_at is None else "無効のままです(戻すには staff enable)。"
        return f"のパスワードを新しくしました。開いていた画面はすべてログアウトされます。{still}"

    run(_change(login, "staff.password_reset", change))


@app.command()
def code(login: Login) -> None:
    """Print a one-time code that stands in for the second factor, for an hour; recorded."""
    run(_code(login))


@app.command("remove-factor")
def remove_factor(login: Login) -> None:
    """Take a lost second factor away; every open session ends."""

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        if not await second_factor.is_on(connection, member.id):
            return None
        await second_factor.remove(connection, member.id)
        await member_changes.end_sessions(connection, member.id)
        return "の二段階認証を外しました。開いていた画面はすべてログアウトされます。"

    run(_change(login, "staff.factor_removed", change, already="は二段階認証を設定していません。"))


@app.command("end-sessions")
def end_sessions(login: Login) -> None:
    """End every session that a member has open, on every machine."""

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        await member_changes.end_sessions(connection, member.id)
        return "が開いていた画面は、すべてログアウトされます。"

    run(_change(login, "staff.sessions_ended", change))


@app.command()
def role(
    login: Login, role: Annotated[str, typer.Argument(help="viewer, planner, editor or administrator.")]
) -> None:
    """Give a member another role, in force from the next request."""
    _refuse_unknown_role(role, "ROLE")

    async def change(connection: AsyncConnection, member: Staff, now: int) -> str | None:
        if member.role == role:
            return None
        await member_changes.set_role(connection, member, role)
        return f"の権限を「{role_words(member.role)}」から「{role_words(role)}」({role})に変えました。"

    already = f"の権限は既に「{role_words(role)}」です。"
    run(_change(login, "staff.role_changed", change, already=already, role=role))


def read_password(file: Path | None) -> str:
    """Asked for on the terminal, or the content of a file; never an argument, which others can see."""
    if file is None:
        return str(
            typer.prompt("パスワード", hide_input=True, confirmation_prompt="パスワード(もう一度)", err=True)
        )
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        fail(f"--password-file: {file} はUTF-8の文字ではありません。", USAGE)
    except OSError as error:
        fail(f"--password-file: {file} を読めません({error.strerror})。", USAGE)


async def _show_all(as_json: bool) -> None:
    async with opened(load_settings()) as service, service.database.read() as connection:
        everybody = await members.everybody(connection)
        names = {item.key: item.name for item in await departments(connection)}
        last = await audit.last_times(connection, "staff.logged_in")
    rows = [
        {
            "login": member.login,
            "role": member.role or "own",
            "rights": [
                {"permission": item.permission, "department": item.department, "category": item.category}
                for item in sorted(member.rights)
            ],
            "disabled_at": iso(member.disabled_at),
            "last_login_at": iso(last.get(f"staff {member.id}")),
            "created_at": iso(member.created_at),
        }
        for member in everybody
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("ログイン名", "課", "権限", "状態", "最後のログイン")
    for member, row in zip(everybody, rows, strict=True):
        state = "有効" if member.disabled_at is None else f"無効({row['disabled_at']} から)"
        where = "、".join(names[key] for key in sorted({item.department for item in member.rights}))
        table.add_row(member.login, where, role_words(member.role), state, str(row["last_login_at"] or "–"))
    Console().print(table, markup=False, highlight=False)


async def _add(login: str, role: str, password: str) -> None:
    async with opened(load_settings()) as service:
        now = now_ms()
        try:
            password_hash = await new_hash(password, login)
            async with service.database.write() as connection:
                staff_id = await member_changes.add(
                    connection, login=login, password_hash=password_hash, role=role, at=now
                )
                await _record(connection, now, "staff.added", staff_id, login, role=role)
        except (LoginRefused, PasswordRefused) as error:
            fail(str(error), USAGE)
        except IntegrityError:
            fail(f"職員「{login}」は既に登録されています。", FAILED)
    talk.print(f"職員「{login}」({role_words(role)})を登録しました。", markup=False, highlight=False)


async def _code(login: str) -> None:
    async with opened(load_settings()) as service:
        now = now_ms()
        async with service.database.write() as connection:
            member = await _find(connection, login)
            made = await codes.make(connection, member.id, CodePurpose.SECOND_FACTOR, at=now)
            await _record(connection, now, "staff.code_made", member.id, login)
    talk.print(
        f"職員「{login}」が、二段階認証の代わりに1回だけ使えるコードです(1時間以内)。", highlight=False
    )
    typer.echo(made)


async def _known(login: str) -> None:
    """A wrong login is said before a password is asked for."""
    async with opened(load_settings()) as service, service.database.read() as connection:
        await _find(connection, login)


async def _change(login: str, action: str, change: Change, *, already: str = "", **detail: str) -> None:
    async with opened(load_settings()) as service:
        now = now_ms()
        try:
            async with service.database.write() as connection:
                member = await _find(connection, login)
                done = await change(connection, member, now)
                if done is not None:
                    await _record(connection, now, action, member.id, login, **detail)
        except LastAdministrator:
            fail(
                f"「{login}」は最後の管理者です。先に、ほかの職員を管理者にしてください"
                "(kairanban staff role ログイン名 administrator)。",
                USAGE,
            )
    talk.print(f"職員「{login}」{done or already}", markup=False, highlight=False)


async def _find(connection: AsyncConnection, login: str) -> Staff:
    member = await members.find_any(connection, login)
    if member is None:
        fail(f"職員「{login}」は登録されていません。名前は kairanban staff list で確かめられます。", FAILED)
    return member


async def _record(
    connection: AsyncConnection, now: int, action: str, staff_id: int, login: str, **detail: str
) -> None:
    await audit.record(
        connection,
        at=now,
        actor=operator(),
        action=action,
        subject=f"staff {staff_id}",
        login=login,
        **detail,
    )


def _refuse_unknown_role(role: str, where: str) -> None:
    if role not in ROLES:
        words = "、".join(f"{name}({role_words(name)})" for name in ROLES)
        fail(f"{where}: 権限は次のどれかです: {words}", USAGE)

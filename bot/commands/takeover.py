"""takeover: this site speaks for the town from now on, and the other one sends nothing more."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import asyncpg
import typer
from sqlalchemy.engine import make_url

from bot.accounts import line_api
from bot.commands.common import FAILED, TIMED_OUT, USAGE, fail, load_settings, opened, operator, run, talk
from bot.heartbeat import TAKEN_OVER, Heartbeat
from bot.line.site_watch import LOOK_EVERY, site_in_force, webhook_url
from bot.service import Service
from bot.settings import Settings
from channels.channel import ChannelError
from channels.line.api import LineApi
from content.clock import words
from content.database import identity
from content.ledger import due
from content.staff import audit
from scheduler.triggers import hold_overdue

# Channels that know a batch again by its retry key.
TOLD_APART = ("line",)
# A site that still runs asks LINE three times meanwhile.
NOTICES_WITHIN = 3 * LOOK_EVERY
PROMOTED_WITHIN = 60
HELD_WORDS = (
    "もう一つの場所から引き継ぐ前に、配信の時刻を過ぎていました。前の場所が送ったかもしれません。"
    "住民に届いているかを確かめて、まだなら配信する、届いていれば取り消すを選んでください。"
)


def takeover(
    other_is_off: Annotated[
        bool,
        typer.Option(
            "--other-is-off", help="You have seen that the other site does not run: no question, no wait."
        ),
    ] = False,
) -> None:
    """Go on here with a replica or a copy, after the other site has failed. It then sends nothing more."""
    settings = load_settings()
    if not settings.two_sites:
        fail(
            "KAIRANBAN_TWO_SITES=true を両方の場所の設定に書いてから実行してください"
            "(もう一つの場所が、引き継ぎに気づいて止まるために要ります)。",
            USAGE,
        )
    if not other_is_off and not sys.stdin.isatty():
        fail("もう一つの場所が動いていないことを確かめてから、--other-is-off を付けてください。", USAGE)
    run(_promote(settings))
    run(_take_over(settings, other_is_off))


async def _promote(settings: Settings) -> None:
    """A replica of PostgreSQL takes writes from here on."""
    url = make_url(settings.database_url.get_secret_value())
    if not url.drivername.startswith("postgresql"):
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await asyncpg.connect(plain)
    except (OSError, asyncpg.PostgresError) as error:
        fail(f"データベースに届きません({type(error).__name__})。", FAILED)
    try:
        if not await connection.fetchval("SELECT pg_is_in_recovery()"):
            return
        talk.print("複製のデータベースを、書き込めるようにしています…", highlight=False)
        if not await connection.fetchval("SELECT pg_promote(true, $1)", PROMOTED_WITHIN):
            fail("複製のデータベースが、時間内に書き込めるようになりませんでした。", TIMED_OUT)
    except asyncpg.InsufficientPrivilegeError:
        fail(
            "この利用者は複製を昇格できません。管理者が `pg_ctl promote` をしてから、もう一度実行してください。",
            FAILED,
        )
    finally:
        await connection.close()


async def _take_over(settings: Settings, other_is_off: bool) -> None:
    async with opened(settings) as service:
        await _hold(service)
        await _say_what_is_open(service)
        if not other_is_off and not typer.confirm(
            "もう一つの場所の serve と worker が止まっている(または届かない)ことを確かめましたか",
            default=False,
            err=True,
        ):
            talk.print("何も引き継いでいません。ここからは何も送りません。", highlight=False)
            raise typer.Exit(FAILED)
        site = await _fence(service)
        if site is not None and not other_is_off:
            with talk.status("もう一つの場所が動いていれば、気づいて止まるのを待っています(1分)…"):
                await asyncio.sleep(NOTICES_WITHIN)
        held, closed = await _settle_doubt(service)
        await Heartbeat(service.settings, service.database).confirm(beyond=(site or 1) - 1)
        async with service.database.write() as connection:
            await audit.record(
                connection,
                at=service.database.now(),
                actor=operator(),
                action="database.taken_over",
                subject="database",
                held=len(held),
                closed=closed,
            )
    lines = ["この場所が配信を引き継ぎました。`kairanban serve` を始めてください。"]
    if held:
        lines.append(
            f"時刻を過ぎていたお知らせ {len(held)}件は保留にしました。職員の画面で、配信するか取り消すかを選んでください。"
        )
    if closed:
        lines.append(
            f"前の場所が送ったかもしれない配信 {closed}件の残りは、二度届かないよう「不明」として終えました。"
        )
    lines.append(f"公開のアドレス {settings.public_url} が、この機器に届くようにしてください(DNSなど)。")
    talk.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _hold(service: Service) -> None:
    now = service.database.now()
    async with service.database.write() as connection:
        await identity.hold(connection, TAKEN_OVER, now)


async def _say_what_is_open(service: Service) -> None:
    async with service.database.read() as connection:
        waiting, unfinished = await due.waiting(connection), await due.unfinished(connection)
    lines = [
        *(f"  配信の途中  {item.notice_id}「{item.title}」残り {item.open}件" for item in unfinished),
        *(f"  予定        {item.notice_id}「{item.title}」{words(item.due_at)}" for item in waiting),
    ]
    talk.print(
        "\n".join(["この写しが知っている、これからの配信:", *(lines or ["  ありません"])]),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


async def _fence(service: Service) -> int | None:
    """LINE sends to this site from now on, which the other one sees; the epoch here. None without a LINE account."""
    if service.town.live_account("line") is None:
        return None
    api = line_api(service.settings)
    try:
        return await _point_line_here(service, api)
    except (ChannelError, TimeoutError) as error:
        reason = error.message if isinstance(error, ChannelError) else "時間内に応答がありません"
        fail(
            f"LINEのWebhook URLを、この場所へ向けられません: {reason} 何も送っていません。もう一度実行してください。",
            FAILED,
        )
    finally:
        await api.close()


async def _point_line_here(service: Service, api: LineApi) -> int:
    async with service.database.read() as connection:
        found = await identity.read(connection)
    assert found is not None
    site = max(found.epoch, await site_in_force(api)) + 1
    await api.set_webhook_endpoint(webhook_url(service.settings.public_url, site))
    return site


async def _settle_doubt(service: Service) -> tuple[list[int], int]:
    now = service.database.now()
    held = await hold_overdue(service.context, HELD_WORDS, now)
    async with service.database.write() as connection:
        closed = await due.close_in_doubt(connection, now, told_apart=TOLD_APART)
    return held, closed

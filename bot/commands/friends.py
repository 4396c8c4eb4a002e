"""line adopt, compare and invite: the friends that the account has, and the register."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from bot.accounts import line_api
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, run, talk
from bot.commands.setup import line_app
from bot.line.friend_watch import compare as compare_friends
from bot.line.inviting import send_invitations
from bot.service import Service
from channels.channel import BatchRefused, ChannelError
from channels.line.api import LineApi
from content.clock import now_ms
from content.ledger import friend_invitations
from content.staff import audit
from content.town import Account

VERIFIED_ONLY = "友だちの一覧は、LINEの認証済アカウントだけが取り出せます。"


@line_app.command("adopt")
def adopt() -> None:
    """Register the friends that the account already has: life-critical notices alone until they choose.

    Nobody is written to. The service itself does the same each night, see `compare`.
    """
    run(_compare(whatever=False))


@line_app.command("compare")
def compare(
    whatever: Annotated[
        bool, typer.Option("--whatever", help="End the missing ones even when they are implausibly many.")
    ] = False,
) -> None:
    """Bring the register into line with LINE's list of friends now, as the service does each night."""
    run(_compare(whatever=whatever))


@line_app.command("invite")
def invite(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Invite the friends who were taken in and have chosen nothing yet: once each, and it costs messages.

    Run again after an interruption, it goes on.
    """
    run(_invite(yes))


async def _compare(*, whatever: bool) -> None:
    async with _line() as (service, account, api):
        try:
            done = await compare_friends(service, api, whatever=whatever, on_page=_say_seen)
        except BatchRefused as error:
            fail(f"{error.message} {VERIFIED_ONLY}", FAILED)
        except ChannelError as error:
            fail(f"{error.message} もう一度実行してください。済んだ分はそのままです。", FAILED)
        await _record(service, account, "subscribers.adopted", added=done.added, ended=done.ended)
    talk.print(
        f"友だち {done.friends:,}件。新しく登録 {done.added:,}件、友だちでなくなった登録を終了 {done.ended:,}件。",
        highlight=False,
    )
    if done.held_back:
        fail(
            f"一覧にない登録が {done.held_back:,}件あります。多すぎるので終わらせていません。"
            "LINE公式アカウントの管理画面で友だちの数を確かめ、正しければ --whatever を付けて実行してください。",
            FAILED,
        )


async def _invite(yes: bool) -> None:
    async with _line() as (service, account, api):
        async with service.database.read() as connection:
            new = len(await friend_invitations.to_invite(connection, account.key))
            left = sum(
                len(item.recipients) for item in await friend_invitations.to_send(connection, account.key)
            )
        if not new + left:
            talk.print("招待する友だちはいません。招待は一人に一度だけです。", highlight=False)
            return
        try:
            quota = await api.quota()
        except ChannelError as error:
            fail(error.message, FAILED)
        room = "上限なし" if quota.left is None else f"{quota.left:,}通"
        talk.print(
            f"招待 {new + left:,}件。LINEの通数を {new + left:,}通使います。今月の残り:{room}。",
            highlight=False,
        )
        if quota.left is not None and quota.left < new + left:
            fail("今月の残りが足りません。来月にするか、料金プランを上げてください。", FAILED)
        if not yes and not await asyncio.to_thread(typer.confirm, "送りますか", default=False):
            fail("送っていません。", USAGE)
        async with service.database.write() as connection:
            await friend_invitations.plan(connection, account.key, at=now_ms())
        sent = 0
        try:
            sent = await send_invitations(service, api, account.key, _say_sent)
        except ChannelError as error:
            fail(f"{error.message} もう一度実行すると、続きから送ります。", FAILED)
        finally:
            await _record(service, account, "subscribers.invited", number=new + left, sent=sent)
    talk.print(f"{sent:,}件に招待を送りました。", highlight=False)


@asynccontextmanager
async def _line() -> AsyncIterator[tuple[Service, Account, LineApi]]:
    async with opened(load_settings()) as service:
        account = service.town.live_account("line")
        if account is None:
            fail("町の設定に、本番のLINEアカウントがありません。", USAGE)
        api = line_api(service.settings)
        try:
            yield service, account, api
        finally:
            await api.close()


async def _record(service: Service, account: Account, action: str, **detail: int) -> None:
    async with service.database.write() as connection:
        await audit.record(
            connection,
            at=now_ms(),
            actor=operator(),
            action=action,
            subject=f"account {account.key}",
            **{name: str(value) for name, value in detail.items()},
        )


def _say_seen(seen: int) -> None:
    talk.print(f"友だち {seen:,}件まで見ました。", highlight=False)


def _say_sent(sent: int) -> None:
    talk.print(f"{sent:,}件に送りました。", highlight=False)

"""Accounts on screen: what each carries, whether it sends, its quota and its last acceptance."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.form import unset_channels
from bot.console.words import MORE_QUOTA, account_words, mode_words, reason_words
from content.ledger import account_health
from content.ledger.account_health import AccountHealth

HIGH = 80


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in words. `state`: good, stopped or unset."""

    name: str
    key: str
    modes: str
    state: str
    word: str
    what: str
    remedy: str
    health: AccountHealth

    @property
    def percent(self) -> int | None:
        """Of this month's quota; None without a limit."""
        quota = self.health.quota
        return None if quota is None or not quota.limit else min(100, 100 * quota.used // quota.limit)

    @property
    def is_high(self) -> bool:
        return self.percent is not None and self.percent >= HIGH


async def show_accounts(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        rows = await account_rows(staff_request, connection)
    return staff_request.page("console/accounts.html", rows=rows, more_quota=MORE_QUOTA)


async def account_rows(staff_request: StaffRequest, connection: AsyncConnection) -> list[AccountRow]:
    town = staff_request.service.town
    unset = unset_channels(staff_request.service)
    outages = {item.account: item for item in staff_request.outages}
    found = []
    for health in await account_health.health_of(connection, list(town.account)):
        account = town.account[health.account]
        state, word, what, remedy = "good", "送れます", "", ""
        if account.key in outages:
            what, remedy = reason_words(outages[account.key].reason)
            state, word = "stopped", "送れません"
        elif account.channel in unset:
            state, word = "unset", "設定されていません"
            what, remedy = "接続の設定が済んでいません", "管理者に、この配信手段の設定を頼んでください。"
        carried = [mode_words(mode) for mode in ("live", "drill", "test") if account.carries(mode)]
        found.append(
            AccountRow(
                account_words(town, account.key),
                account.key,
                "・".join(carried),
                state,
                word,
                what,
                remedy,
                health,
            )
        )
    return found

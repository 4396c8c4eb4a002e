"""config show, line setup: what is done once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from bot.accounts import line_api, unsafe_links
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, print_json, run, talk
from bot.door.descriptors import shortage
from bot.posting import shared_credentials
from bot.service import refuse_shared_credentials
from content.clock import now_ms, today_jst
from content.notices.segments import NobodyMatches, Target, audience
from content.notices.states import TargetKind
from content.town import Town, TownProfileError, load_town

config_app = typer.Typer(no_args_is_help=True, help="設定を見る.")
line_app = typer.Typer(no_args_is_help=True, help="LINE公式アカウントの準備.")


@config_app.command("show")
def show() -> None:
    """Every setting in force; secrets are masked."""
    print_json(load_settings().model_dump(mode="json"))


@config_app.command("reference")
def reference_page() -> None:
    """The page docs/settings.md, made from the settings themselves."""
    from bot.settings_reference import reference

    sys.stdout.write(reference())


@config_app.command("profile")
def profile_page() -> None:
    """The page docs/profile.md: every field of the town profile, made from the profile itself."""
    from bot.profile_reference import reference

    sys.stdout.write(reference())


@config_app.command("csv")
def csv_page() -> None:
    """The page docs/subscribers-csv.md: the columns of a file of registrations."""
    from bot.csv_reference import reference

    sys.stdout.write(reference())


@config_app.command("checks")
def checks_page() -> None:
    """The page docs/checks.md: every check with its code, made from the checks themselves."""
    from bot.checks_reference import reference

    sys.stdout.write(reference())


@config_app.command("api")
def api_page() -> None:
    """The page docs/api.md: how machines post notices, made from the description of the interface."""
    from bot.api_reference import reference

    sys.stdout.write(reference())


@config_app.command("language")
def language_page() -> None:
    """The English words of everything that residents read, as a file to be translated: bot/translations/TAG.toml."""
    from bot.translations import template

    sys.stdout.write(template())


@config_app.command("check")
def check() -> None:
    """Read the town profile and name what is wrong in it, in the addresses of its links and on this machine."""
    settings = load_settings()
    try:
        town = load_town(settings.town)
        refuse_shared_credentials(town)
    except TownProfileError as error:
        fail(str(error), USAGE)
    unusable = list(_unusable_segments(town))
    if unusable:
        fail("\n".join(unusable), USAGE)
    shared = shared_credentials(settings, town.accounts)
    if wrong := shared or unsafe_links(settings, town) or shortage():
        fail(wrong, USAGE)
    talk.print(f"{town.name}の設定に問題はありません。", highlight=False)


@line_app.command("setup")
def setup() -> None:
    """Upload the menus below the chat and show the everyday one to every friend."""
    run(_setup())


@line_app.command("menu")
def menu(
    which: Annotated[str, typer.Argument(help="everyday or disaster.")],
) -> None:
    """Show the menu of a disaster (for a day) or the everyday one (until the next urgent notice) now."""
    run(_menu(which))


def _unusable_segments(town: Town) -> Iterator[str]:
    """Why a segment would match nobody: better said now than at three in the morning."""
    category = next((item.key for item in town.categories if not item.closed), "")
    for segment in town.segments:
        try:
            audience(town, Target(TargetKind.SEGMENT, segment.key), category, today_jst())
        except NobodyMatches as error:
            if not segment.closed:
                yield str(error)


async def _setup() -> None:
    from bot.line.menu_picture import NoPicture
    from bot.line.rich_menu import set_up
    from channels.channel import ChannelError

    async with opened(load_settings()) as service:
        api = line_api(service.settings)
        try:
            menu = await set_up(service, api)
        except NoPicture as error:
            fail(str(error), FAILED)
        except ChannelError as error:
            fail(error.message, FAILED)
        finally:
            await api.close()
    talk.print(f"リッチメニューを設定しました: {menu}", highlight=False)


async def _menu(which: str) -> None:
    from bot.line.menu_picture import NoPicture
    from bot.line.rich_menu import set_up
    from channels.channel import ChannelError
    from content.notices.chat_menu import ChatMenu, choose
    from content.staff import audit

    if which not in set(ChatMenu):
        fail(f"{which}: everyday か disaster を選んでください。", USAGE)
    chosen, at, who = ChatMenu(which), now_ms(), operator()
    async with opened(load_settings()) as service:
        account = service.town.live_account("line")
        if account is None:
            fail("町の設定に、本番のLINEアカウントがありません。", USAGE)
        async with service.database.write() as connection:
            await choose(connection, account.key, chosen, staff=who, at=at)
            await audit.record(
                connection,
                at=at,
                actor=who,
                action="menu.chosen",
                subject=f"account {account.key}",
                menu=chosen,
            )
        api = line_api(service.settings)
        try:
            await set_up(service, api, chosen)
        except NoPicture as error:
            fail(str(error), FAILED)
        except ChannelError as error:
            fail(error.message, FAILED)
        finally:
            await api.close()
    talk.print(f"メニューを切り替えました: {chosen}", highlight=False)

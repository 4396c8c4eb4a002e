"""Accounts that post: what each needs of the settings, and the channel that it is."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr

from bot.settings import AccountSettings, Settings
from channels.channel import Channel
from content.town import Account, ChannelName, Town

# What the account of a channel cannot do without.
NEEDED: dict[str, tuple[str, ...]] = {
    "mastodon": ("api_base", "token"),
}


def missing_of(settings: Settings, town: Town) -> dict[str, list[str]]:
    """Account key → the environment names of its empty settings, of those that have some."""
    found = {}
    for account in town.accounts:
        known = settings.accounts.get(account.key, AccountSettings())
        empty = [name for name in NEEDED.get(account.channel, ()) if not _plain(getattr(known, name))]
        if empty:
            found[account.key] = [
                f"KAIRANBAN_ACCOUNTS__{account.key.upper()}__{name.upper()}" for name in empty
            ]
    return found


def posting_channel(settings: Settings, account: Account) -> Channel:
    """Raises KeyError when the account is of no channel that posts."""
    return _DESCRIBE[account.channel](account, settings.accounts.get(account.key, AccountSettings()))


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _mastodon(account: Account, known: AccountSettings) -> Channel:
    from channels.mastodon import MastodonChannel

    return MastodonChannel(
        api_base=known.api_base, token=_plain(known.token), limit=known.limit, parts=account.parts or 4
    )


_DESCRIBE: dict[ChannelName, Callable[[Account, AccountSettings], Channel]] = {
    "mastodon": _mastodon,
}

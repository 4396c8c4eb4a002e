"""Accounts that post: what each needs of the settings, and the channel that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import SecretStr

from bot.settings import AccountSettings, Settings
from channels.channel import Channel
from content.town import Account, ChannelName

# What the account of a channel cannot do without.
NEEDED: dict[str, tuple[str, ...]] = {
    "mastodon": ("api_base", "token"),
    "bluesky": ("user", "token"),
    "x": ("app_key", "app_secret", "token", "token_secret"),
    "facebook": ("user", "token"),
    "instagram": ("user", "token"),
    "threads": ("user", "token"),
    "slack": ("url",),
    "discord": ("url",),
    "teams": ("url",),
}


def missing_of(settings: Settings, accounts: Iterable[Account]) -> dict[str, list[str]]:
    """Account key → the environment names of its empty settings, of those that have some."""
    found = {}
    for account in accounts:
        known = settings.accounts.get(account.key, AccountSettings())
        empty = [name for name in NEEDED.get(account.channel, ()) if not _plain(getattr(known, name))]
        if empty:
            found[account.key] = [
                f"KAIRANBAN_ACCOUNTS__{account.key.upper()}__{name.upper()}" for name in empty
            ]
    return found


def shared_credentials(settings: Settings, accounts: Iterable[Account]) -> str:
    """What is wrong when two accounts would post as the same one, so that a drill would leave through the live one;
    "" when nothing is."""
    seen: dict[tuple[str, ...], str] = {}
    for account in accounts:
        known = settings.accounts.get(account.key)
        if not account.posts or known is None:
            continue
        secret = (account.channel, known.api_base, known.user, _plain(known.token), _plain(known.url))
        if secret in seen and any(secret[2:]):
            return (
                f"accounts: {seen[secret]} and {account.key} have the same credentials, so a drill would leave "
                "through the live account. Give each its own in [accounts.KEY]."
            )
        seen[secret] = account.key
    return ""


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


def _bluesky(account: Account, known: AccountSettings) -> Channel:
    from channels.bluesky import ORIGIN, BlueskyChannel

    return BlueskyChannel(
        user=known.user,
        token=_plain(known.token),
        api_base=known.api_base or ORIGIN,
        parts=account.parts or 4,
    )


def _x(account: Account, known: AccountSettings) -> Channel:
    from channels.x import ORIGIN, XChannel, XKeys

    keys = XKeys(*map(_plain, (known.app_key, known.app_secret, known.token, known.token_secret)))
    return XChannel(keys=keys, link=account.link, api_base=known.api_base or ORIGIN, parts=account.parts or 4)


def _facebook(account: Account, known: AccountSettings) -> Channel:
    from channels.facebook import ORIGIN, FacebookChannel

    return FacebookChannel(known.user, _plain(known.token), known.api_base or ORIGIN)


def _instagram(account: Account, known: AccountSettings) -> Channel:
    from channels.instagram import ORIGIN, InstagramChannel

    return InstagramChannel(known.user, _plain(known.token), known.api_base or ORIGIN)


def _threads(account: Account, known: AccountSettings) -> Channel:
    from channels.threads import ORIGIN, ThreadsChannel

    return ThreadsChannel(known.user, _plain(known.token), known.api_base or ORIGIN, account.parts or 4)


def _slack(account: Account, known: AccountSettings) -> Channel:
    from channels.slack import SlackChannel

    return SlackChannel(_plain(known.url))


def _discord(account: Account, known: AccountSettings) -> Channel:
    from channels.discord import DiscordChannel

    return DiscordChannel(_plain(known.url), account.parts or 4)


def _teams(account: Account, known: AccountSettings) -> Channel:
    from channels.teams import TeamsChannel

    return TeamsChannel(_plain(known.url))


_DESCRIBE: dict[ChannelName, Callable[[Account, AccountSettings], Channel]] = {
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "x": _x,
    "facebook": _facebook,
    "instagram": _instagram,
    "threads": _threads,
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
}

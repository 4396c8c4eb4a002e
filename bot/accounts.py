"""From the settings to channels: which credentials belong to which account of the town."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.posting import missing_of, posting_channel
from bot.reading import read_path
from bot.settings import Settings
from channels.channel import Channel, Recipient
from channels.mail.domains import DomainLimit, MailDomains
from content.keys import Keys
from content.register.bounce_addresses import bounce_local_part
from content.register.tokens import subscriber_token
from content.town import Account, ChannelName, Town

if TYPE_CHECKING:
    # The rest imports a channel where it describes one: most commands need none.
    from channels.line.api import LineApi


def channels_by_account(settings: Settings, keys: Keys) -> Callable[[Account], Channel]:
    """A function that describes the channel of an account of the town; nothing is connected.

    What is known of mail domains is known to all of them.
    """
    limits = settings.mail.domains
    domains = MailDomains(
        {name: DomainLimit(limit.rate, limit.connections) for name, limit in limits.items()}
    )

    describe: dict[ChannelName, Callable[[], Channel]] = {
        "line": lambda: _line(settings),
        "mail": lambda: _mail(settings, keys, domains),
        "webhook": lambda: _webhook(settings),
    }

    def channel_of(account: Account) -> Channel:
        return posting_channel(settings, account) if account.posts else describe[account.channel]()

    return channel_of


def line_api(settings: Settings) -> LineApi:
    """The parts of LINE's API that conversations and set-up need."""
    from channels.line.api import LineApi

    return LineApi(
        settings.line.api_base, settings.line.data_origin, settings.line.channel_token.get_secret_value()
    )


def missing_settings(settings: Settings, town: Town) -> list[str]:
    """The settings that the town's channels need and that are empty, as environment names."""
    needed = {
        "line": {
            # Buttons and links would lead residents to this machine's own loopback address.
            **({} if settings.line.is_sandbox else {"KAIRANBAN_WEB__PUBLIC_URL": settings.web.public_url}),
            "KAIRANBAN_LINE__CHANNEL_TOKEN": settings.line.channel_token.get_secret_value(),
            "KAIRANBAN_LINE__CHANNEL_SECRET": settings.line.channel_secret.get_secret_value(),
        },
        "mail": {
            "KAIRANBAN_MAIL__SMTP_URL": settings.mail.smtp_url.get_secret_value(),
            "KAIRANBAN_MAIL__FROM": settings.mail.sender,
        },
    }
    empty = [
        name for channel in town.channels for name, value in needed.get(channel, {}).items() if not value
    ]
    return [*empty, *(name for names in missing_of(settings, town.accounts).values() for name in names)]


def unsafe_links(settings: Settings, town: Town) -> str:
    """What is wrong with the address that mails carry for ending a registration; empty when nothing is.

    Mail programs follow List-Unsubscribe only by https (RFC 8058), and nobody can follow it to a loopback
    address. To try things out on one machine, say so: set PUBLIC_URL itself to a loopback address.
    """
    if "mail" not in town.channels:
        return ""
    parts = urlsplit(settings.web.public_url)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    ):
        return ""
    return (
        "Mail carries a link for ending the registration, and mail programs follow it by https only: set "
        "KAIRANBAN_WEB__PUBLIC_URL to the https:// address that residents reach. "
        "(To try things out on this machine alone: http://127.0.0.1:8080, written out.)"
    )


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _line(settings: Settings) -> Channel:
    from channels.line.channel import LineChannel

    return LineChannel(api_base=settings.line.api_base, token=settings.line.channel_token.get_secret_value())


def _webhook(settings: Settings) -> Channel:
    from channels.webhook.channel import WebhookChannel

    return WebhookChannel(allow_private=settings.webhook.allow_private)


def _mail(settings: Settings, keys: Keys, domains: MailDomains) -> Channel:
    from channels.mail.channel import MailChannel

    def unsubscribe_url(recipient: Recipient) -> str:
        """The page (GET) and one-click address (POST, RFC 8058) that ends one registration."""
        token = subscriber_token(keys, "unsubscribe", recipient.subscriber_id, recipient.salt)
        return f"{settings.public_url}/unsubscribe/{token}"

    def read_url(public_id: str, recipient: Recipient) -> str:
        return f"{settings.public_url}{read_path(keys, public_id, recipient.subscriber_id, recipient.salt)}"

    def message_mark(public_id: str, version_id: int) -> int:
        return keys.message_number(f"{public_id} {version_id}")

    bounce_domain = settings.mail.bounce_domain

    def bounce_address(version_id: int, recipient: Recipient) -> str:
        local = bounce_local_part(keys, recipient.subscriber_id, version_id, recipient.salt)
        return f"{local}@{bounce_domain}"

    sender_domain = parseaddr(settings.mail.sender)[1].rpartition("@")[2] or "localhost"
    domain = bounce_domain or sender_domain
    return MailChannel(
        smtp_url=settings.mail.smtp_url.get_secret_value(),
        sender=settings.mail.sender,
        list_id=f"notices.{domain}",
        unsubscribe_url=unsubscribe_url,
        read_url=read_url,
        message_mark=message_mark,
        settings_url=f"{settings.public_url}/preferences",
        message_domain=domain,
        domains=domains,
        # Without a domain of their own bounces come to the address that residents see.
        bounce_address=bounce_address if bounce_domain else None,
    )

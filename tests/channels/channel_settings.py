"""How the tests open channels towards servers on this machine."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from channels.mail.channel import MailChannel
from channels.mail.session import MailSession

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

# Starts an application on a free port and gives its origin.
Serve = Callable[[web.Application], Awaitable[str]]


def make_mail(port: int, scheme: str = "smtp", login: str = "", **options: object) -> MailSession:
    """A session of a mail channel to a port of this machine, impatient enough for tests."""
    settings = {"timeout": 2.0, "connections": 2, **options}
    return MailChannel(
        smtp_url=f"{scheme}://{login}127.0.0.1:{port}",
        sender="しばた市 <notice@shibata.example.jp>",
        list_id="notice.shibata.example.jp",
        unsubscribe_url=lambda reader: (
            f"https://notice.shibata.example.jp/unsubscribe/token-{reader.subscriber_id}"
        ),
        message_mark=lambda public_id, version: version,
        message_domain="shibata.example.jp",
        **settings,  # type: ignore[arg-type]
    ).open()

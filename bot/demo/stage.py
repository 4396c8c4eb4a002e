"""Everything the demo needs in one process: stand-ins, a fresh database with the seeded town, the service."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import structlog
from aiohttp import ClientSession, web
from pydantic import SecretStr

from bot import belonging
from bot.accounts import line_api
from bot.demo import seed
from bot.demo.plan import add_plan
from bot.line.menu_picture import NoPicture
from bot.line.rich_menu import set_up
from bot.server import running
from bot.service import Service, open_service
from bot.settings import LineSettings, MailSettings, Settings, WebhookSettings, WebSettings
from content.clock import now_ms
from content.database import Database
from content.key_file import create_key_file
from content.keys import load_keys
from content.register.registration import Registration, register_many
from content.schema import upgrade
from content.staff import member_changes
from content.staff.passwords import new_hash
from content.town import Town, load_town
from sandbox.line import SandboxOptions
from sandbox.line import create_app as create_line
from sandbox.mail.pages import create_app as create_inbox
from sandbox.mail.server import SmtpSandbox
from sandbox.webhook.receiver import WebhookSandbox
from sandbox.webhook.receiver import create_app as create_sink

log = structlog.get_logger(__name__)

STAFF = (
    ("bosai", "bosai-demo-2026", "editor", "防災係(お知らせを出す)"),
    ("kikaku", "kikaku-demo-2026", "planner", "企画係(登録数を報告し、計画の評価表を書く)"),
    ("admin", "admin-demo-2026", "administrator", "管理者"),
)
LINE_SECRET = hashlib.sha256(b"kairanban demo channel secret").hexdigest()[:32]
LINE_TOKEN = "demo-channel-token"  # noqa: S105 - of the stand-in
HOOK_SECRET = "whsec_" + base64.b64encode(hashlib.sha256(b"kairanban demo webhook").digest()).decode()


class PortTaken(Exception):
    """Another program listens there; the message names the port."""


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1; 0 means any free one."""

    web: int = 0
    line: int = 0
    inbox: int = 0
    hooks: int = 0

    @classmethod
    def from_first(cls, first: int) -> Ports:
        """Four in a row."""
        return cls(*range(first, first + 4))

    def refuse_taken(self) -> None:
        """Before anything is made. Raises PortTaken."""
        for port in filter(None, astuple(self)):
            with socket.socket() as probe:
                # As the servers do: what a program that has ended left behind does not count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise PortTaken(f"Port {port} of the demo is taken ({error.strerror})") from error


DEMO_PORTS = Ports(web=8080, line=8686, inbox=8687, hooks=8688)

DEMO_TOWN = Path(__file__).parent / "shibata.toml"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo. The addresses are origins without a trailing slash."""

    settings: Settings
    service: Service
    smtp: SmtpSandbox
    hooks: WebhookSandbox
    web_url: str
    line_url: str
    inbox_url: str
    hooks_url: str


@asynccontextmanager
async def staged(folder: Path, ports: Ports, say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Start everything, seed a new town in `folder`, yield, stop everything."""
    ports.refuse_taken()
    async with AsyncExitStack() as stack:
        smtp, hooks = SmtpSandbox(), WebhookSandbox(secrets={"shibata": HOOK_SECRET})
        smtp_port = await smtp.start()
        stack.push_async_callback(smtp.stop)
        web_port = ports.web or free_port()
        line_options = SandboxOptions(
            channel_secret=LINE_SECRET,
            channel_token=LINE_TOKEN,
            webhook_url=f"http://127.0.0.1:{web_port}/line/webhook",
        )
        line_url = await _serve(stack, create_line(line_options), ports.line)
        inbox_url = await _serve(stack, create_inbox(smtp), ports.inbox)
        hooks_url = await _serve(stack, create_sink(hooks), ports.hooks)
        settings = _settings(folder, web_port, line_url, smtp_port)
        say("町の登録を用意しています(LINE 2,800件・メール 1,200件・Webhook 1件)…")
        await _seed(settings, f"{hooks_url}/hooks/shibata {HOOK_SECRET}")
        service = await open_service(settings)
        smtp.faults.refuse = dict.fromkeys(
            seed.refused_mail_addresses(service.town), "550 5.1.1 no such user"
        )
        await _befriend(line_url, service.town)
        web_url = await stack.enter_async_context(running(service))
        api = line_api(settings)
        stack.push_async_callback(api.close)
        try:
            await set_up(service, api)
        except NoPicture as error:
            # The demo goes on without a menu below the chat.
            log.warning("rich_menu_impossible", reason=str(error))
        yield Stage(settings, service, smtp, hooks, web_url, line_url, inbox_url, hooks_url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Settings) -> dict[str, str]:
    """The same settings for a process of its own."""
    return {
        "KAIRANBAN_DATABASE_URL": settings.database_url.get_secret_value(),
        "KAIRANBAN_TOWN": str(settings.town),
        "KAIRANBAN_SECRET_KEY_FILE": str(settings.secret_key_file),
        "KAIRANBAN_WEB__LISTEN": settings.web.listen,
        "KAIRANBAN_WEB__PUBLIC_URL": settings.public_url,
        "KAIRANBAN_LINE__API_BASE": settings.line.api_base,
        "KAIRANBAN_LINE__CHANNEL_SECRET": settings.line.channel_secret.get_secret_value(),
        "KAIRANBAN_LINE__CHANNEL_TOKEN": settings.line.channel_token.get_secret_value(),
        "KAIRANBAN_MAIL__SMTP_URL": settings.mail.smtp_url.get_secret_value(),
        "KAIRANBAN_MAIL__FROM": settings.mail.sender,
        "KAIRANBAN_WEBHOOK__ALLOW_PRIVATE": "true",
    }


def _settings(folder: Path, web_port: int, line_url: str, smtp_port: int) -> Settings:
    return Settings(
        database_url=SecretStr(f"sqlite:///{folder}/kairanban.db"),
        town=DEMO_TOWN,
        secret_key_file=folder / "secret.key",
        web=WebSettings(listen=f"127.0.0.1:{web_port}", public_url=""),
        line=LineSettings(
            api_base=line_url,
            data_base=line_url,
            channel_secret=SecretStr(LINE_SECRET),
            channel_token=SecretStr(LINE_TOKEN),
        ),
        mail=MailSettings(
            smtp_url=SecretStr(f"smtp://127.0.0.1:{smtp_port}"),
            sender="柴田町 <oshirase@town.example.jp>",
            bounce_domain="town.example.jp",
        ),
        webhook=WebhookSettings(allow_private=True),
    )


async def _serve(stack: AsyncExitStack, app: web.Application, port: int) -> str:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _seed(settings: Settings, hook_address: str) -> None:
    create_key_file(settings.secret_key_file)
    keys, town = load_keys(settings.secret_key_file), load_town(settings.town)
    database = Database(settings.database_url.get_secret_value())
    await upgrade(database)
    keys = await belonging.bind(database, town, keys)
    registrations: list[Registration] = [
        *seed.line_registrations(town),
        *seed.mail_registrations(town),
        seed.webhook_registration(town, hook_address),
    ]
    hashes = {login: await new_hash(password, login) for login, password, _, _ in STAFF}
    async with database.write() as connection:
        await register_many(connection, keys, registrations, reason="demo")
        await add_plan(connection, town, now_ms())
        for login, _, role, _ in STAFF:
            await member_changes.add(
                connection, login=login, password_hash=hashes[login], role=role, at=now_ms()
            )
    await database.close()


async def _befriend(line_url: str, town: Town) -> None:
    """The stand-in's residents: every seeded registration, and the personas to play."""
    registered = seed.line_registrations(town)
    friends = [item.address for item in registered if item.left_at is None]
    blocked = [item.address for item in registered if item.left_at is not None]
    async with ClientSession() as session:
        for persona in seed.PERSONAS:
            await _create_users(session, line_url, [persona.user_id], "none", persona.name, persona.language)
        await _create_users(session, line_url, friends, "friend")
        await _create_users(session, line_url, blocked, "blocked")


async def _create_users(
    session: ClientSession, line_url: str, ids: list[str], state: str, name: str = "", language: str = "ja"
) -> None:
    body = {
        "userIds": ids,
        "displayNames": [name] * len(ids)
        if name
        else [f"住民{number:04d}" for number in range(1, len(ids) + 1)],
        "language": language,
        "state": state,
    }
    async with session.post(f"{line_url}/_sandbox/users", json=body) as answer:
        answer.raise_for_status()

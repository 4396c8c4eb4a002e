"""The only seam for outgoing SMTP: where to connect, how to get in, and connections kept between batches.

aiosmtplib opens the connection (TLS, authentication); `smtp_session` takes over from there.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote, urlsplit

import aiosmtplib

from channels.channel import AccountStopped, TemporaryFailure
from channels.mail.smtp_session import SmtpSession
from channels.reasons import Reason

DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
# Seconds in which a connection that has just been used is taken again without asking.
FRESH = 1.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where to connect, read from a URL `smtp|smtps|smtp+starttls://user:password@host:port`."""

    scheme: str
    host: str
    port: int
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """Raises ValueError when the scheme is unknown or the host is missing; the message holds no password."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("the SMTP URL must look like smtp+starttls://user:password@host:587")
    return SmtpServer(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


class SmtpPool:
    """At most `connections` connections to one server, kept open between slices, and one that waits for a slow domain.

    `timeout` in seconds per reply, `stall` for the reply to RCPT; `local_hostname` is our name in EHLO; `tls` replaces the system's
    certificate authorities. Raises ValueError for an unusable URL.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        timeout: float,
        stall: float,
        local_hostname: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = parse_smtp_url(url)
        self._timeout = timeout
        self._stall = stall
        self._local_hostname = local_hostname
        self._tls = tls
        self._free = asyncio.Semaphore(connections)
        self._idle: list[SmtpSession] = []
        # Waits for a domain that takes its time; its place was given to another.
        self._waits: SmtpSession | None = None

    async def acquire(self) -> SmtpSession:
        """An open connection, yours until `release`. Raises TemporaryFailure or AccountStopped."""
        await self._free.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if await connection.alive(FRESH):
                    return connection
                connection.abort()
            return await open_connection(
                self._server, self._timeout, self._stall, self._local_hostname, self._tls
            )
        except BaseException:
            self._free.release()
            raise

    def release(self, connection: SmtpSession) -> None:
        """Give a connection back; one that is broken or in the middle of something is closed."""
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.abort()
        if self._waits is connection:
            self._waits = None
        else:
            self._free.release()

    def lend(self, connection: SmtpSession) -> None:
        """This one waits for a domain that takes its time: another may be opened in its place, so that the mail of
        others loses nothing. One at a time; more than one domain may hang.
        """
        if self._waits is None:
            self._waits = connection
            self._free.release()

    async def close(self) -> None:
        """Say QUIT on the idle connections."""
        while self._idle:
            await self._idle.pop().quit()


async def open_connection(
    server: SmtpServer,
    timeout: float,
    stall: float,
    local_hostname: str,
    tls: ssl.SSLContext | None = None,
) -> SmtpSession:
    """Connect, secure and log in. Raises TemporaryFailure, or AccountStopped when the login is refused."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        local_hostname=local_hostname,
        timeout=timeout,
        use_tls=server.scheme == "smtps",
        # True, not None: with None a server (or someone in between) that hides STARTTLS gets plain text.
        start_tls=server.scheme == "smtp+starttls",
        tls_context=tls,
    )
    try:
        await client.connect()
        await _introduce(client)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _login_failed(temporary=400 <= error.code < 500) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise _cannot_connect(error, server) from None
    session = SmtpSession(
        timeout=timeout,
        stall=stall,
        pipelining=client.supports_extension("pipelining"),
        size=_size(client),
        utf8=client.supports_extension("smtputf8"),
    )
    session.attach(cast(asyncio.Transport, client.transport))
    return session


def _size(client: aiosmtplib.SMTP) -> int:
    """The largest mail that the server announces (RFC 1870); 0 for no limit or an unknown one."""
    announced = client.esmtp_extensions.get("size", "")
    return int(announced) if announced.isdecimal() else 0


async def _introduce(client: aiosmtplib.SMTP) -> None:
    """EHLO if securing and logging in did not need it yet; HELO for servers that know no extensions."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()


def _login_failed(*, temporary: bool) -> TemporaryFailure | AccountStopped:
    if temporary:
        return TemporaryFailure(Reason.AUTHENTICATION, "メールサーバーへのログインが一時的にできません。")
    message = "メールサーバーがユーザー名とパスワードを受け付けません。設定を直してください。"
    return AccountStopped(Reason.AUTHENTICATION, message)


def _cannot_connect(error: Exception, server: SmtpServer) -> TemporaryFailure | AccountStopped:
    # aiosmtplib has no type of its own for these two; replies of the server are subclasses.
    text = str(error) if type(error) is aiosmtplib.SMTPException else ""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return TemporaryFailure(Reason.TLS, "メールサーバーとの暗号化（TLS）ができませんでした。")
    if "STARTTLS" in text and "not supported" in text:
        return TemporaryFailure(
            Reason.TLS, "メールサーバーがSTARTTLSに対応していないため、送信しませんでした。"
        )
    if "AUTH" in text or "authentication method" in text:
        message = "メールサーバーがこの方法のログインに対応していません。設定を直してください。"
        return AccountStopped(Reason.AUTHENTICATION, message)
    return TemporaryFailure(
        Reason.UNREACHABLE, f"メールサーバー（{server.host}:{server.port}）に接続できません。"
    )

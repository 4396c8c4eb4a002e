"""The only seam for outgoing HTTP: one session per channel instance, and errors that say what is known.

A request that certainly never left raises TemporaryFailure; one that may have been acted upon raises
UnknownOutcome. Every status is an answer and is handed back: what it means is the channel's to say.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from channels.channel import TemporaryFailure, UnknownOutcome
from channels.exchanges import LISTENER, Exchange, readable_path
from channels.reasons import Reason

ANSWER_LIMIT = 1_000_000
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that IANA has given out as global unicast; outside of it lie mapped, translated, site-local and
# discard-only addresses and whatever the registries will add.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Of IANA's special-purpose registries, what `is_global` lets pass: protocol assignments, AS112, AMT, the
# old 6to4 relay, documentation. No receiver lives there.
SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "2001::/23",
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class UnusableUrl(Exception):
    """No request can ever go to this URL."""


class PrivateAddress(UnusableUrl, OSError):
    """The host lies in a private, loopback or otherwise unroutable network, and that is not allowed here."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers (case-insensitive) and the first megabyte of the body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds from `Retry-After` (RFC 9110 §10.2.3: seconds or a date), None when absent or unreadable."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isdecimal():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time())
        except ValueError:
            return None


class HttpClient:
    """Posts and gets with one pooled session, no redirects, no proxy from the environment, no cookies.

    `timeout` is the whole exchange and `connect_timeout` the connection, in seconds. With
    `allow_private=False` hosts in private networks are refused at the moment of connecting, so that
    a name that changes its address between check and use gains nothing. `names_host`: records of exchanges may
    say which host it was; not where that is somebody's address.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        connect_timeout: float = 5.0,
        connections: int = 20,
        allow_private: bool = True,
        names_host: bool = True,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout)
        self._connections = connections
        self._allow_private = allow_private
        self._names_host = names_host
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        answer_limit: int = ANSWER_LIMIT,
    ) -> HttpAnswer:
        """The answer, whatever its status.

        Raises UnusableUrl or PrivateAddress, TemporaryFailure when nothing was sent, UnknownOutcome when
        the request was on its way and no whole answer came back.
        """
        if not self._allow_private:
            refuse_private_literal(url)
        exchange = SimpleNamespace(sent=False)
        begun, status, failure = time(), None, str(Reason.NO_ANSWER)
        try:
            async with self._open().request(
                method,
                URL(url),
                headers=headers,
                data=body,
                allow_redirects=False,
                trace_request_ctx=exchange,
            ) as response:
                status = response.status
                content = await _read(response.content, answer_limit)
                failure = ""
                return HttpAnswer(response.status, response.headers, content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            explained = _explain(error, sent=exchange.sent)
            failure = str(getattr(explained, "reason", Reason.INVALID_ADDRESS))
            raise explained from None
        finally:
            self._tell(method, url, status, failure, begun)

    def _tell(self, method: str, url: str, status: int | None, failure: str, begun: float) -> None:
        listener = LISTENER.get()
        if listener is None:
            return
        host = (URL(url).host or "") if self._names_host else ""
        took = round((time() - begun) * 1000)
        listener(Exchange(round(begun * 1000), method, host, readable_path(url), status, failure, took))

    async def close(self) -> None:
        """Close the pooled connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                trace_configs=[_mark_when_sent()],
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        resolver: AbstractResolver = aiohttp.ThreadedResolver()
        if not self._allow_private:
            resolver = PublicResolver(resolver)
        return aiohttp.TCPConnector(limit=self._connections, limit_per_host=0, resolver=resolver)


class PublicResolver(AbstractResolver):
    """Resolves through another resolver and refuses a name with any address that is not public."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises PrivateAddress."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(entry["host"]) for entry in found):
            raise PrivateAddress("the name leads into a private network")
        return found

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an IP address is reachable on the public Internet; embedded IPv4 addresses count as themselves."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if isinstance(ip, ipaddress.IPv6Address) and ip in NAT64:
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in SPECIAL)


def refuse_private_literal(url: str) -> None:
    """Raise PrivateAddress when the host is written as a private IP address: those never reach a resolver."""
    host = URL(url).host or ""
    try:
        public = is_public(host)
    except ValueError:
        return
    if not public:
        raise PrivateAddress("the address lies in a private network")


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes:
    """At most `limit` bytes: an endless answer must not fill the memory."""
    content = bytearray()
    while len(content) < limit and (chunk := await stream.read(limit - len(content))):
        content += chunk
    return bytes(content)


def _mark_when_sent() -> aiohttp.TraceConfig:
    async def mark(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _params: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        context.trace_request_ctx.sent = True

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(mark)
    return trace


def _explain(error: Exception, *, sent: bool) -> Exception:
    """The error as the channels know it. The original is dropped: it may hold the URL."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, PrivateAddress):
        return PrivateAddress("the host lies in a private network")
    if isinstance(error, aiohttp.InvalidURL):
        return UnusableUrl("the URL is not one that can be requested")
    if sent:
        return UnknownOutcome(
            Reason.NO_ANSWER, "送信後に応答が途切れました。受け付けられたかどうか分かりません。"
        )
    if isinstance(error, TimeoutError):
        return TemporaryFailure(Reason.CONNECT_TIMEOUT, "接続が時間内にできませんでした。")
    return TemporaryFailure(Reason.UNREACHABLE, "相手のサーバーに接続できませんでした。")

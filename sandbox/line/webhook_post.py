"""One POST to the bot server, and what came of it."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from sandbox.line.errors import Json
from sandbox.line.platform import Account, Platform
from sandbox.line.signature import sign

_CASES = {"lower": str.lower, "title": str.title, "upper": str.upper}


@dataclass(frozen=True, slots=True)
class Result:
    """`reason` is ok, could_not_connect, request_timeout, error_status_code or unclassified; `ms` real time."""

    status: int | None
    reason: str
    ms: float

    @property
    def ok(self) -> bool:
        """Whether the bot server answered 2xx in time."""
        return self.reason == "ok"


class Poster:
    """Signs and sends. The session is made when it is first needed, inside the running loop."""

    def __init__(self, platform: Platform, account: Account) -> None:
        self._platform = platform
        self._account = account
        self._session: aiohttp.ClientSession | None = None

    async def send(self, events: list[Json], faults: set[str], url: str | None = None) -> Result:
        """POST these events; `faults` may hold badSignature, noSignature and wrongSecret."""
        payload = {"destination": self._account.bot_user_id, "events": events}
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        target = url or self._account.webhook.url or ""
        started = time.perf_counter()
        status, reason = await self._post(target, body, self._headers(body, faults))
        return Result(status, reason, round((time.perf_counter() - started) * 1000, 3))

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _headers(self, body: bytes, faults: set[str]) -> dict[str, str]:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": self._signature(body, faults),
        }
        if "noSignature" in faults:
            del headers["x-line-signature"]
        recase = _CASES[self._platform.config["webhook.headerCase"]]
        return {recase(name): value for name, value in headers.items()}

    def _signature(self, body: bytes, faults: set[str]) -> str:
        if "badSignature" in faults:
            return sign(self._account.secret, body + b" ")
        if "wrongSecret" in faults:
            return sign("0" * 32, body)
        return sign(self._account.secret, body)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        timeout = aiohttp.ClientTimeout(total=self._account.webhook.timeout_ms / 1000)
        if not may_reach(url, self._platform.options.allow_remote):
            return None, "could_not_connect"
        try:
            async with self._open().post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, "ok" if 200 <= answer.status < 300 else "error_status_code"
        except TimeoutError:
            return None, "request_timeout"
        except aiohttp.ClientConnectionError:
            return None, "could_not_connect"
        except (aiohttp.ClientError, ValueError, asyncio.IncompleteReadError):
            return None, "unclassified"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session


def may_reach(url: str, allow_remote: bool) -> bool:
    """Whether the sandbox sends to this address: loopback only, unless told otherwise."""
    host = urlsplit(url).hostname or ""
    return allow_remote or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

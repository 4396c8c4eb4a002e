"""LINE's webhook: check the signature, store the events, answer. What they mean is handled afterwards.

LINE waits two seconds and may suspend a server that fails for long, so nothing else happens here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import structlog
from aiohttp import web

from bot.forms import read_body
from bot.service import SERVICE, Service
from content.clock import now_ms
from content.register import inbound_events

log = structlog.get_logger(__name__)

PATH = "/line/webhook"
SIGNATURE = "x-line-signature"
EVENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
LATEST_TIME = 2**53


def add_routes(app: web.Application) -> None:
    """`POST /line/webhook`."""
    app.router.add_post(PATH, receive)


async def receive(request: web.Request) -> web.Response:
    """403 for a body that LINE did not sign, 400 for one that is no webhook, else 200 once it is stored."""
    service = request.app[SERVICE]
    raw = await read_body(request)
    secret = service.settings.line.channel_secret.get_secret_value()
    if not is_signed(secret, raw, request.headers.get(SIGNATURE, "")):
        log.warning(
            "webhook_refused", reason="signature" if secret else "KAIRANBAN_LINE__CHANNEL_SECRET is empty"
        )
        return web.Response(status=403, text="signature does not match\n")
    account = service.town.live_account("line")
    if account is None:
        return web.Response(status=404, text="the town has no live LINE account\n")
    events = _events(raw)
    if events is None:
        log.warning("webhook_refused", reason="shape")
        return web.Response(status=400, text="not a webhook\n")
    await _store(service, account.key, events)
    return web.Response(text="ok\n")


def is_signed(secret: str, raw: bytes, signature: str) -> bool:
    """Whether base64(HMAC-SHA256(secret, raw body)) is the signature. An empty secret signs nothing."""
    expected = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256))
    return bool(secret) and hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def event_id(event: dict[str, Any]) -> str:
    """The platform's id, else one of the content, without what differs between two copies."""
    given = event.get("webhookEventId")
    if isinstance(given, str) and EVENT_ID.fullmatch(given):
        return given
    same = {name: value for name, value in event.items() if name != "deliveryContext"}
    return f"hash-{hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:40]}"


def _events(raw: bytes) -> list[dict[str, Any]] | None:
    """The events of a webhook, [] when LINE only tries the address, None when it is no webhook."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return None
    return [_storable(event) for event in events]


def _storable(event: dict[str, Any]) -> dict[str, Any]:
    # Half an emoji (a lone surrogate) is valid in JSON and in no encoding that can be stored.
    text = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    storable: dict[str, Any] = json.loads(text)
    return storable


async def _store(service: Service, account: str, events: list[dict[str, Any]]) -> None:
    if not events:
        return
    now = now_ms()
    async with service.database.write(wake="inbox") as connection:
        for event in events:
            at = _timestamp(event, now)
            await inbound_events.store(
                connection,
                service.keys,
                event_id=event_id(event),
                account=account,
                payload={**event, "timestamp": at},
                occurred_at=at,
                received_at=now,
            )


def _timestamp(event: dict[str, Any], now: int) -> int:
    at = event.get("timestamp")
    return at if isinstance(at, int) and not isinstance(at, bool) and 0 < at < LATEST_TIME else now

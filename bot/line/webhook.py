"""LINE's webhook: check the signature, store the events, answer. What they mean is handled afterwards.

LINE waits two seconds and may suspend a server that fails for long, so nothing else happens here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bot.app_keys import SERVICE
from bot.forms import read_body
from bot.service import Service
from content.clock import MINUTE, now_ms
from content.database import as_step
from content.register import inbound_events
from content.register.inbound_events import Arrival

log = structlog.get_logger(__name__)

PATH = "/line/webhook"
SIGNATURE = "x-line-signature"
EVENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
# How far LINE's clock may be ahead of ours.
CLOCKS_DIFFER = 5 * MINUTE
# So many events as LINE writes them do not fit into a body that is let in; what is beyond is somebody else's, and is
# refused before it costs anything.
MOST_EVENTS = 5_000
# Events that are sealed and written in one go.
SLICE = 500
# So few are sealed in less time than it takes to hand them to a thread and back.
FEW = 10
# Seconds that a webhook waits for others, to be written with them: thousands may come at once.
MAX_WAIT = 0.01


def add_routes(app: web.Application) -> None:
    """`POST /line/webhook`."""
    app.router.add_post(PATH, receive)


async def receive(request: web.Request) -> web.Response:
    """403 for a body that LINE did not sign, 400 for one that is no webhook, else 200 once it is stored.

    While nothing can be written the answer is 500, so that LINE sends it again.
    """
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
    if len(events) > MOST_EVENTS:
        log.warning("webhook_refused", reason="too many events", number=len(events))
        return web.Response(status=413, text="too many events\n")
    with service.context.urgent_priority.answering():
        await _store(service, account.key, [_storable(event) for event in events])
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
    return events


def _storable(event: dict[str, Any]) -> dict[str, Any]:
    # Half an emoji (a lone surrogate) is valid in JSON and in no encoding that can be stored.
    text = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    storable: dict[str, Any] = json.loads(text)
    return storable


async def _store(service: Service, account: str, events: list[dict[str, Any]]) -> None:
    """In slices, so that nobody waits long for the database: a copy that LINE sends again changes nothing."""
    now = now_ms()
    for start in range(0, len(events), SLICE):
        arrivals = [_arrival(event, account, now) for event in events[start : start + SLICE]]
        rows = await _seal(service, arrivals, now)
        await service.database.write_step(
            as_step(partial(inbound_events.store, rows=rows)), wake="inbox", max_wait=MAX_WAIT
        )


async def _seal(service: Service, arrivals: list[Arrival], now: int) -> list[dict[str, Any]]:
    if len(arrivals) <= FEW:
        return inbound_events.sealed_rows(service.keys, arrivals, now)
    return await asyncio.to_thread(inbound_events.sealed_rows, service.keys, arrivals, now)


def _arrival(event: dict[str, Any], account: str, now: int) -> Arrival:
    at = _timestamp(event, now)
    return Arrival(event_id(event), account, at, {**event, "timestamp": at})


def _timestamp(event: dict[str, Any], now: int) -> int:
    """LINE's time of the event; ours when there is none, or one that would outdate everything to come."""
    at = event.get("timestamp")
    if not isinstance(at, int) or isinstance(at, bool):
        return now
    return at if 0 < at <= now + CLOCKS_DIFFER else now

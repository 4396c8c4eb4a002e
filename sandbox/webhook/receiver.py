"""A webhook receiver that keeps and shows what it gets, checks the signatures, and fails on request.

`POST /hooks/{name}` takes an event. Give a hook its secret with `secrets` or `PUT /api/hooks/{name}`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import time
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sandbox.layout import environment, page, require_loopback

SHOWN = 200

TEMPLATES = environment(
    {
        "hooks": """{% extends "layout" %}
{% block title %}届いた Webhook{% endblock %}
{% block main %}
<p>届いた数 {{ stats.received }}、署名が正しくないもの {{ stats.invalid }}、同じ webhook-id の重複 {{ stats.duplicates }}。
<span lang="en">Received, with an invalid signature, duplicates by webhook-id.</span></p>
{% if arrivals %}
<table>
<caption>新しい順（{{ arrivals|length }} 件を表示） <span lang="en">Newest first</span></caption>
<thead><tr><th scope="col">時刻 <span lang="en">Time</span></th><th scope="col">宛先 <span lang="en">Hook</span></th>
<th scope="col">署名 <span lang="en">Signature</span></th><th scope="col">題名 <span lang="en">Title</span></th>
<th scope="col">内容 <span lang="en">Content</span></th></tr></thead>
<tbody>
{% for arrival in arrivals %}
<tr><td>{{ arrival.received_at|clock }}</td><td>{{ arrival.hook }}</td>
<td>{% if arrival.valid %}<span class="good">✔ 正しい <span lang="en">valid</span></span>
{% elif arrival.valid is none %}未確認 <span lang="en">no secret set</span>
{% else %}<span class="bad">✘ 正しくない <span lang="en">invalid</span></span>{% endif %}</td>
<td>{{ arrival.title }}</td>
<td><details><summary>JSON</summary><pre tabindex="0">{{ arrival.pretty }}</pre></details></td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>まだ届いていません。<span lang="en">Nothing yet.</span></p>
{% endif %}
{% endblock %}""",
    }
)


@dataclass(slots=True)
class WebhookFaults:
    """`status` is answered instead of 204 when not 0; `delay_ms` passes first; `retry_after` is sent when not "".

    `page` is answered with 200 as HTML when not "", as by a portal that stands in between and wants a login.
    """

    status: int = 0
    delay_ms: int = 0
    retry_after: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. `valid` is None when no secret is known for the hook. `status` is what was answered."""

    number: int
    received_at: int
    hook: str
    webhook_id: str
    valid: bool | None
    status: int
    body: str = field(repr=False)

    @property
    def event(self) -> Any:
        """The parsed JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def title(self) -> str:
        """The first title of the event, for the list."""
        try:
            return str(self.event["data"]["texts"][0]["title"])
        except (KeyError, IndexError, TypeError):
            return ""

    @property
    def pretty(self) -> str:
        """The body for people."""
        return json.dumps(self.event, ensure_ascii=False, indent=2) if self.event is not None else self.body


class WebhookSandbox:
    """The stand-in: `arrivals` the newest `keep` requests, `secrets` by hook name, `faults` what goes wrong."""

    def __init__(self, *, secrets: Mapping[str, str] | None = None, keep: int = 10_000) -> None:
        self.secrets = dict(secrets or {})
        self.faults = WebhookFaults()
        self.arrivals: deque[Arrival] = deque(maxlen=keep)
        self.clear()

    def clear(self) -> None:
        """Forget what arrived."""
        self.arrivals.clear()
        self.received = 0
        self.invalid = 0
        self.webhook_ids: Counter[str] = Counter()

    def add(self, hook: str, headers: Mapping[str, str], body: str, status: int) -> Arrival:
        """Check and keep one request."""
        valid = self._check(hook, headers, body)
        identifier = headers.get("webhook-id", "")
        self.received += 1
        self.invalid += valid is False
        self.webhook_ids[identifier] += 1
        arrival = Arrival(self.received, int(time() * 1000), hook, identifier, valid, status, body)
        self.arrivals.append(arrival)
        return arrival

    def stats(self) -> dict[str, int]:
        """`duplicates` counts requests beyond the first with the same webhook-id."""
        duplicates = self.received - len(self.webhook_ids)
        return {"received": self.received, "invalid": self.invalid, "duplicates": duplicates}

    def _check(self, hook: str, headers: Mapping[str, str], body: str) -> bool | None:
        secret = self.secrets.get(hook)
        if secret is None:
            return None
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            return False
        return True


SANDBOX = web.AppKey("sandbox", WebhookSandbox)


def create_app(sandbox: WebhookSandbox) -> web.Application:
    """The receiver at "/hooks/{name}", its page at "/", JSON under "/api/"; can be mounted under a prefix."""
    app = web.Application()
    app[SANDBOX] = sandbox
    app.add_routes(
        [
            web.post("/hooks/{name}", _receive),
            web.get("/", _show),
            web.get("/api/messages", _api_messages),
            web.delete("/api/messages", _api_clear),
            web.get("/api/stats", _api_stats),
            web.put("/api/hooks/{name}", _api_set_secret),
            web.get("/api/faults", _api_faults),
            web.put("/api/faults", _api_set_faults),
        ]
    )
    return app


async def run(host: str, port: int) -> None:
    """Serve until cancelled."""
    require_loopback(host)
    runner = web.AppRunner(create_app(WebhookSandbox()))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _receive(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    faults = sandbox.faults
    body = (await request.read()).decode("utf-8", "replace")
    if faults.delay_ms:
        await asyncio.sleep(faults.delay_ms / 1000)
    status = faults.status or (200 if faults.page else 204)
    arrival = sandbox.add(request.match_info["name"], request.headers, body, status)
    if faults.status:
        headers = {"Retry-After": faults.retry_after} if faults.retry_after else {}
        return web.Response(status=faults.status, headers=headers)
    if faults.page:
        return web.Response(text=faults.page, content_type="text/html")
    return web.Response(status=401 if arrival.valid is False else 204)


async def _show(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    newest = list(reversed(sandbox.arrivals))[:SHOWN]
    return page(TEMPLATES, "hooks", stats=sandbox.stats(), arrivals=newest)


async def _api_messages(request: web.Request) -> web.Response:
    hook = request.query.get("hook")
    found = [arrival for arrival in request.app[SANDBOX].arrivals if hook in (None, arrival.hook)]
    return web.json_response([{**asdict(arrival), "event": arrival.event} for arrival in found])


async def _api_clear(request: web.Request) -> web.Response:
    request.app[SANDBOX].clear()
    return web.Response(status=204)


async def _api_stats(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].stats())


async def _api_set_secret(request: web.Request) -> web.Response:
    content = await request.json()
    request.app[SANDBOX].secrets[request.match_info["name"]] = str(content["secret"])
    return web.Response(status=204)


async def _api_faults(request: web.Request) -> web.Response:
    return web.json_response(asdict(request.app[SANDBOX].faults))


async def _api_set_faults(request: web.Request) -> web.Response:
    try:
        request.app[SANDBOX].faults = WebhookFaults(**await request.json())
    except (TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return await _api_faults(request)

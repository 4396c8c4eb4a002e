"""Control API: channels, clock, knobs, faults, scenarios."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.line.assertions import read_jwk
from sandbox.line.burst import start_burst
from sandbox.line.control import answer, body_of, channel_of, problem, sandbox_of
from sandbox.line.errors import Json
from sandbox.line.scenarios import SCENARIOS, start_scenario
from sandbox.line.state import ACCOUNT_TYPES, Channel, LineSandbox
from sandbox.line.webhook_api import acceptable, verify

_CHANNEL_FIELDS = {
    "channelId": "channel_id",
    "channelSecret": "secret",
    "channelToken": "token",
    "displayName": "name",
    "basicId": "basic_id",
    "accountType": "account_type",
    "plan": "plan",
    "webhookUrl": "webhook_url",
}


async def reset(request: web.Request) -> web.Response:
    """`POST /_sandbox/reset {"seed"?}`: as if started anew."""
    sandbox, body = sandbox_of(request), await body_of(request)
    seed = body.get("seed", sandbox.options.seed)
    if not isinstance(seed, int):
        raise problem(400, "seed must be a whole number")
    await sandbox.reset(seed)
    return answer({"ok": True})


async def list_channels(request: web.Request) -> web.Response:
    """`GET /_sandbox/channels`."""
    return answer({"channels": [channel.public() for channel in sandbox_of(request).channels.values()]})


async def add_channel(request: web.Request) -> web.Response:
    """`POST /_sandbox/channels`: all fields optional, see LineSandbox.add_channel."""
    body = await body_of(request)
    wanted = {_CHANNEL_FIELDS[name]: value for name, value in body.items() if name in _CHANNEL_FIELDS}
    try:
        channel = sandbox_of(request).add_channel(**wanted)
    except ValueError as error:
        raise problem(400, str(error)) from None
    return answer(channel.public(), 201)


async def patch_channel(request: web.Request) -> web.Response:
    """`PATCH /_sandbox/channels/{id}`: plan, accountType, displayName, webhook {url, active, …}."""
    sandbox, body = sandbox_of(request), await body_of(request)
    channel = sandbox.channels.get(request.match_info["channelId"])
    if channel is None:
        raise problem(404, "no such channel")
    try:
        _change_channel(sandbox, channel, body)
    except (AttributeError, TypeError, ValueError) as error:
        raise problem(400, str(error)) from None
    return answer(channel.public())


async def add_assertion_key(request: web.Request) -> web.Response:
    """`POST /_sandbox/channels/{id}/assertion-keys {"jwk"}`: what LINE's console does; answers the `kid`."""
    sandbox, body = sandbox_of(request), await body_of(request)
    channel_id = request.match_info["channelId"]
    if channel_id not in sandbox.channels:
        raise problem(404, "no such channel")
    try:
        key = read_jwk(body.get("jwk"))
    except ValueError as error:
        raise problem(400, str(error)) from None
    kid = sandbox.ids.alnum(36)
    sandbox.assertion_keys[kid] = (channel_id, key)
    return answer({"kid": kid}, 201)


async def get_clock(request: web.Request) -> web.Response:
    """`GET /_sandbox/clock`: now in ms since the epoch."""
    return answer(_clock(sandbox_of(request)))


async def put_clock(request: web.Request) -> web.Response:
    """`PUT /_sandbox/clock {"now"?: ms, "rate"?: >0, "frozen"?: bool}`."""
    sandbox, body = sandbox_of(request), await body_of(request)
    now, rate, frozen = body.get("now"), body.get("rate"), body.get("frozen")
    if rate is not None and not (isinstance(rate, int | float) and rate > 0):
        raise problem(400, "rate must be a number above 0")
    if now is not None and not isinstance(now, int | float):
        raise problem(400, "now must be milliseconds since the epoch")
    sandbox.clock.set(now_ms=now, rate=rate, frozen=frozen if isinstance(frozen, bool) else None)
    return answer(_clock(sandbox))


async def advance_clock(request: web.Request) -> web.Response:
    """`POST /_sandbox/clock/advance {"seconds"}`."""
    sandbox, body = sandbox_of(request), await body_of(request)
    seconds = body.get("seconds")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise problem(400, "seconds must be a number from 0")
    sandbox.clock.advance(seconds)
    return answer(_clock(sandbox))


async def get_config(request: web.Request) -> web.Response:
    """`GET /_sandbox/config`: every knob."""
    return answer(sandbox_of(request).config.values)


async def put_config(request: web.Request) -> web.Response:
    """`PUT /_sandbox/config`: the knobs to change, all or none."""
    sandbox = sandbox_of(request)
    try:
        sandbox.config.change(await body_of(request))
    except ValueError as error:
        raise problem(400, str(error)) from None
    return answer(sandbox.config.values)


async def list_faults(request: web.Request) -> web.Response:
    """`GET /_sandbox/faults`: the rules with how often each struck."""
    return answer({"faults": [rule.public() for rule in sandbox_of(request).faults.rules.values()]})


async def add_fault(request: web.Request) -> web.Response:
    """`POST /_sandbox/faults {"target", "action", "match"?, "times"?, "stage"?}`."""
    sandbox, body = sandbox_of(request), await body_of(request)
    try:
        rule = sandbox.faults.add(body)
    except ValueError as error:
        raise problem(400, str(error)) from None
    if rule.action["type"] == "burst":
        start_burst(sandbox, channel_of(request), rule)
    return answer(rule.public(), 201)


async def remove_faults(request: web.Request) -> web.Response:
    """`DELETE /_sandbox/faults[/{id}]`: also ends an outage and gives revoked long-lived tokens back; without an id
    what scenarios changed is as it was before them."""
    sandbox = sandbox_of(request)
    rule_id = request.match_info.get("faultId")
    if not sandbox.faults.remove(rule_id):
        raise problem(404, "no such fault")
    while rule_id is None and sandbox.undo:
        sandbox.undo.pop()()
    sandbox.tokens.restore()
    end_outage(sandbox)
    return answer({"ok": True})


async def run_scenario(request: web.Request) -> web.Response:
    """`POST /_sandbox/scenarios/{name}`: a named combination of faults and knobs."""
    name = request.match_info["name"]
    if name not in SCENARIOS:
        raise problem(404, f"scenarios are {', '.join(SCENARIOS)}")
    return answer({"scenario": name, **start_scenario(sandbox_of(request), channel_of(request), name)}, 201)


async def verify_webhook(request: web.Request) -> web.Response:
    """`POST /_sandbox/webhook/verify {"url"?}`: the console's Verify button."""
    channel, body = channel_of(request), await body_of(request)
    url = body.get("url") or channel.webhook.url
    if url is None:
        raise problem(409, "the channel has no webhook URL")
    return answer(await verify(sandbox_of(request), channel, str(url)))


def end_outage(sandbox: LineSandbox) -> None:
    """Let the platform work again at once."""
    if sandbox.outage_until_ms:
        sandbox.outage_until_ms = 0
        sandbox.clock.advance(0)


def add_routes(app: web.Application) -> None:
    """Mount these handlers."""
    router = app.router
    router.add_post("/_sandbox/reset", reset)
    router.add_get("/_sandbox/channels", list_channels)
    router.add_post("/_sandbox/channels", add_channel)
    router.add_patch("/_sandbox/channels/{channelId}", patch_channel)
    router.add_post("/_sandbox/channels/{channelId}/assertion-keys", add_assertion_key)
    router.add_get("/_sandbox/clock", get_clock)
    router.add_put("/_sandbox/clock", put_clock)
    router.add_post("/_sandbox/clock/advance", advance_clock)
    router.add_get("/_sandbox/config", get_config)
    router.add_put("/_sandbox/config", put_config)
    router.add_get("/_sandbox/faults", list_faults)
    router.add_post("/_sandbox/faults", add_fault)
    router.add_delete("/_sandbox/faults", remove_faults)
    router.add_delete("/_sandbox/faults/{faultId}", remove_faults)
    router.add_post("/_sandbox/scenarios/{name}", run_scenario)
    router.add_post("/_sandbox/webhook/verify", verify_webhook)


def _clock(sandbox: LineSandbox) -> Json:
    clock = sandbox.clock
    return {"now": clock.now_ms(), "rate": clock.rate, "frozen": clock.frozen}


def _change_channel(sandbox: LineSandbox, channel: Channel, body: Json) -> None:
    account_type = body.get("accountType", channel.account_type)
    webhook: Any = body.get("webhook") or {}
    url = webhook.get("url", channel.webhook.url)
    if account_type not in ACCOUNT_TYPES:
        raise ValueError(f"accountType must be one of {', '.join(ACCOUNT_TYPES)}")
    if url is not None and not acceptable(url, sandbox.options.allow_remote):
        raise ValueError("the webhook url must be https, or http on this machine")
    if "plan" in body:
        channel.quota.change_plan(body["plan"])
    channel.account_type, channel.webhook.url = account_type, url
    channel.name = str(body.get("displayName", channel.name))
    channel.webhook.active = bool(webhook.get("active", channel.webhook.active))
    channel.webhook.redelivery = bool(webhook.get("redelivery", channel.webhook.redelivery))
    channel.webhook.timeout_ms = int(webhook.get("timeoutMs", channel.webhook.timeout_ms))

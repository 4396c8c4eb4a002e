"""The webhook endpoint of a channel. LINE Messaging API reference, #set-webhook-endpoint-url and after."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.line.call import Call
from sandbox.line.clock import iso_utc
from sandbox.line.errors import ApiError, Reply, not_found
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.webhook_post import is_loopback, may_reach

_DETAILS = {"ok": "200", "error_status_code": "The server answered with an error status"}


def get_endpoint(call: Call) -> Reply:
    """Where events go."""
    webhook = call.channel.webhook
    if webhook.url is None:
        raise not_found("Webhook endpoint not found")
    return Reply(body={"endpoint": webhook.url, "active": webhook.active})


def set_endpoint(call: Call) -> Reply:
    """Change where events go. LINE wants https; the sandbox also takes http on this machine."""
    url = call.body["endpoint"]
    if not acceptable(url, call.sandbox.options.allow_remote):
        raise ApiError(400, "Invalid webhook endpoint URL")
    call.channel.webhook.url = url
    return Reply()


async def test_endpoint(call: Call) -> Reply:
    """Send a webhook without events and tell what came back."""
    url = call.body.get("endpoint") or call.channel.webhook.url
    if url is None:
        raise not_found("Webhook endpoint not found")
    return Reply(body=await verify(call.sandbox, call.channel, url))


async def verify(sandbox: LineSandbox, channel: Channel, url: str) -> dict[str, object]:
    """The result of an empty webhook; it does not count in the error statistics."""
    result = await channel.dispatcher.poster.send([], set(), url)
    return {
        "success": result.ok,
        "timestamp": iso_utc(sandbox.clock.now_ms()),
        "statusCode": result.status or 0,
        "reason": result.reason.upper(),
        "detail": str(result.status) if result.ok else _DETAILS.get(result.reason, result.reason),
    }


def acceptable(url: str, allow_remote: bool) -> bool:
    """Whether a webhook URL may be set here."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and (allow_remote or is_loopback(parts.hostname or ""))
    )
    return secure and bool(parts.hostname) and may_reach(url, allow_remote)

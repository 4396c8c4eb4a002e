"""Slack: incoming webhooks. Source: docs.slack.dev, "Incoming webhooks" with its list of errors."""

from __future__ import annotations

from aiohttp import web

from sandbox.sns.keys import SANDBOX, body_of

NAME = "slack"


def routes() -> list[web.RouteDef]:
    return [web.post("/slack/services/{token}", _post)]


async def _post(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], request.match_info["token"]
    if account in sandbox.refused_tokens:
        return web.Response(status=404, text="no_service")
    if account in sandbox.suspended:
        return web.Response(status=410, text="channel_is_archived")
    content = await body_of(request)
    blocks = content.get("blocks") or []
    words = [block["text"]["text"] for block in blocks if block.get("type") == "section"]
    if not content.get("text") or len(blocks) > 50 or any(len(text) > 3_000 for text in words):
        return web.Response(status=400, text="invalid_payload")
    sandbox.add(NAME, account, "\n".join(words) or str(content["text"]), raw=content)
    return web.Response(text="ok")

"""Teams: a flow of Workflows that takes an Adaptive Card. Source: learn.microsoft.com."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.sns.keys import SANDBOX, body_of

NAME = "teams"
LARGEST = 28_000


def routes() -> list[web.RouteDef]:
    return [web.post("/teams/workflows/{token}", _post)]


async def _post(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], request.match_info["token"]
    if account in sandbox.refused_tokens:
        return web.Response(status=401, text="DirectApiAuthorizationRequired")
    if account in sandbox.suspended:
        return web.Response(status=404, text="WorkflowTriggerIsNotEnabled")
    if (request.content_length or 0) > LARGEST:
        return web.Response(status=413)
    content = await body_of(request)
    attachments = content.get("attachments") or []
    card: dict[str, Any] = attachments[0].get("content", {}) if attachments else {}
    if card.get("type") != "AdaptiveCard":
        return web.Response(status=400, text="TriggerInputSchemaMismatch")
    lines = [run["text"] for block in card["body"] for run in block.get("inlines", [])]
    sandbox.add(NAME, account, "\n".join(lines), raw=content)
    return web.Response(status=202)

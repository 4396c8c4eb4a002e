"""What Facebook, Instagram and Threads have in common: errors in an object, containers that are published once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from sandbox.sns.keys import SANDBOX, body_of, problem
from sandbox.sns.state import Post

JPEG = b"\xff\xd8"


def refused(code: int, message: str, status: type[web.HTTPError] = web.HTTPBadRequest) -> web.HTTPError:
    return problem(status, {"error": {"message": message, "type": "OAuthException", "code": code}})


def account_of(request: web.Request) -> str:
    """The token; errors come with a code and status 400."""
    sandbox = request.app[SANDBOX]
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not token or token in sandbox.refused_tokens:
        raise refused(190, "Error validating access token")
    if token in sandbox.suspended:
        raise refused(368, "The action attempted has been deemed abusive or is otherwise disallowed")
    return token


def moment(item: Post) -> str:
    return datetime.fromtimestamp(item.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def own(request: web.Request, service: str) -> Post:
    found = request.app[SANDBOX].find(service, request.match_info["id"], account_of(request))
    if found is None:
        raise refused(100, "Object does not exist")
    return found


def container_routes(
    name: str, making: str, publishing: str, status: str, words: str, check: Callable[[dict[str, Any]], None]
) -> list[web.RouteDef]:
    """The routes of a service with containers. `check` raises what is wrong with what one is made of."""

    async def make(request: web.Request) -> web.Response:
        account, content = account_of(request), await body_of(request)
        check(content)
        picture = await _picture(str(content["image_url"])) if content.get("image_url") else b""
        reply_to = str(content.get("reply_to_id", ""))
        if reply_to and request.app[SANDBOX].find(name, reply_to) is None:
            raise refused(100, "The post to reply to does not exist")
        text = str(content.get(words) or content.get("text") or "")
        made = request.app[SANDBOX].add(
            f"{name} container", account, text, reply_to=reply_to, picture=picture, raw=content
        )
        return web.json_response({"id": made.number})

    async def publish(request: web.Request) -> web.Response:
        sandbox, account, content = request.app[SANDBOX], account_of(request), await body_of(request)
        found = sandbox.find(f"{name} container", str(content.get("creation_id", "")), account)
        if found is None or found.key == "PUBLISHED":
            raise refused(9007, "The media is not ready to be published")
        found.key = "PUBLISHED"
        made = sandbox.add(
            name, account, found.text, reply_to=found.reply_to, picture=found.picture, raw=found.raw
        )
        return web.json_response({"id": made.number})

    async def listed(request: web.Request) -> web.Response:
        found = request.app[SANDBOX].of(name, account_of(request))[::-1]
        return web.json_response({"data": [shown(request, item) for item in found[:25]]})

    async def one(request: web.Request) -> web.Response:
        number, account = request.match_info["id"], account_of(request)
        container = request.app[SANDBOX].find(f"{name} container", number, account)
        if container is not None:
            return web.json_response({"id": number, status: container.key or "FINISHED"})
        if number not in {item.number for item in request.app[SANDBOX].posts}:
            # The account itself.
            return web.json_response({"id": number})
        return web.json_response(shown(request, own(request, name)))

    def shown(request: web.Request, item: Post) -> dict[str, Any]:
        link = f"{request.url.origin()}/{name}/p/{item.number}"
        return {"id": item.number, words: item.text, "timestamp": moment(item), "permalink": link}

    return [
        web.post(f"/{name}/{{user}}/{making}", make),
        web.post(f"/{name}/{{user}}/{publishing}", publish),
        web.get(f"/{name}/{{user}}/{making}", listed),
        web.get(f"/{name}/{{id}}", one),
    ]


async def _picture(address: str) -> bytes:
    """Fetched as the service does, at that moment; of names that no test can serve a plain one is taken."""
    if not address.startswith(("http://127.0.0.1", "http://localhost")):
        return JPEG
    try:
        async with ClientSession(timeout=ClientTimeout(total=5)) as session, session.get(address) as answer:
            content = await answer.read()
    except (ClientError, TimeoutError):
        content = b""
    if not content.startswith(JPEG):
        raise refused(9004, "Only photo or video can be accepted as media type")
    return content

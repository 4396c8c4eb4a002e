"""Control API: residents, what they do, and their phones."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox.line import phones
from sandbox.line.actions import ActionRefused, Done, Phone
from sandbox.line.control import answer, body_of, channel_of, number_in, problem, sandbox_of, user_of
from sandbox.line.errors import Json
from sandbox.line.events import build
from sandbox.line.feed import stream
from sandbox.line.users import STATES, add_listed, add_many

_LISTED_IDS = 1000
_WAIT_SECONDS = 30.0
_PATCHABLE: dict[str, tuple[str, type]] = {
    "displayName": ("display_name", str),
    "language": ("language", str),
    "muted": ("muted", bool),
}


async def list_users(request: web.Request) -> web.Response:
    """`GET /_sandbox/users?limit=&q=`: the first users that match, and how many match."""
    matching = list(channel_of(request).users.search(request.query.get("q", "")))
    limit = number_in(request, "limit", 100)
    fields = ("userId", "displayName", "language", "state", "unread")
    shown = [{name: user.public()[name] for name in fields} for user in matching[:limit]]
    return answer({"users": shown, "total": len(matching)})


async def add_users(request: web.Request) -> web.Response:
    """`POST /_sandbox/users`: made-up ones by `count`, or exactly those in `userIds`.

    Answers `created` and `userIds` (left out above 1,000 unless `?ids=1`). With `"follow": true` every
    new friend also sends a follow event.
    """
    sandbox, channel, body = sandbox_of(request), channel_of(request), await body_of(request)
    now = sandbox.clock.now_ms()
    try:
        if "userIds" in body:
            made = add_listed(channel.users, body, now)
        else:
            mix = {name: value for name, value in body.items() if name not in ("count", "seed")}
            seed = int(body.get("seed", sandbox.options.seed))
            made = add_many(channel.users, int(body.get("count", 1)), seed, now, **mix)
    except (TypeError, ValueError) as error:
        raise problem(400, str(error)) from None
    if body.get("follow"):
        for user in (user for user in made if user.state == "friend"):
            follow = {"isUnblocked": False}
            event = build(sandbox, channel, user, "follow", answerable=True, follow=follow)
            channel.dispatcher.emit(event)
    result: Json = {"created": len(made), "total": len(channel.users)}
    if len(made) <= _LISTED_IDS or request.query.get("ids") == "1":
        result["userIds"] = [user.user_id for user in made]
    return answer(result, 201)


async def patch_user(request: web.Request) -> web.Response:
    """`PATCH /_sandbox/users/{id}`: displayName, language, muted, state. No event is sent."""
    user, body = user_of(request), await body_of(request)
    if body.get("state", user.state) not in STATES:
        raise problem(400, f"state must be one of {', '.join(STATES)}")
    for name, (attribute, kind) in _PATCHABLE.items():
        if name in body:
            if not isinstance(body[name], kind):
                raise problem(400, f"{name} must be a {kind.__name__}")
            setattr(user, attribute, body[name])
    user.state = body.get("state", user.state)
    phones.publish_user(sandbox_of(request), user)
    return answer(user.public())


async def get_user(request: web.Request) -> web.Response:
    """`GET /_sandbox/users/{id}`."""
    return answer(user_of(request).public())


async def act(request: web.Request) -> web.Response:
    """`POST /_sandbox/users/{id}/actions`; with `?wait=1` the bot server's answer comes along."""
    wait = request.query.get("wait") == "1"
    phone = Phone(sandbox_of(request), channel_of(request), user_of(request), wait=wait)
    try:
        done = phone.act(await body_of(request))
    except ActionRefused as refusal:
        raise problem(refusal.status, str(refusal)) from None
    return answer({"ok": True, "event": done.event, **(done.extra or {}), **await _webhook_part(done)})


async def phone_state(request: web.Request) -> web.Response:
    """`GET /_sandbox/phone/{id}/state.json`."""
    return answer(phones.phone_state(channel_of(request), user_of(request)))


async def phone_events(request: web.Request) -> web.StreamResponse:
    """`GET /_sandbox/phone/{id}/events`: message, user, richMenu, typing."""
    return await stream(request, sandbox_of(request).feed, user_of(request).user_id)


async def menu_image(request: web.Request) -> web.Response:
    """`GET /_sandbox/richmenus/{id}/image`: the picture without a token, for the phone page."""
    for channel in sandbox_of(request).channels.values():
        menu = channel.menus.menus.get(request.match_info["richMenuId"])
        if menu is not None and menu.image is not None:
            return web.Response(body=menu.image, content_type=menu.image_type)
    raise problem(404, "no such picture")


def add_routes(app: web.Application) -> None:
    """Mount these handlers."""
    app.router.add_get("/_sandbox/users", list_users)
    app.router.add_post("/_sandbox/users", add_users)
    app.router.add_get("/_sandbox/users/{userId}", get_user)
    app.router.add_patch("/_sandbox/users/{userId}", patch_user)
    app.router.add_post("/_sandbox/users/{userId}/actions", act)
    app.router.add_get("/_sandbox/phone/{userId}/state.json", phone_state)
    app.router.add_get("/_sandbox/phone/{userId}/events", phone_events)
    app.router.add_get("/_sandbox/richmenus/{richMenuId}/image", menu_image)


async def _webhook_part(done: Done) -> Json:
    if done.answered is None:
        return {}
    try:
        result = await asyncio.wait_for(done.answered, _WAIT_SECONDS)
    except TimeoutError:
        return {"webhook": {"status": None, "ms": None, "reason": "still_waiting"}}
    return {"webhook": {"status": result.status, "ms": result.ms, "reason": result.reason}}

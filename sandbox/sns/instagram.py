"""Instagram: containers with a picture, published once. Source: developers.facebook.com, "Content publishing"."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.sns.meta import container_routes, refused

NAME = "instagram"


def routes() -> list[web.RouteDef]:
    return container_routes(NAME, "media", "media_publish", "status_code", "caption", _check)


def _check(content: dict[str, Any]) -> None:
    if not content.get("image_url"):
        raise refused(9004, "Only photo or video can be accepted as media type")
    if len(str(content.get("caption", ""))) > 2_200:
        raise refused(100, "The caption is too long")

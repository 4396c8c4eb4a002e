"""Cookies of the console and of residents' settings: kept from scripts, from other sites and, where the pages are encrypted, from other hosts."""

from __future__ import annotations

from aiohttp import web

from bot.service import Service

PATH = "/console"


def cookie_name(service: Service, name: str) -> str:
    """With `__Host-` a browser takes it from this very host alone, not from a neighbour's below the same domain."""
    return f"__Host-{name}" if _is_encrypted(service) else name


def put_cookie(
    service: Service, response: web.Response, name: str, value: str, *, max_age: int, path: str = PATH
) -> None:
    response.set_cookie(
        cookie_name(service, name),
        value,
        max_age=max_age,
        path=_path(service, path),
        httponly=True,
        samesite="Lax",
        secure=_is_encrypted(service),
    )


def drop_cookie(service: Service, response: web.Response, name: str, *, path: str = PATH) -> None:
    # A browser forgets a `__Host-` cookie only when told so in the form in which it takes one.
    response.del_cookie(
        cookie_name(service, name), path=_path(service, path), secure=_is_encrypted(service), httponly=True
    )


def _is_encrypted(service: Service) -> bool:
    return service.settings.public_url.startswith("https://")


def _path(service: Service, path: str) -> str:
    # `__Host-` is taken for the whole host only.
    return "/" if _is_encrypted(service) else path

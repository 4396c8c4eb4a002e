"""Routes of the phone pages, on which a person plays residents of the sandbox.

The pages are shells: the phones themselves are drawn by the ES modules in `static/` from the sandbox's
control API, so a phone shows exactly what the platform handed to that resident.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from aiohttp import web

from sandbox.line.phone.stream import MAX_PHONES, add_stream, phone_ids

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_STATIC_NAME = re.compile(r"[a-z-]+\.(?:js|css)")
_WORDS: dict[str, dict[str, str]] = json.loads((_HERE / "words.json").read_text("utf-8"))
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_HEADERS = {
    # Message images may lie anywhere; everything else comes from the sandbox itself.
    "Content-Security-Policy": (
        "default-src 'self'; img-src http: https: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def add_routes(app: web.Application) -> None:
    """Add the phone pages, their event stream and their static files to the sandbox application.

    The pages read and act through the control API (`/_sandbox/users…`, `/_sandbox/phone/…`), which the
    application itself has to serve on the same origin.
    """
    app.router.add_get("/_sandbox/phones", _phones)
    app.router.add_get("/_sandbox/phone/{user_id:[A-Za-z0-9_-]+}", _phone)
    app.router.add_get("/_sandbox/static/{name}", _static)
    add_stream(app, "/_sandbox/phones/events")


async def _phones(request: web.Request) -> web.Response:
    ids = phone_ids(request)
    if len(ids) > MAX_PHONES:
        raise web.HTTPBadRequest(text=_words(request)["tooMany"])
    return _render(request, "phones.html", page="phones", ids=ids)


async def _phone(request: web.Request) -> web.Response:
    return _render(request, "phone.html", page="phone", ids=[request.match_info["user_id"]])


async def _static(request: web.Request) -> web.FileResponse:
    name = request.match_info["name"]
    if not _STATIC_NAME.fullmatch(name) or not (_STATIC / name).is_file():
        raise web.HTTPNotFound
    # Unversioned names: the browser has to ask each time, or a new release runs old modules.
    return web.FileResponse(_STATIC / name, headers={"Cache-Control": "no-cache"})


def _render(request: web.Request, template: str, **values: Any) -> web.Response:
    lang, words = _lang(request), _words(request)
    html = _TEMPLATES.get_template(template).render(
        lang=lang, words=words, toggle=_toggle(request, words["toggleLang"]), **values
    )
    return web.Response(text=html, content_type="text/html", headers=_HEADERS)


def _lang(request: web.Request) -> str:
    asked = request.query.get("lang", "ja")
    return asked if asked in _WORDS else "ja"


def _words(request: web.Request) -> dict[str, str]:
    return _WORDS[_lang(request)]


def _toggle(request: web.Request, lang: str) -> str:
    """The address of this page in the other language, phones kept."""
    ids = phone_ids(request)
    kept = f"ids={','.join(quote(user_id) for user_id in ids)}&" if ids else ""
    return f"{quote(request.path)}?{kept}lang={lang}"

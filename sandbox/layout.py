"""The frame around the pages of the mail and webhook stand-ins: banner, headings, colours, one template set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jinja2
from aiohttp import web

JST = timezone(timedelta(hours=9), "JST")

LAYOUT = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %} – SANDBOX</title>
<style>
:root { color-scheme: light; }
body { margin: 0; font: 1rem/1.7 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
.banner { background: #5c2d00; color: #fff; padding: .6rem 1rem; font-weight: bold; }
main, nav { max-width: 64rem; margin: 0 auto; padding: 0 1rem; }
nav { padding-top: 1rem; }
a { color: #0b4f9c; }
a { display: inline-block; min-height: 1.75rem; }
summary { min-height: 1.75rem; cursor: pointer; }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid #0b4f9c; outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #767676; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f3f3; padding: .8rem; }
pre.text { font: inherit; background: none; border: 1px solid #767676; }
.good { color: #14532d; } .bad { color: #9b1c1c; font-weight: bold; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
</style>
</head>
<body>
<a class="skip" href="#main">本文へ移動</a>
<div class="banner" role="note">SANDBOX – 外部には送信されません <span lang="en">(nothing leaves this machine)</span></div>
{% block nav %}{% endblock %}
<main id="main">
<h1>{{ self.title() }}</h1>
{% block main %}{% endblock %}
</main>
</body>
</html>"""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def environment(templates: dict[str, str]) -> jinja2.Environment:
    """Templates that can extend "layout"; everything put into them is escaped."""
    loader = jinja2.DictLoader({"layout": LAYOUT, **templates})
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters["clock"] = clock
    return made


def page(templates: jinja2.Environment, name: str, **values: Any) -> web.Response:
    """A rendered page with headers that keep received content from doing anything."""
    text = templates.get_template(name).render(**values)
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


def clock(milliseconds: int) -> str:
    """Milliseconds since the epoch as Japanese local time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def require_loopback(host: str) -> None:
    """A stand-in shows what it received to anyone who asks, so it stays on this machine. Raises ValueError."""
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("the sandbox listens on this machine only: use 127.0.0.1")

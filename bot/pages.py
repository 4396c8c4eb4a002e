"""What every web page shares: the templates, their filters, and the headers that keep pages harmless."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from email.utils import parseaddr
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
from aiohttp import web
from jinja2.bccache import Bucket

from bot.app_keys import SERVICE
from bot.door.headers import HEADERS, ONLY_HTTPS, SERVER
from bot.language_names import language_name
from bot.linked import linked
from bot.phrases import phrased
from bot.ruby import ruby, with_ruby
from bot.service import Service
from content import clock
from content.notices.attachments import size_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates", jinja2.Environment)
# Not strftime("%B"), which follows the machine's locale.
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
# In these only what is やさしい日本語 gets them, by the filter.
WRITTEN_BY_STAFF = ("resident/notice.html", "resident/archive.html", "resident/read.html")


class Compiled(jinja2.BytecodeCache):
    """Templates that this process has compiled; another application in it (another town's, a test's) takes them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


def environment(service: Service) -> jinja2.Environment:
    """Templates with the town in reach; everything put into them is escaped, a missing value is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=COMPILED,
    )
    made.filters.update(
        number=number,
        when=clock.words,
        clock=clock_words,
        when_en=english_words,
        iso=clock.iso,
        day=day_words,
        lang=html_language,
        shown_json=shown_json,
        linked=linked,
        ruby=ruby,
        phrased=phrased,
        language_name=language_name,
        picture_name=lambda url: url.rpartition("/")[2],
        sender_name=lambda sender: parseaddr(sender)[0] or sender,
        picture_width=lambda name: size_of(name)[0],
        picture_height=lambda name: size_of(name)[1],
    )
    made.globals.update(
        town=service.town,
        is_sandbox=service.settings.line.is_sandbox,
        static_version=_static_version(),
    )
    return made


def clock_words(at: int) -> str:
    """15:04:05, for what happens within a minute."""
    return f"{clock.to_jst(at):%H:%M:%S}"


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A rendered template. Those for residents have readings above the kanji; what staff have written stands as
    it was written."""
    text = request.app[TEMPLATES].get_template(template).render(**values)
    if template.startswith("resident/") and template not in WRITTEN_BY_STAFF:
        text = with_ruby(text)
    return web.Response(text=text, status=status, content_type="text/html")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: a handler's own header, such as a shorter cache time, stays."""
    is_https = service_of(request).settings.public_url.startswith("https://")
    for name, value in (HEADERS | ONLY_HTTPS if is_https else HEADERS).items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
    if request.path.startswith("/static/"):
        # The address carries the version of the content, so a changed file has another address.
        response.headers["Cache-Control"] = "public, max-age=86400"


def redirect(location: str) -> web.Response:
    """See Other: the browser asks for the next page with GET, so reloading it sends nothing again."""
    return web.Response(status=303, headers={"Location": location})


def service_of(request: web.Request) -> Service:
    return request.app[SERVICE]


def number(value: int) -> str:
    """12,345"""
    return f"{value:,}"


def day_words(day: date) -> str:
    """2026年4月7日"""
    return f"{day.year}年{day.month}月{day.day}日"


def english_words(at: int) -> str:
    """7 April 2026, 15:04 (Japan time)"""
    moment = clock.to_jst(at)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} (Japan time)"


def shown_json(value: object) -> str:
    """JSON for reading; the template escapes it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def html_language(tag: str) -> str:
    """やさしい日本語 is Japanese to a screen reader."""
    return "ja" if tag == "ja-easy" else tag


def _static_version() -> str:
    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file())
    return hashlib.sha256(content).hexdigest()[:12]

"""A person with a browser, without the browser: follows links, reads forms, sends them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from bot.console.sessions import open_session
from bot.demo.browser import forms
from bot.service import Service
from content.clock import now_ms
from content.staff import members, sessions
from content.staff.members import Staff

PASSWORD = "himitsu-no-kotoba"
SPACE = re.compile(r"\s+")
Fields = dict[str, str | Sequence[str]]


@dataclass(frozen=True)
class Page:
    """An answer: `text` is what a person reads."""

    status: int
    path: str
    html: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @property
    def text(self) -> str:
        # Readings above the kanji as in brackets behind them.
        plain = re.sub(r"</?(?:ruby|rp|rt)>", "", self.html)
        return SPACE.sub(" ", unescape(re.sub(r"<[^>]*>", " ", plain))).strip()

    def form(self, action: str) -> list[tuple[str, str]]:
        """What the form with this action would send as it stands."""
        return next(
            form.fields for form in forms(self.html, "") if form.method == "post" and form.action == action
        )

    def message_of(self, field_id: str) -> str:
        """The error shown at a field."""
        found = re.search(rf'id="{re.escape(field_id)}-error-1">([^<]*)<', self.html)
        return unescape(found[1]) if found else ""


class Visitor:
    """`get` and `submit` follow redirects, as a browser does."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> Page:
        async with self.client.get(path, headers=headers) as answer:
            return Page(answer.status, answer.url.path_qs, await answer.text(), dict(answer.headers))

    async def post(
        self, path: str, fields: list[tuple[str, str]], follow: bool = True, **headers: str
    ) -> Page:
        async with self.client.post(path, data=fields, headers=headers, allow_redirects=follow) as answer:
            return Page(answer.status, answer.url.path_qs, await answer.text(), dict(answer.headers))

    async def send_raw(self, path: str, body: object, content_type: str, **headers: str) -> Page:
        """A POST with exactly this body."""
        sent = {"Content-Type": content_type, **headers}
        async with self.client.post(path, data=body, headers=sent, allow_redirects=False) as answer:
            return Page(answer.status, answer.url.path_qs, await answer.text(), dict(answer.headers))

    async def submit(
        self, page: Page, action: str, fields: Mapping[str, str | Sequence[str]] | None = None
    ) -> Page:
        """Send a form of a page with some fields filled in; an empty list unticks."""
        changed = fields or {}
        kept = [(name, value) for name, value in page.form(action) if name not in changed]
        typed = [
            (name, item)
            for name, value in changed.items()
            for item in ([value] if isinstance(value, str) else value)
        ]
        return await self.post(action, kept + typed)

    async def enter(self, service: Service, login: str) -> None:
        """Come with the cookie of a login that happened before."""
        async with service.database.write() as connection:
            member = await members.find(connection, login)
            assert member is not None
            session_id = await sessions.begin(
                connection, member.id, source="192.0.2.7", device="Windows・Edge", at=now_ms()
            )
        self.take_session(service, member, session_id)

    def take_session(self, service: Service, member: Staff, session_id: int) -> None:
        """The cookie of a login that is written down."""
        response = web.Response()
        open_session(service, response, member, session_id)
        self.client.session.cookie_jar.update_cookies(response.cookies, self.client.make_url("/console/"))

    async def log_in(self, login: str = "tanaka", password: str = PASSWORD) -> Page:
        page = await self.get("/console/login")
        return await self.submit(page, "/console/login", {"login": login, "password": password})

    async def write(self, **fields: str | Sequence[str]) -> Page:
        """Fill in a new notice and go on to the page after it. Dots in field names are written __."""
        filled: Fields = {
            "title.ja": "乳幼児健診のお知らせ",
            "body.ja": "4月10日に行います。",
            "category": "kosodate",
        }
        filled |= {name.replace("__", "."): value for name, value in fields.items()}
        page = await self.get("/console/notices/new")
        return await self.submit(page, "/console/notices/new", filled)

    async def approve(self, confirm: Page, word: str = "配信", accept: Sequence[str] = ()) -> Page:
        """Type the word on a confirm page, and tick these findings."""
        action = confirm.path.replace("/confirm", "/approve")
        return await self.submit(confirm, action, {"word": word, "accept": list(accept)})

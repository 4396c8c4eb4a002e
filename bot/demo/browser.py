"""A browser without a screen: follows links, reads forms, keeps cookies. Real HTTP, no shortcuts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from aiohttp import ClientSession, CookieJar


@dataclass(slots=True)
class Form:
    """`fields` are name and value pairs as a browser would send them untouched."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **values: str | list[str]) -> list[tuple[str, str]]:
        """The fields with some replaced; `__` in a name stands for a dot."""
        wanted = {name.replace("__", "."): value for name, value in values.items()}
        kept = [pair for pair in self.fields if pair[0] not in wanted]
        for name, value in wanted.items():
            kept += [(name, item) for item in (value if isinstance(value, list) else [value])]
        return kept


@dataclass(frozen=True, slots=True)
class Page:
    url: str
    status: int
    html: str

    def problems(self) -> str:
        """The words of the error summary, for a message."""
        text = re.sub(r"<[^>]+>", " ", self.html.partition('role="alert"')[2][:600])
        return f"status {self.status} {' '.join(text.split())}"

    def form(self, action_ends_with: str) -> Form:
        """The first form that posts to such an action. Raises LookupError."""
        for form in forms(self.html, self.url):
            if form.method == "post" and form.action.endswith(action_ends_with):
                return form
        raise LookupError(f"no form {action_ends_with} on {self.url} (status {self.status})")


class Browser:
    """One visitor. Use as an async context manager."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    async def __aenter__(self) -> Browser:
        # The demo runs on an address, for which cookies are kept only when unsafe ones are allowed.
        self._session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> Page:
        async with self._session.get(urljoin(self._origin, path)) as answer:
            return Page(str(answer.url), answer.status, await answer.text())

    async def send(self, action: str, fields: list[tuple[str, str]]) -> Page:
        async with self._session.post(urljoin(self._origin, action), data=fields) as answer:
            return Page(str(answer.url), answer.status, await answer.text())


class _FormReader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self._form: Form | None = None
        self._select: tuple[str, list[str]] | None = None
        self._textarea: str | None = None
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._base, values.get("action", ""))
            self._form = Form(action, values.get("method", "get").lower())
            self.found.append(self._form)
        elif self._form is None:
            return
        elif tag == "input":
            self._input(self._form, values)
        elif tag == "select":
            self._select = (values.get("name", ""), [])
        elif tag == "option" and self._select:
            chosen = "selected" in values
            self._select[1].insert(0 if chosen else len(self._select[1]), values.get("value", ""))
        elif tag == "textarea":
            self._textarea = values.get("name", "")
            self._form.fields.append((self._textarea, ""))

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self._form is not None:
            name, value = self._form.fields.pop()
            # A line break right behind the tag is there for people who read the source.
            self._form.fields.append((name, value + data if value else data.removeprefix("\n")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select" and self._select and self._form:
            name, options = self._select
            self._form.fields.append((name, options[0] if options else ""))
            self._select = None

    def _input(self, form: Form, values: dict[str, str]) -> None:
        name, kind = values.get("name", ""), values.get("type", "text")
        if not name or kind in ("submit", "button"):
            return
        if kind in ("checkbox", "radio") and "checked" not in values:
            return
        form.fields.append((name, values.get("value", "on" if kind == "checkbox" else "")))


def forms(html: str, base: str) -> list[Form]:
    """Every form of a page, in order."""
    reader = _FormReader(base)
    reader.feed(html)
    return reader.found

"""What a browser does that has a passkey."""

from __future__ import annotations

import json
from typing import Any

from bot.service import Service
from content.staff import members
from content.staff.members import Staff
from tests.bot.console.device_key import DeviceKey
from tests.bot.web_visitor import Page, Visitor

ACCOUNT = "/console/account"


async def member_of(service: Service, login: str = "tanaka") -> Staff:
    async with service.database.read() as connection:
        found = await members.find(connection, login)
    assert found is not None
    return found


async def ask(visitor: Visitor, path: str, page: Page | None = None) -> dict[str, Any]:
    """What the page's script would ask the device for."""
    csrf = dict(page.form(f"{ACCOUNT}/passkeys")) if page else {}
    answer = await visitor.post(path, [("csrf", csrf["csrf"])] if csrf else [])
    assert answer.status == 200, answer.text
    return json.loads(answer.html)


async def add(visitor: Visitor, key: DeviceKey, name: str = "仕事の電話") -> Page:
    page = await visitor.get(ACCOUNT)
    credential = key.create(await ask(visitor, f"{ACCOUNT}/passkeys/options", page))
    return await visitor.submit(page, f"{ACCOUNT}/passkeys", {"name": name, "credential": credential})


async def half_in(visitor: Visitor) -> Page:
    """With the password typed, at the second step."""
    visitor.client.session.cookie_jar.clear()
    page = await visitor.log_in()
    assert page.path.startswith("/console/login/code")
    return page


async def log_in_with(visitor: Visitor, key: DeviceKey) -> Page:
    page = await half_in(visitor)
    credential = key.get(await ask(visitor, "/console/login/passkey/options"))
    return await visitor.submit(page, "/console/login/passkey", {"credential": credential})

"""Colleagues, and what their pages and the audit trail say of them."""

from __future__ import annotations

import re

from bot.service import Service
from content.staff import audit, member_changes, members
from content.staff.members import Staff
from tests.bot.web_visitor import Page, Visitor

CODE = re.compile(r'secret-code"><strong>([\w-]+)<')


async def member(service: Service, login: str) -> Staff:
    async with service.database.read() as connection:
        found = await members.find_any(connection, login)
    assert found is not None
    return found


async def give_role(service: Service, login: str, role: str) -> None:
    found = await member(service, login)
    async with service.database.write() as connection:
        await member_changes.set_role(connection, found, role)


async def newest(service: Service) -> audit.Entry:
    async with service.database.read() as connection:
        return (await audit.entries(connection, limit=1))[0]


async def person(visitor: Visitor, service: Service, login: str) -> Page:
    return await visitor.get(f"/console/people/{(await member(service, login)).id}")


def code_of(page: Page) -> str:
    found = CODE.search(page.html)
    assert found, page.text
    return found[1]

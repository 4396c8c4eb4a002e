"""Who is at the desk."""

from __future__ import annotations

import pytest_asyncio

from bot.service import Service
from tests.bot.console.people import give_role
from tests.bot.web_visitor import Visitor


@pytest_asyncio.fixture
async def admin(tanaka: Visitor, service: Service) -> Visitor:
    """tanaka, who administers alone."""
    await give_role(service, "tanaka", "administrator")
    return tanaka

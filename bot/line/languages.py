"""The first language of a friend: what LINE tells of her phone, until she chooses one herself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.line.replies import CALLS_AT_ONCE, reason_of
from bot.line.words import language_for
from bot.service import Service
from channels.line.api import LineApi
from content.clock import now_ms
from content.database import as_step
from content.keys import Keys
from content.register import subscriber_changes, subscribers
from content.register.states import Route

log = structlog.get_logger(__name__)

PROFILE_SECONDS = 3.0
FIRST_LANGUAGE = "ja"


async def ask_languages(service: Service, api: LineApi, user_ids: Iterable[str]) -> dict[str, str]:
    """By user id, side by side. Outside any transaction: none waits for LINE."""
    gate = asyncio.Semaphore(CALLS_AT_ONCE)
    asked = list(user_ids)
    tags = await asyncio.gather(*(_profile_language(api, gate, user_id) for user_id in asked))
    return {
        user_id: language_for(tag, service.town.languages) for user_id, tag in zip(asked, tags, strict=True)
    }


async def learn_languages(service: Service, api: LineApi, accounts: Mapping[str, str]) -> None:
    """user id → account: of those who were registered in Japanese before LINE was asked, unless they have chosen
    meanwhile."""
    languages = await ask_languages(service, api, accounts)
    steps = [
        partial(_learn, keys=service.keys, account=accounts[user_id], user_id=user_id, language=language)
        for user_id, language in languages.items()
        if language != FIRST_LANGUAGE
    ]
    try:
        await asyncio.gather(*(service.database.write_step(as_step(step)) for step in steps))
    except Exception as error:
        log.warning("languages_not_learnt", error=type(error).__name__)


async def _learn(
    connection: AsyncConnection, *, keys: Keys, account: str, user_id: str, language: str
) -> None:
    """A choice of one's own stands."""
    found = await subscribers.find(connection, keys, account, "line", user_id)
    if found is not None:
        await subscriber_changes.set_first_language(
            connection, found, language, at=now_ms(), route=Route.LINE
        )


async def _profile_language(api: LineApi, gate: asyncio.Semaphore, user_id: str) -> str:
    """ "" when LINE does not tell: then the greeting is Japanese and shows the way to other languages."""
    try:
        async with gate, asyncio.timeout(PROFILE_SECONDS):
            profile = await api.profile(user_id)
    except Exception as error:
        log.warning("line_profile_failed", reason=reason_of(error))
        return ""
    return profile.language if profile else ""

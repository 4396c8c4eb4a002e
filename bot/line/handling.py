"""The loop that handles what the webhook stored: oldest first, each event for itself, many committed together.

State is changed and the event finished together; the answer goes out after that. An answer is lost
when the process dies in between: its token serves once and for a minute, so there is nothing to keep.

What fails for want of disk, memory or database is nobody's try: the round ends and the event waits. Only
an event that cannot be handled itself is set aside in the end, and kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.line.conversation import CHANNEL, ConversationContext, respond
from bot.line.dots import PATIENCE, dots
from bot.line.events import ResidentEvent, read_event
from bot.line.friend_link import FriendLink
from bot.line.knowledge import TownKnowledge, read_knowledge
from bot.line.languages import FIRST_LANGUAGE, ask_languages, learn_languages
from bot.line.memory import ChatMemory
from bot.line.replies import Reply, send_replies
from bot.service import Service
from channels.line.api import LineApi
from content.database import as_step, is_infrastructure
from content.key_file import KeyFileError
from content.register import inbound_events
from content.register.inbound_events import Inbound
from content.register.subscribers import find_active

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
EVENTS_PER_ROUND = 50
# Committed together: few enough that nobody waits long for the database meanwhile.
TOGETHER = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """What stays from one round of events to the next."""

    memory: ChatMemory = field(default_factory=ChatMemory)
    friend_link: FriendLink = field(default_factory=FriendLink)
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored event with what it means, None when it means nothing to us."""

    event: Inbound
    resident_event: ResidentEvent | None


@dataclass(slots=True)
class Round:
    """What one round finished, and what LINE has still to be told, and whom to ask for: user id → account."""

    finished: int = 0
    replies: list[Reply] = field(default_factory=list)
    to_be_asked: dict[str, str] = field(default_factory=dict)
    # What is wrong with the machine, not with an event.
    trouble: Exception | None = None

    def take(self, outcomes: Iterable[Reply | BaseException | None]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Reply):
                self.finished += 1
                self.replies += [outcome] if outcome.token and outcome.messages else []
            elif isinstance(outcome, Exception):
                self.trouble = outcome


async def run_inbox(service: Service, api: LineApi, friend_link: FriendLink | None = None) -> None:
    """Handle events as they come in, until cancelled. While LINE is called for one round the next is written."""
    signal = service.database.listen("inbox")
    desk = Desk(friend_link=friend_link or FriendLink())
    calling: asyncio.Task[None] | None = None
    try:
        while True:
            done = Round()
            try:
                done = await _change(service, api, desk)
                if calling:
                    # One resident's answers come in their order.
                    await calling
                calling = asyncio.create_task(_call_line(service, api, done))
                if done.trouble:
                    raise done.trouble
            except Exception as error:
                # A message of the database could hold values of a row.
                log.error("inbox_round_failed", error=type(error).__name__)
            if done.trouble or not done.finished:
                await signal.wait_for(POLL_SECONDS)
    finally:
        if calling:
            calling.cancel()


async def handle_waiting(service: Service, api: LineApi, desk: Desk | None = None) -> int:
    """One round over the waiting events; how many were finished. Raises what is wrong with the machine."""
    done = await _change(service, api, desk or Desk())
    await _call_line(service, api, done)
    if done.trouble:
        raise done.trouble
    return done.finished


async def _change(service: Service, api: LineApi, desk: Desk) -> Round:
    """What one round changes in the register."""
    events = await service.database.read_step(
        as_step(partial(inbound_events.waiting, keys=service.keys, limit=EVENTS_PER_ROUND))
    )
    waiting = [Waiting(event, _read(event)) for event in events if _is_ours(service, event)]
    expecting = {
        one.resident_event.user_id
        for one in waiting
        if one.resident_event is not None and one.resident_event.reply_token
    }
    async with dots(api, expecting, desk.patience):
        return await _change_together(service, api, desk, waiting, is_crowd=len(events) == EVENTS_PER_ROUND)


async def _change_together(
    service: Service, api: LineApi, desk: Desk, waiting: list[Waiting], *, is_crowd: bool
) -> Round:
    knowledge = await _knowledge(service, api, desk, waiting)
    desks = {
        one.event.account: ConversationContext(
            service.town, service.keys, one.event.account, desk.memory, knowledge
        )
        for one in waiting
    }
    strangers = await service.database.read_step(as_step(partial(_strangers, desks=desks, waiting=waiting)))
    # In a crowd the greeting goes first: its token serves for a minute.
    languages = {} if is_crowd else await ask_languages(service, api, strangers)
    done = Round(to_be_asked=strangers if is_crowd else {})
    for start in range(0, len(waiting), TOGETHER):
        # Webhooks are answered first: LINE gives up on a server that is slow, and residents wait on either way.
        await service.context.urgent_priority.make_room()
        outcomes = await asyncio.gather(
            *(
                _try(service, desks[one.event.account], one, languages)
                for one in waiting[start : start + TOGETHER]
            ),
            return_exceptions=True,
        )
        done.take(outcomes)
        if done.trouble:
            break
    return done


async def _call_line(service: Service, api: LineApi, done: Round) -> None:
    await send_replies(api, done.replies)
    await learn_languages(service, api, done.to_be_asked)


async def _knowledge(service: Service, api: LineApi, desk: Desk, waiting: list[Waiting]) -> TownKnowledge:
    """Read only when somebody asks for something."""
    if not any(_asks(one.resident_event) for one in waiting):
        return TownKnowledge()
    await desk.friend_link.learn(api)
    return await read_knowledge(service, desk.friend_link.address, desk.friend_link.picture(service))


def _asks(resident_event: ResidentEvent | None) -> bool:
    if resident_event is None:
        return False
    is_button = resident_event.kind == "postback" and "|ask|" in resident_event.data
    return is_button or resident_event.kind in ("text", "location")


def _is_ours(service: Service, event: Inbound) -> bool:
    # An account that has left the town profile: nobody else will finish its events either.
    account = service.town.account.get(event.account)
    return account is None or account.channel == "line"


def _read(event: Inbound) -> ResidentEvent | None:
    if event.payload is None:
        return None
    resident_event = read_event(event.payload)
    if resident_event is None:
        log.info("line_event_ignored", type=_type_of(event))
    elif event.payload.get("mode") == "standby":
        log.info("line_event_standby", type=_type_of(event))
    return resident_event


def _type_of(event: Inbound) -> str:
    if event.payload is None:
        return "sealed"
    kind, message = event.payload.get("type"), event.payload.get("message")
    inner = message.get("type", "") if isinstance(message, dict) else ""
    return f"{kind} {inner}".strip()[:40]


async def _try(
    service: Service, conversation: ConversationContext, one: Waiting, languages: dict[str, str]
) -> Reply | None:
    """None when it failed or another process was faster; one event's failure is its own.

    Raises what is wrong with the machine.
    """
    try:
        if one.event.payload is None:
            raise KeyFileError("no key of ours opens this event")
        return await _handle(service, conversation, one, languages)
    except Exception as error:
        if is_infrastructure(error):
            raise
        log.error("line_event_failed", type=_type_of(one.event), error=type(error).__name__)
        reason = type(error).__name__
        await service.database.write_step(
            as_step(partial(inbound_events.failed, event=one.event, reason=reason))
        )
        return None


async def _handle(
    service: Service, conversation: ConversationContext, one: Waiting, languages: dict[str, str]
) -> Reply | None:
    async def change(connection: AsyncConnection) -> Reply | None:
        resident_event = one.resident_event
        if not await inbound_events.finish(connection, one.event.id):
            return None
        if resident_event is None:
            return Reply("", "", [])
        first_language = languages.get(resident_event.user_id, FIRST_LANGUAGE)
        messages = await respond(connection, conversation, resident_event, first_language)
        return Reply(resident_event.user_id, resident_event.reply_token, messages)

    return await service.database.write_step(as_step(change))


async def _strangers(
    connection: AsyncConnection, *, desks: dict[str, ConversationContext], waiting: list[Waiting]
) -> dict[str, str]:
    """user id → account of those who are not registered and do something."""
    acting = {
        one.resident_event.user_id: one.event.account
        for one in waiting
        if one.resident_event is not None and one.resident_event.kind != "unfollow"
    }
    found: dict[str, str] = {}
    for account, desk in desks.items():
        here = [user_id for user_id, theirs in acting.items() if theirs == account]
        known = await find_active(connection, desk.keys, account, CHANNEL, here) if here else set()
        found |= {user_id: account for user_id in here if user_id not in known}
    return found

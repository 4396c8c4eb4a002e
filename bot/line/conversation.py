"""What a resident's act changes, and what is answered. Runs inside the transaction that finishes the event.

A tap proves that the resident is there, as a follow does: it registers whoever is unknown because the
follow got lost. A typed text does not, because people write without having added the account.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.group_joining import join_group
from bot.line import (
    answer_cards,
    bubbles,
    choices,
    greetings,
    leaving_pages,
    leaving_taps,
    tap_answers,
    town_cards,
)
from bot.line.answer_words import answer_words
from bot.line.asking import answer_asked, read_wish
from bot.line.bubbles import Message
from bot.line.events import ResidentEvent
from bot.line.knowledge import TownKnowledge
from bot.line.leaving_words import leaving_words
from bot.line.memory import ChatMemory
from bot.line.postbacks import Command, read
from bot.line.trial_codes import take_code
from bot.line.typed import Asked, is_our_own, understand
from bot.line.wishes import sounds_like_emergency
from bot.reading import said_read
from content.clock import now_ms, today_jst
from content.keys import Keys
from content.notices import faq
from content.register import subscriber_changes, subscribers
from content.register.invitations import looks_like_code
from content.register.states import Route, SubscriberState
from content.register.subscribers import Preferences, Subscriber
from content.town import Town

CHANNEL = "line"
REASON_JOINED = "follow"
REASON_CHANGED = "resident"
REASON_LEFT = "blocked"


@dataclass(frozen=True, slots=True)
class ConversationContext:
    """Where a conversation takes place: the town and what is known of it, its keys, and one LINE account."""

    town: Town
    keys: Keys
    account: str
    memory: ChatMemory
    knowledge: TownKnowledge


async def respond(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    first_language: str,
) -> list[Message]:
    """Make the change and return the answer, [] for silence. `first_language` is for a new registration."""
    match resident_event.kind:
        case "follow":
            return await _follow(connection, conversation, resident_event, first_language)
        case "unfollow":
            await _unfollow(connection, conversation, resident_event)
            return []
        case "postback":
            return await _tap(connection, conversation, resident_event, first_language)
        case "text" | "location" | "other":
            return await _message(connection, conversation, resident_event, first_language)


async def find(
    connection: AsyncConnection, conversation: ConversationContext, user_id: str
) -> Subscriber | None:
    """The registration of a LINE user, whatever its state."""
    found = await subscribers.find(connection, conversation.keys, conversation.account, CHANNEL, user_id)
    return None if found is None else await subscribers.get(connection, found)


async def _follow(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    first_language: str,
) -> list[Message]:
    before = await find(connection, conversation, resident_event.user_id)
    now = await _join(connection, conversation, resident_event, first_language)
    if now.state != SubscriberState.ACTIVE:
        return []
    # Somebody known only from a block that overtook the follow has no categories yet.
    is_new = before is None or not before.preferences.categories
    if is_new and not resident_event.is_unblocked:
        return greetings.greeting(conversation.town, now.preferences)
    return greetings.welcome_back(conversation.town, now.preferences)


async def _unfollow(
    connection: AsyncConnection, conversation: ConversationContext, resident_event: ResidentEvent
) -> None:
    await subscriber_changes.leave_address(
        connection,
        conversation.keys,
        account=conversation.account,
        channel=CHANNEL,
        plain=resident_event.user_id,
        reason=REASON_LEFT,
        at=_recorded_at(resident_event),
        event_at=resident_event.at,
        route=Route.LINE,
    )


async def _tap(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    first_language: str,
) -> list[Message]:
    before = await find(connection, conversation, resident_event.user_id)
    if (command := read(resident_event.data)) is not None and command.verb == "read":
        # It registers nobody: who is unknown was not sent it.
        at = _recorded_at(resident_event)
        said = await said_read(connection, command.values[0], before, route=Route.LINE, at=at)
        return [bubbles.text_message(said.answer)]
    if before is not None and await leaving_taps.has_stopped(connection, before):
        return await _tap_of_stopped(connection, conversation, resident_event, before)
    subscriber = await _join(connection, conversation, resident_event, first_language)
    if subscriber.state != SubscriberState.ACTIVE:
        return []
    command = read(resident_event.data, resident_event.date)
    if command is None or not choices.is_known(conversation.town, command):
        return tap_answers.outdated(conversation.town, subscriber.preferences)
    if command.verb == "ask":
        return await _asked(connection, conversation, subscriber.preferences, command)
    if before is not None and resident_event.at < before.event_at:
        # It comes late, after something newer, and must not undo that.
        return tap_answers.answer(conversation.town, command, subscriber.preferences)
    if command.verb == "stop":
        at = _recorded_at(resident_event)
        return await leaving_taps.press(
            connection, conversation.town, conversation.keys, subscriber, command, at
        )
    preferences = choices.apply(conversation.town, command, subscriber.preferences, today_jst())
    changed = await subscriber_changes.change_preferences(
        connection,
        subscriber.id,
        preferences,
        reason=REASON_CHANGED,
        at=_recorded_at(resident_event),
        route=Route.LINE,
    )
    return tap_answers.answer(conversation.town, command, changed.preferences)


async def _tap_of_stopped(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    found: Subscriber,
) -> list[Message]:
    """Who has stopped can ask for things, and start again; nothing else brings her back."""
    command = read(resident_event.data, resident_event.date)
    if command is not None and command.verb == "ask":
        return await _asked(connection, conversation, found.preferences, command)
    if command is not None and (command.verb, command.values) == ("stop", ("undo",)):
        return await leaving_taps.start_again(connection, found, _recorded_at(resident_event))
    said = leaving_words(found.preferences.language).still_stopped
    return leaving_pages.stopped(found.preferences, said)


async def _asked(
    connection: AsyncConnection,
    conversation: ConversationContext,
    preferences: Preferences,
    command: Command,
) -> list[Message]:
    """What a button asks for without changing anything."""
    found = read_wish(command.values)
    if found is None:
        return tap_answers.outdated(conversation.town, preferences)
    asked, detail = found
    await _count(connection, conversation, asked)
    return answer_asked(conversation.town, preferences, conversation.knowledge, asked, detail)


async def _message(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    first_language: str,
) -> list[Message]:
    """Every message gets an answer, but for the echo of our own words and for what no person types."""
    if answer := await take_code(connection, conversation.keys, conversation.account, resident_event):
        return answer
    who = conversation.keys.lookup(conversation.account, resident_event.user_id)
    if not resident_event.reply_token or is_our_own(resident_event.text):
        return []
    if not conversation.memory.may_answer(who, resident_event.reply_token, now_ms()):
        return []
    town = conversation.town
    known = await find(connection, conversation, resident_event.user_id)
    preferences = known.preferences if known else choices.first_preferences(town, first_language)
    language = preferences.language
    if resident_event.kind == "other":
        return _help(conversation, resident_event, language, answer_words(language).cannot_see)
    if resident_event.kind == "location":
        conversation.memory.understood(who)
        return _place(conversation, language, resident_event)
    if known is not None and looks_like_code(resident_event.text):
        joined = await join_group(
            connection,
            town,
            known.id,
            resident_event.text,
            language=language,
            route=Route.LINE,
            at=_recorded_at(resident_event),
        )
        return [bubbles.text_message(joined.answer)]
    asked = understand(resident_event.text, town, conversation.knowledge.questions)
    if sounds_like_emergency(resident_event.text):
        conversation.memory.understood(who)
        followed = answer_asked(town, preferences, conversation.knowledge, asked) if asked else []
        return [answer_cards.emergency(town, language), *followed]
    if asked is None:
        return _help(conversation, resident_event, language)
    conversation.memory.understood(who)
    await _count(connection, conversation, asked)
    return answer_asked(town, preferences, conversation.knowledge, asked)


def _place(conversation: ConversationContext, language: str, resident_event: ResidentEvent) -> list[Message]:
    latitude, longitude = resident_event.latitude, resident_event.longitude
    if latitude is None or longitude is None:
        return town_cards.where_to(conversation.town, language, conversation.knowledge)
    return town_cards.sites_near(conversation.town, language, conversation.knowledge, latitude, longitude)


def _help(
    conversation: ConversationContext, resident_event: ResidentEvent, language: str, said: str = ""
) -> list[Message]:
    """The card once, then a short line."""
    who = conversation.keys.lookup(conversation.account, resident_event.user_id)
    if conversation.memory.shows_help(who, resident_event.reply_token, now_ms()):
        return [answer_cards.help_card(conversation.town, language, said)]
    return answer_cards.short_line(conversation.town, language, said or answer_words(language).not_understood)


async def _count(connection: AsyncConnection, conversation: ConversationContext, asked: Asked) -> None:
    if any(item.key == asked.question for item in conversation.knowledge.questions):
        await faq.count_asked(connection, asked.question)


async def _join(
    connection: AsyncConnection,
    conversation: ConversationContext,
    resident_event: ResidentEvent,
    first_language: str,
) -> Subscriber:
    subscriber, _ = await subscriber_changes.join(
        connection,
        conversation.keys,
        account=conversation.account,
        channel=CHANNEL,
        plain=resident_event.user_id,
        preferences=choices.first_preferences(conversation.town, first_language),
        reason=REASON_JOINED,
        at=_recorded_at(resident_event),
        event_at=resident_event.at,
        route=Route.LINE,
    )
    return subscriber


def _recorded_at(resident_event: ResidentEvent) -> int:
    # When it happened, but never in the future: a clock that is ahead must not falsify a day's count.
    return min(resident_event.at, now_ms())

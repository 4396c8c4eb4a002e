"""The nightly comparison of the register with LINE's list of friends: who came or went while we heard nothing.

Only LINE's verified accounts may ask for the list; for any other there is nothing to compare. One that is cut off
begins anew the next night or by the command: what was taken in stays, and nobody is ended before the list is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time
from functools import partial
from itertools import chain

import structlog

from bot.line.choices import first_preferences
from bot.line.languages import FIRST_LANGUAGE, learn_languages
from bot.service import Service
from channels.channel import BatchRefused, ChannelError, TemporaryFailure, UnknownOutcome
from channels.line.api import LineApi
from content.clock import JST, MINUTE, from_datetime, to_jst
from content.register import friend_list
from content.register.address_book import open_addresses
from content.register.adopting import adopt
from content.register.friend_list import Comparison

log = structlog.get_logger(__name__)

AT = time(4, 10)
LOOK_EVERY = 60.0
# Of one page, before the night's comparison is given up.
TRIES = 5
PAUSE = 2.0
ENDED_TOGETHER = 200


class KeysExchanged(Exception):
    """A key came or went while the list was read: what was seen before cannot be compared. Nobody was ended."""


async def watch_friends(service: Service, api: LineApi) -> None:
    """Compare once a night, until cancelled; a machine that is off at night does so when it is on."""
    while True:
        try:
            await compare_when_due(service, api)
        except Exception as error:
            log.warning("friends_not_compared", error=type(error).__name__)
        await asyncio.sleep(LOOK_EVERY)


async def compare_when_due(service: Service, api: LineApi) -> Comparison | None:
    """None when it is not due, another process has begun it, or LINE gives no list."""
    account = service.town.live_account("line")
    now = service.database.now()
    due_at = _last_due(now)
    if account is None:
        return None
    async with service.database.write() as connection:
        if not await friend_list.begin(connection, account.key, due_at=due_at, at=now):
            return None
    try:
        return await compare(service, api)
    except BatchRefused:
        log.info("friends_not_listed", account=account.key)
        return None


async def compare(
    service: Service,
    api: LineApi,
    *,
    whatever: bool = False,
    on_page: Callable[[int], None] = lambda seen: None,
    pause: float = PAUSE,
) -> Comparison:
    """Read the whole list and bring the register into line. `whatever` also ends implausibly many.

    Raises ChannelError when LINE does not give the list, and KeysExchanged.
    """
    account = service.town.live_account("line")
    if account is None:
        raise LookupError("no live LINE account")
    begun, held = service.database.now(), service.keys.numbers
    seen: set[bytes] = set()
    added, friends, start, is_last = 0, 0, "", False
    while not is_last:
        page, start = await _page(api, start, pause)
        is_last = not start
        added += await _take_in(service, api, account.key, page, begun)
        seen.update(_lookups(service, account.key, page))
        friends += len(page)
        on_page(friends)
    if service.keys.numbers != held:
        # What was read before knows nothing of the look-ups of a new key: its friends would count as gone.
        raise KeysExchanged
    gone, active = await _missing(service, account.key, seen, begun)
    ended = held_back = 0
    if whatever or friend_list.is_plausible(len(gone), active):
        ended = await _end(service, api, account.key, gone, begun)
    else:
        held_back = len(gone)
    done = Comparison(account.key, friends, added, ended, held_back)
    async with service.database.write() as connection:
        await friend_list.begin(connection, account.key, due_at=begun, at=begun)
        await friend_list.finish(connection, done, at=service.database.now())
    log.info("friends_compared", friends=friends, added=added, ended=ended, held_back=held_back)
    return done


async def _page(api: LineApi, start: str, pause: float) -> tuple[list[str], str]:
    for attempt in range(1, TRIES + 1):
        try:
            return await api.followers(start)
        except (TemporaryFailure, UnknownOutcome):
            if attempt == TRIES:
                raise
            await asyncio.sleep(pause * attempt)
    raise AssertionError("unreachable")


async def _take_in(service: Service, api: LineApi, account: str, page: list[str], begun: int) -> int:
    """New registrations, with the language of their phones, and those who have unblocked."""
    now = service.database.now()
    lookups = _lookups(service, account, page)
    async with service.database.write() as connection:
        new = await adopt(
            connection,
            service.keys,
            account=account,
            channel="line",
            plain=page,
            preferences=first_preferences(service.town, FIRST_LANGUAGE),
            at=now,
        )
        back = await friend_list.bring_back(connection, account, lookups, before=begun, at=now)
    await learn_languages(service, api, dict.fromkeys(new, account))
    return len(new) + back


def _lookups(service: Service, account: str, page: list[str]) -> list[bytes]:
    return list(chain.from_iterable(service.keys.lookups(account, user_id) for user_id in page))


async def _missing(service: Service, account: str, seen: set[bytes], begun: int) -> tuple[list[int], int]:
    gone: list[int] = []
    active, after, more = 0, 0, True
    while more:
        async with service.database.read() as connection:
            found, number, after = await friend_list.missing(
                connection, account, seen, before=begun, after=after
            )
        gone, active, more = gone + found, active + number, after > 0
    return gone, active


async def _end(service: Service, api: LineApi, account: str, gone: list[int], begun: int) -> int:
    """Each is asked for by itself first: an evacuation order must not miss somebody for a mistake in a list."""
    ended = 0
    for start in range(0, len(gone), ENDED_TOGETHER):
        numbers = gone[start : start + ENDED_TOGETHER]
        opened = await service.database.read_step(
            partial(open_addresses, keys=service.keys, account=account, subscriber_ids=numbers)
        )
        asked = await asyncio.gather(*(_is_gone(api, clear) for clear, _ in opened.clear.values()))
        sure = [number for number, is_gone in zip(opened.clear, asked, strict=True) if is_gone]
        async with service.database.write() as connection:
            ended += await friend_list.end_missing(connection, sure, before=begun, at=service.database.now())
    return ended


async def _is_gone(api: LineApi, user_id: str) -> bool:
    """Only what LINE says in so many words: the friend has blocked us or is no more."""
    try:
        return await api.profile(user_id) is None
    except ChannelError:
        return False


def _last_due(now: int) -> int:
    """The newest moment at which a comparison was due."""
    today = from_datetime(datetime.combine(to_jst(now).date(), AT, JST))
    return today if today <= now else today - 24 * 60 * MINUTE

"""LINE or the mail server breaks in the middle of a send: each trouble delays nobody but those it hits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from content.clock import now_ms
from tests.faults.books import DOMAINS, LINE, MAIL, FaultTown, check_the_books, fault_town
from tests.faults.recorders import DROP, HANG
from tests.faults.side_by_side import Place, SideBySide, Story
from tests.journeys.deployment import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

# Recipients of one multicast at the most.
LINE_BATCH = 500
# One send, when nothing breaks.
SECONDS = 4.0
# Refused connections and errors by turns; the drill makes it five minutes.
OUTAGE_SECONDS = 30.0


@asynccontextmanager
async def sending(place: Place) -> AsyncIterator[tuple[FaultTown, int]]:
    """A town whose urgent notice has just been posted."""
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(SECONDS)
        await town.serve()
        yield town, await town.post()


async def line_accepts_and_says_500(place: Place) -> None:
    await _answers_spoiled(place, {"type": "status", "code": 500})


async def line_accepts_and_hangs_up(place: Place) -> None:
    await _answers_spoiled(place, {"type": "reset", "when": "afterAccept"})


async def line_accepts_and_says_nothing(place: Place) -> None:
    await _answers_spoiled(place, {"type": "hang"})


async def _answers_spoiled(place: Place, action: dict[str, object]) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(SECONDS)
        town.line.fault(action, stage="after", times=6)
        await town.serve()
        notice = await town.post()
        await town.settled(notice)
        assert town.line.struck(str(action["type"])) == 6
        await check_the_books(town, notice, usual=("mail",))


async def line_is_asked_too_often(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.line.fault({"type": "status", "code": 429}, match={"path": "*multicast", "probability": 0.5})
        town.line.fault({"type": "rateBurst", "seconds": 8}, times=1)
        await town.serve()
        notice = await town.post()
        await town.under_way(notice, line=0)
        await asyncio.sleep(10)
        await town.through(notice, "mail")
        town.line.mend()
        await town.settled(notice)
        await check_the_books(town, notice, usual=("mail",))


async def line_revokes_the_token(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(SECONDS)
        token = town.environment["KAIRANBAN_LINE__CHANNEL_TOKEN"]
        town.line.in_the_middle = lambda: town.line.sandbox.tokens.revoke(token)
        await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        await town.through(notice, "mail")
        await until(lambda: _waits_for(town, notice, "credentials"), "the account to be stopped")
        _, rows = await town.look(notice)
        assert rows["line"].open > 0
        town.line.mend()
        await town.settled(notice)
        await check_the_books(town, notice, usual=("mail",))


async def line_has_no_quota_left_half_way(place: Place) -> None:
    # Enough when the notice was planned; then something else that uses the account took the rest.
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(SECONDS)
        refused = 0

        def take_the_rest() -> None:
            nonlocal refused
            quota = town.line.sandbox.channel.quota
            batches_left = (LINE - quota.used(now_ms()) - quota.reserved) // LINE_BATCH
            refused = batches_left // 2 * LINE_BATCH
            quota.change_plan({"type": "limited", "value": LINE - refused})

        town.line.in_the_middle = take_the_rest
        await town.serve()
        notice = await town.post()
        await town.settled(notice)
        assert refused
        await check_the_books(town, notice, refused={"line": refused}, usual=("mail",))
        _, rows = await town.look(notice)
        assert (rows["line"].state, rows["line"].reason) == ("stopped", "quota")


async def line_is_away(place: Place, seconds: float = OUTAGE_SECONDS) -> None:
    async with sending(place) as (town, notice):
        await town.under_way(notice)
        await town.line.close()
        await asyncio.sleep(seconds / 3)
        town.line.fault({"type": "status", "code": 503})
        await town.line.open()
        await asyncio.sleep(seconds / 3)
        await town.line.close()
        await asyncio.sleep(seconds / 3)
        await town.through(notice, "mail")
        town.line.mend()
        await town.line.open()
        await town.settled(notice)
        await check_the_books(town, notice, usual=("mail",))


async def mail_server_hangs_up_before_the_content(place: Place) -> None:
    await _mail_breaks(place, "data", DROP)


async def mail_server_hangs_up_inside_the_content(place: Place) -> None:
    await _mail_breaks(place, "content", DROP)


async def mail_server_hangs_up_after_the_content(place: Place) -> None:
    # Taken, and nobody hears of it: each of the thirty may come once more, and no other mail.
    await _mail_breaks(place, "accepted", DROP, repeats=30)


async def mail_server_closes_in_the_middle_of_a_batch(place: Place) -> None:
    await _mail_breaks(place, "mail", "421 4.3.2 closing")


async def _mail_breaks(place: Place, stage: str, verdict: str, *, repeats: int = 0) -> None:
    """Every twentieth mail, thirty times."""
    async with fault_town(place.folder, like=place.like) as town:
        town.mail.rule = now_and_then(stage, verdict, every=20, times=30)
        await town.serve()
        notice = await town.post()
        await town.settled(notice)
        assert town.mail.struck[stage] == 30
        twice = await check_the_books(town, notice, mail_repeats=repeats, usual=("line",))
        assert (twice > 0) == (repeats > 0)


async def mail_server_refuses_some_for_now_and_some_for_good(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        deferred: set[str] = set()

        def rule(stage: str, address: str) -> str:
            number = int(address[1:].partition("@")[0]) if stage == "rcpt" else 1
            if number % 50 == 0:
                return "550 5.1.1 no such user"
            if number % 50 == 25 and address not in deferred:
                deferred.add(address)
                return "451 4.7.1 greylisted"
            return ""

        town.mail.rule = rule
        await town.serve()
        notice = await town.post()
        await town.settled(notice)
        await check_the_books(town, notice, refused={"mail": MAIL // 50}, usual=("line",))
        assert len(deferred) == MAIL // 50


async def mail_server_never_answers(place: Place) -> None:
    """It takes the connection and is silent; then it is mended."""
    async with fault_town(place.folder, like=place.like) as town:
        town.mail.rule = lambda stage, _: HANG if stage == "mail" else ""
        await town.serve()
        notice = await town.post()
        await town.under_way(notice, mail=0)
        await asyncio.sleep(10)
        await town.through(notice, "line")
        town.mail.rule = lambda stage, address: ""
        await town.settled(notice)
        await check_the_books(town, notice, usual=("line",))


async def one_of_seven_mail_domains_hangs(place: Place) -> None:
    """The server is silent about one domain only; the six others get their mail meanwhile."""
    async with fault_town(place.folder, like=place.like) as town:
        silent = DOMAINS[2]
        town.mail.rule = lambda stage, address: HANG if stage == "rcpt" and address.endswith(silent) else ""
        await town.serve()
        notice = await town.post()
        await town.under_way(notice, mail=0)
        others = MAIL - MAIL // len(DOMAINS)
        await town.through(notice, "line")
        await until(lambda: _reached(town, notice, others), "the six other domains")
        town.mail.rule = lambda stage, address: ""
        await town.settled(notice)
        await check_the_books(town, notice, usual=("line",))


async def _waits_for(town: FaultTown, notice: int, reason: str) -> bool:
    _, rows = await town.look(notice)
    return bool(rows["line"].reason == reason)


async def _reached(town: FaultTown, notice: int, mails: int) -> bool:
    return await town.accepted(notice, "mail") >= mails


def now_and_then(stage: str, verdict: str, *, every: int, times: int) -> Callable[[str, str], str]:
    seen = struck = 0

    def rule(now: str, _address: str) -> str:
        nonlocal seen, struck
        if now != stage or struck == times:
            return ""
        seen += 1
        if seen % every:
            return ""
        struck += 1
        return verdict

    return rule


STORIES = [
    line_is_away,
    line_revokes_the_token,
    mail_server_never_answers,
    one_of_seven_mail_domains_hangs,
    line_accepts_and_says_nothing,
    line_is_asked_too_often,
    line_accepts_and_says_500,
    line_accepts_and_hangs_up,
    line_has_no_quota_left_half_way,
    mail_server_hangs_up_before_the_content,
    mail_server_hangs_up_inside_the_content,
    mail_server_hangs_up_after_the_content,
    mail_server_closes_in_the_middle_of_a_batch,
    mail_server_refuses_some_for_now_and_some_for_good,
]


@pytest.mark.parametrize("story", STORIES)
def test_only_those_it_hits_wait_and_nobody_is_lost(story: Story, side_by_side: SideBySide) -> None:
    side_by_side.outcome(story)

"""A domain that hangs holds no connection of the others: the one that waits for it lends its place."""

import asyncio
from contextlib import suppress

import pytest

from channels.channel import Part, Recipient
from channels.mail.domains import MailDomains
from channels.mail.session import MailSession
from tests.channels.announcements import RETRY_KEY, collect, deferred, notice, total
from tests.channels.channel_settings import make_mail
from tests.channels.mail_clock import BAD, GOOD, Clock, keep_waiting_once
from tests.channels.scripted_smtp import HANG, LATE, ScriptedSmtp

CONNECTIONS = 2


def begin(session: MailSession, number: int, domain: str) -> asyncio.Task[list[Part]]:
    prepared = session.channel.prepare(notice(), "ja")
    reader = Recipient(number, f"reader{number}@{domain}")
    return asyncio.create_task(collect(session.send(prepared, [reader], RETRY_KEY)))


async def until_connections(server: ScriptedSmtp, number: int) -> None:
    async with asyncio.timeout(60):
        while server.connections < number:
            await asyncio.sleep(0.01)


def slow_domain() -> MailDomains:
    domains = MailDomains(clock=(clock := Clock()))
    keep_waiting_once(domains, clock)
    return domains


async def test_while_one_waits_for_a_hanging_domain_all_connections_serve_the_others_and_no_more():
    hanging = {1: {"RCPT": HANG}, **{number: {"DATA": HANG} for number in (2, 3, 4)}}
    async with ScriptedSmtp(hanging) as server:
        session = make_mail(
            server.port, connections=CONNECTIONS, timeout=60.0, stall=60.0, domains=slow_domain()
        )
        waiting = begin(session, 1, BAD)
        await until_connections(server, 1)
        others = [begin(session, number, GOOD) for number in (2, 3, 4)]
        await until_connections(server, 1 + CONNECTIONS)
        await asyncio.sleep(0.1)
        assert server.connections == 1 + CONNECTIONS
        # Whoever waited gives back what it had lent: it is not counted twice.
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0.1)
        assert server.connections == 1 + CONNECTIONS
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await session.close()


@pytest.mark.parametrize("answer", ["late", "never"])
async def test_a_place_that_was_lent_comes_back(answer):
    """Lost it would leave one connection, given back twice it would open three."""
    script = {1: {"RCPT": LATE if answer == "late" else HANG}, 2: {"DATA": HANG}, 3: {"DATA": HANG}}
    async with ScriptedSmtp(script) as server:
        domains = slow_domain()
        session = make_mail(server.port, connections=CONNECTIONS, timeout=60.0, stall=2.0, domains=domains)
        parts = await begin(session, 1, BAD)
        assert (total(parts), set(deferred(parts))) == (1, set() if answer == "late" else {1})
        # One that was answered is kept and used again.
        before = server.connections - (answer == "late")
        others = [begin(session, number, GOOD) for number in (2, 3, 4)]
        await until_connections(server, before + CONNECTIONS)
        await asyncio.sleep(0.1)
        assert server.connections == before + CONNECTIONS
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await session.close()

"""The mail stand-in as a bad server: what a plain SMTP client sees of each fault."""

import asyncio

import pytest
import pytest_asyncio

from sandbox.mail.faults import SmtpFaults
from sandbox.mail.server import SmtpSandbox


class Client:
    """A client that shows each reply as it is: "" when the server hung up, "…" when it says nothing."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        # Seconds after which nothing was said; only who expects silence is in a hurry.
        self.patience = 30.0

    async def hear(self):
        try:
            while (line := await asyncio.wait_for(self.reader.readline(), self.patience))[3:4] == b"-":
                pass
        except TimeoutError:
            return "…"
        except ConnectionError:
            return ""
        return line.decode().strip()

    async def say(self, command):
        self.writer.write(command.encode() + b"\r\n")
        return await self.hear()

    async def begin(self, recipient="sato@example.jp"):
        await self.hear()
        await self.say("EHLO town")
        await self.say("MAIL FROM:<notice@example.jp>")
        return await self.say(f"RCPT TO:<{recipient}>")

    async def send(self, recipient="sato@example.jp"):
        await self.begin(recipient)
        await self.say("DATA")
        return await self.say("Message-ID: <1@example.jp>\r\n\r\nhello\r\n.")


@pytest_asyncio.fixture
async def client(mail_server):
    reader, writer = await asyncio.open_connection("127.0.0.1", await mail_server.start())
    yield Client(reader, writer)
    writer.close()


@pytest.mark.parametrize(
    ("reply", "heard"), [("450 4.2.0 later", "450 4.2.0 later"), ("hang", "…"), ("drop", "")]
)
async def test_a_domain_is_refused_hangs_or_is_dropped_at_rcpt(client, mail_server, reply, heard):
    mail_server.faults = SmtpFaults(refuse={"*@bad.example.jp": reply})
    client.patience = 1.5 if heard == "…" else 30.0
    assert await client.begin("sato@bad.example.jp") == heard


async def test_other_domains_are_not_concerned(client, mail_server):
    mail_server.faults = SmtpFaults(refuse={"*@bad.example.jp": "hang"})
    assert (await client.send("sato@good.example.jp"))[:3] == "250"


@pytest.mark.parametrize(
    ("reply", "heard"), [("452 4.2.2 full", "452 4.2.2 full"), ("hang", "…"), ("drop", "")]
)
async def test_a_content_that_is_refused_or_not_answered_is_not_kept(client, mail_server, reply, heard):
    mail_server.faults = SmtpFaults(refuse_content={"sato@*": reply})
    client.patience = 1.5 if heard == "…" else 30.0
    assert await client.send() == heard
    assert mail_server.mailroom.stats()["messages"] == 0


async def test_a_list_of_replies_is_used_up(client, mail_server):
    mail_server.faults = SmtpFaults(refuse={"sato@*": ["450 4.2.0 later"]})
    assert (await client.begin())[:3] == "450"
    assert (await client.say("RCPT TO:<sato@example.jp>"))[:3] == "250"


@pytest.mark.parametrize(("greeting", "heard"), [("hang", "…"), ("554 5.3.2 closed", "554 5.3.2 closed")])
async def test_the_greeting_can_fail(mail_server, greeting, heard):
    mail_server.faults = SmtpFaults(greeting=greeting)
    reader, writer = await asyncio.open_connection("127.0.0.1", await mail_server.start())
    client = Client(reader, writer)
    client.patience = 1.5 if heard == "…" else 30.0
    assert await client.hear() == heard
    writer.close()


async def test_whoever_says_421_hangs_up(client, mail_server):
    mail_server.faults = SmtpFaults(refuse={"*": "421 4.3.2 closing"})
    assert (await client.begin())[:3] == "421"
    assert await client.hear() == ""


async def test_the_connection_can_be_lost_in_the_middle_of_a_content(client, mail_server):
    mail_server.faults = SmtpFaults(drop_in_data=1)
    await client.begin()
    assert (await client.say("DATA"))[:3] == "354"
    assert await client.say("Message-ID: <1@example.jp>") == ""
    assert mail_server.mailroom.stats()["messages"] == 0


async def test_a_size_limit_is_advertised_and_kept():
    server = SmtpSandbox(size=1_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
    client = Client(reader, writer)
    await client.hear()
    writer.write(b"EHLO town\r\n")
    assert b"SIZE 1000" in await reader.readuntil(b"250 HELP\r\n")
    assert (await client.say("MAIL FROM:<a@example.jp> SIZE=1001"))[:3] == "552"
    writer.close()
    await server.stop()

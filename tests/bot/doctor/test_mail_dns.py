"""What the doctor says of the records that mail needs, asked of a name server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from bot.doctor.findings import Finding, Grade
from bot.doctor.mail_dns import MailRecords, examine_mail_dns
from bot.settings import Settings
from tests.factories import SHIBATA

SENDER, BOUNCES = "town.example.jp", "bounce.town.example.jp"
GOOD = {
    (SENDER, "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"', '"another=1"'],
    (BOUNCES, "TXT"): ['"v=spf1 ip4:192.0.2.1 " "-all"'],
    (f"s1._domainkey.{SENDER}", "TXT"): ['"v=DKIM1; k=rsa; p=MIGf" "MA0G"'],
    ("_dmarc.example.jp", "TXT"): ['"v=DMARC1; p=none"'],
    (SENDER, "MX"): ["10 mx.example.jp."],
    (BOUNCES, "A"): ["192.0.2.1"],
}
Records = dict[tuple[str, str], list[str]]


class NameServer(asyncio.DatagramProtocol):
    """Answers what it was told, and to anything else that there is none."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.silent = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        asked = dns.message.from_wire(data)
        (question,) = asked.question
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        if rows := self.records.get((question.name.to_text(omit_final_dot=True), kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *rows))
        if self.silent:
            answer.set_rcode(dns.rcode.SERVFAIL)
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server(records: Records) -> AsyncIterator[tuple[NameServer, MailRecords]]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(records), local_addr=("127.0.0.1", 0)
    )
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    try:
        yield server, MailRecords(resolver)
    finally:
        transport.close()


def town_settings(mail: dict[str, str]) -> Settings:
    chosen = {
        "from": f"柴田町 <oshirase@{SENDER}>",
        "bounce_domain": BOUNCES,
        "dkim_selector": "s1",
        "intake_listen": "127.0.0.1:2424",
    }
    return Settings(town=SHIBATA, mail=chosen | mail)


async def examine(
    records: Records, mail: dict[str, str] | None = None, *, silent: bool = False
) -> dict[Grade, list[Finding]]:
    async with name_server(records) as (server, asking):
        server.silent = silent
        found = await examine_mail_dns(town_settings(mail or {}), asking)
    return {grade: [item for item in found if item.grade == grade] for grade in Grade}


async def test_a_town_with_all_its_records_has_nothing_to_do() -> None:
    found = await examine(GOOD)
    assert not found[Grade.PROBLEM] and not found[Grade.WARNING]
    assert len(found[Grade.GOOD]) == 6


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ((BOUNCES, "TXT"), [], "SPFがありません"),
        ((BOUNCES, "TXT"), ['"v=spf1 -all"', '"v=spf1 mx -all"'], "SPFが2つあり"),
        ((BOUNCES, "TXT"), ['"v=spf1 +all"'], "だれが送ってもよい"),
        ((f"s1._domainkey.{SENDER}", "TXT"), [], "DKIMの鍵がありません"),
        ((f"s1._domainkey.{SENDER}", "TXT"), ['"v=DKIM1; p="'], "取り消されています"),
        (("_dmarc.example.jp", "TXT"), [], "DMARCがありません"),
        (("_dmarc.example.jp", "TXT"), ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], "DMARCが2つあり"),
        ((SENDER, "MX"), [], "MXもAもありません"),
        ((SENDER, "MX"), ["0 ."], "MXもAもありません"),
        ((BOUNCES, "A"), [], "MXもAもありません"),
    ],
)
async def test_each_record_that_is_missing_or_wrong_is_named_with_its_remedy(
    name: tuple[str, str], rows: list[str], said: str
) -> None:
    (wrong,) = (await examine(GOOD | {name: rows}))[Grade.PROBLEM]
    assert said in wrong.words and wrong.remedy


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({"dkim_selector": ""}, "DKIMを確かめられません"),
        ({"intake_listen": ""}, "受け取る口がありません"),
    ],
)
async def test_what_would_be_better_is_a_warning(mail: dict[str, str], said: str) -> None:
    (found,) = (await examine(GOOD, mail))[Grade.WARNING]
    assert said in found.words and found.remedy


async def test_a_foreign_bounce_domain_does_not_align() -> None:
    other = {
        ("mail.example.com", "TXT"): ['"v=spf1 -all"'],
        ("mail.example.com", "MX"): ["10 mx.example.com."],
    }
    found = await examine(GOOD | other, {"bounce_domain": "mail.example.com"})
    assert [item.words for item in found[Grade.WARNING]] == [
        f"戻り先 mail.example.com と差出人 {SENDER} のドメインが別です"
    ]


async def test_a_name_server_in_trouble_is_no_fault_of_the_records() -> None:
    found = await examine(GOOD, silent=True)
    assert not found[Grade.PROBLEM] and not found[Grade.GOOD]
    assert all("調べられません" in item.words for item in found[Grade.WARNING])

"""Alerts for machines: valid by the schema of OASIS, signed, and naming what they change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.exceptions import InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from bot.outlets.cap import LASTS, NAMESPACE
from bot.outlets.signing import signer
from bot.service import Service
from content.clock import HOUR, iso, now_ms
from content.notices import notices, triggers
from content.notices.attachments import Attachments, Place
from content.notices.chosen import write_rules
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.town import SegmentRule
from tests.bot.outlets.cap_rules import CapRules
from tests.bot.resident.test_pages import TEXTS, publish
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice

SCHEMA = Path(__file__).parents[4] / "shared" / "samples" / "cap" / "CAP-v1.2.xsd"
CAP = {"cap": NAMESPACE}
URGENT: dict[str, Any] = {"urgency": "urgent", "category": "saigai", "texts": TEXTS}
ODD = {"ja": ("【警戒レベル4】避難👨‍👩‍👧 & <b>", "مرحبا\x0b ]]>\n二行目" + "字" * 4900)}


class BothSchemas:
    """Our own reading of the standard, and the schema of OASIS where it is."""

    def __init__(self) -> None:
        self.rules = CapRules()
        self.oasis = etree.XMLSchema(etree.parse(str(SCHEMA))) if SCHEMA.is_file() else None

    def assertValid(self, alert: Any) -> None:  # noqa: N802 - as lxml calls it
        self.rules.assertValid(alert)
        if self.oasis is not None:
            self.oasis.assertValid(alert)


@pytest.fixture(scope="module")
def schema() -> BothSchemas:
    return BothSchemas()


async def name_of(service: Service, number: int) -> str:
    async with service.database.read() as connection:
        found = await notices.get(connection, number)
    assert found is not None
    return found.public_id


async def fetch(stranger: Visitor, path: str) -> Any:
    async with stranger.client.get(path) as answer:
        assert answer.status == 200 and answer.content_type == "application/cap+xml"
        return etree.fromstring(await answer.read())


def said(alert: Any, path: str) -> list[str]:
    return [item.text for item in alert.iterfind("/".join(f"cap:{part}" for part in path.split("/")), CAP)]


async def follow(service: Service, number: int, kind: NoticeKind, **changes: Any) -> int:
    async with service.database.write() as connection:
        later = await make_notice(
            connection, **{"category": "saigai", "kind": kind, "corrects": number, **changes}
        )
        await triggers.fire(connection, later, now_ms())
    return later


async def active(stranger: Visitor) -> list[str]:
    page = await stranger.get("/feeds/cap.atom")
    found = feedparser.parse(page.html.encode())
    assert not found.bozo
    return [entry.links[0].href.rpartition("/")[2].removesuffix(".xml") for entry in found.entries]


@pytest.mark.parametrize("texts", [TEXTS, ODD])
async def test_an_alert_is_valid_and_its_signature_holds_until_a_byte_changes(
    stranger: Visitor, service: Service, schema: BothSchemas, texts: dict[str, tuple[str, str]]
) -> None:
    name = await name_of(service, await publish(service, **{**URGENT, "texts": texts}))
    async with stranger.client.get(f"/cap/{name}.xml") as answer:
        document = await answer.read()
    schema.assertValid(etree.fromstring(document))
    certificate = (await stranger.get("/cap/certificate.pem")).html
    expect = SignatureConfiguration(signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}))
    signed = XMLVerifier().verify(document, x509_cert=certificate, expect_config=expect).signed_xml
    assert signed.findtext("cap:identifier", None, CAP) == f"043231.{name}"
    with pytest.raises(InvalidSignature):
        XMLVerifier().verify(
            document.replace(b"<scope>Public", b"<scope>Private"), x509_cert=certificate, expect_config=expect
        )
    async with stranger.client.get(f"/cap/{name}.xml") as again:
        assert await again.read() == document


async def test_it_says_what_the_notice_says(stranger: Visitor, service: Service) -> None:
    rules = write_rules((SegmentRule(field="area", any_of=("funaoka", "tsukinoki")),))
    texts = {**TEXTS, "ja": ("【警戒レベル４ 避難指示】今すぐ避難", "川があふれます。")}
    end = now_ms() + HOUR
    there = Attachments(place=Place("船岡小学校", "柴田町船岡1", 38.05, 140.77))
    number = await publish(
        service,
        **{**URGENT, "texts": texts, "target": Target("segment", rules), "expires": end, "attached": there},
    )
    alert = await fetch(stranger, f"/cap/{await name_of(service, number)}.xml")
    assert [said(alert, part)[0] for part in ("status", "msgType", "scope", "sender")] == [
        "Actual",
        "Alert",
        "Public",
        "lgcode:043231",
    ]
    assert said(alert, "info/language") == ["ja", "ja-x-easy", "en"]
    assert said(alert, "info/severity")[0] == "Severe" and said(alert, "info/certainty")[0] == "Likely"
    assert said(alert, "info/responseType") == ["Evacuate"] * 3
    assert said(alert, "info/instruction")[0].startswith("場所: 船岡小学校(柴田町船岡1)")
    assert said(alert, "info/headline")[2] == "[URGENT] Evacuate now"
    assert said(alert, "info/expires")[0] == iso(end)[:19] + "+09:00"
    assert said(alert, "info/area/areaDesc")[0] == "宮城県柴田町 船岡・槻木"
    assert said(alert, "info/area/geocode/value")[:3] == ["043231", "funaoka", "tsukinoki"]


async def test_an_update_and_a_cancel_name_all_that_was_said_before(
    stranger: Visitor, service: Service, schema: BothSchemas
) -> None:
    first = await publish(service, **URGENT)
    names = [await name_of(service, first)]
    references = ""
    # A routine correction of an alert is told to machines too.
    number = first
    for kind, message in ((NoticeKind.CORRECTION, "Update"), (NoticeKind.WITHDRAWAL, "Cancel")):
        before = await fetch(stranger, f"/cap/{names[-1]}.xml")
        references = f"{references} lgcode:043231,043231.{names[-1]},{said(before, 'sent')[0]}".strip()
        number = await follow(service, number, kind)
        names.append(await name_of(service, number))
        alert = await fetch(stranger, f"/cap/{names[-1]}.xml")
        schema.assertValid(alert)
        assert said(alert, "msgType") == [message] and said(alert, "references") == [references]
        assert await active(stranger) == [names[-1]]


async def test_drills_and_tests_are_exercises_at_an_address_of_their_own(
    stranger: Visitor, service: Service, schema: BothSchemas
) -> None:
    for mode, status in (("drill", "Exercise"), ("test", "Test")):
        name = await name_of(service, await publish(service, **URGENT, mode=mode))
        assert (await stranger.get(f"/cap/{name}.xml")).status == 404
        alert = await fetch(stranger, f"/cap/exercise/{name}.xml")
        schema.assertValid(alert)
        assert said(alert, "status") == [status]
    live = await name_of(service, await publish(service, **URGENT))
    assert (await stranger.get(f"/cap/exercise/{live}.xml")).status == 404
    assert await active(stranger) == [live]


async def test_what_is_no_alert_has_none(stranger: Visitor, service: Service) -> None:
    for changes in ({"urgency": "routine"}, {"category": "event"}, {"target": Target("group", "kucho")}):
        name = await name_of(service, await publish(service, **{**URGENT, **changes}))
        assert (await stranger.get(f"/cap/{name}.xml")).status == 404
    assert (await stranger.get("/cap/nothing.xml")).status == 404
    assert await active(stranger) == []


async def test_an_alert_ends_with_its_notice_or_after_a_day(stranger: Visitor, service: Service) -> None:
    now = now_ms()
    await publish(service, **URGENT, expires=now + HOUR)
    await publish(service, **URGENT)
    counts = []
    for later in (0, HOUR + 1, LASTS + HOUR):
        service.database.now = lambda later=later: now + later  # type: ignore[method-assign,misc]
        counts.append(len(await active(stranger)))
    assert counts == [2, 1, 0]


def test_the_certificate_is_the_same_at_every_start_and_anothers_in_every_database(service: Service) -> None:
    assert signer(service.keys, service.town).pem == signer(service.keys, service.town).pem
    assert (
        signer(service.keys.bound_to("another"), service.town).pem != signer(service.keys, service.town).pem
    )

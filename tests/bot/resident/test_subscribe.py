"""Registering by mail and changing one's settings, from the form over a real mail server to the saved choice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.app import create_app
from bot.letters import letter_sender
from bot.resident import subscribe
from bot.service import Service
from content.clock import DAY, now_ms
from content.ledger.read_receipts import say_read
from content.notices import notices
from content.notices.segments import Target
from content.register import subscriber_changes, subscribers
from content.register.invitations import make_codes
from content.register.states import Route, SubscriberState
from content.register.subscribers import Subscriber
from sandbox.mail.server import SmtpSandbox
from scheduler.letters import send_letters
from tests.bot.web_visitor import Page, Visitor
from tests.factories import NEWCOMER, make_delivery, make_notice, make_subscriber

HANAKO = "hanako@example.jp"


@dataclass
class House:
    """The service with a mail server of its own, and somebody in front of a browser."""

    service: Service
    mail: SmtpSandbox
    visitor: Visitor

    async def last_letter(self) -> tuple[str, str]:
        """(subject, text) of the newest mail that arrived, after everything due has been sent."""
        while await send_letters(self.service.context):
            pass
        sent = message_from_bytes(self.mail.mailroom.mails[-1].source, policy=default)
        body = sent.get_body()
        assert body is not None
        return str(sent["Subject"]), body.get_content()

    async def ask(self, address: str = HANAKO, language: str = "ja") -> Page:
        page = await self.visitor.get("/subscribe")
        return await self.visitor.submit(page, "/subscribe", {"address": address, "language": language})

    async def follow_link(self) -> Page:
        _, text = await self.last_letter()
        found = re.search(r"https?://\S+", text)
        assert found
        return await self.visitor.get(urlsplit(found[0]).path)

    async def registered(self, address: str = HANAKO) -> Subscriber | None:
        async with self.service.database.read() as connection:
            known = await subscribers.find(connection, self.service.keys, "mail", "mail", address)
            return None if known is None else await subscribers.get(connection, known)

    async def has_read(self, title: str) -> None:
        reader = await self.registered()
        assert reader is not None
        async with self.service.database.write() as connection:
            texts = {"ja": (title, "あす休みます。")}
            number = await make_notice(connection, target=Target("group", "kucho"), texts=texts)
            await make_delivery(connection, [[reader.id]], notice_id=number, account="mail")
            notice = await notices.get(connection, number)
            assert notice is not None
            assert await say_read(connection, notice, reader, route=Route.MAIL, at=now_ms())

    async def join(self) -> Page:
        await self.ask()
        page = await self.follow_link()
        return await self.visitor.submit(page, page.path, {})


@pytest_asyncio.fixture
async def house(service: Service) -> AsyncIterator[House]:
    mail = SmtpSandbox()
    port = await mail.start()
    settings = service.settings.model_copy(deep=True)
    settings.mail.smtp_url = SecretStr(f"smtp://127.0.0.1:{port}")
    context = replace(service.context, send_letter=letter_sender(settings, service.town))
    own = Service(settings, context)
    async with TestClient(TestServer(create_app(own))) as client:
        yield House(own, mail, Visitor(client))
    await mail.stop()


async def test_she_registers_with_a_letter_and_one_button(house: House) -> None:
    page = await house.ask(language="en")
    assert page.path == "/subscribe/sent" and "notice@example.jp" in page.text
    subject, text = await house.last_letter()
    assert "Shibata" in subject and "within 48 hours" in text
    page = await house.follow_link()
    assert "h…@example.jp" in page.text and HANAKO not in page.html
    assert await house.registered() is None, "opening a link changes nothing"
    page = await house.visitor.submit(page, page.path, {})
    assert page.path.startswith("/preferences") and "You are registered" in page.text
    found = await house.registered()
    assert found is not None and found.preferences.language == "en"
    assert found.preferences.categories == set(house.service.town.always_categories)


async def test_the_answer_is_the_same_whether_or_not_she_is_registered(house: House) -> None:
    async with house.service.database.write() as connection:
        await make_subscriber(connection, house.service.keys, NEWCOMER, address=HANAKO)
    known, unknown = await house.ask(), await house.ask("taro@example.jp")
    assert (known.status, known.html) == (unknown.status, unknown.html)
    while await send_letters(house.service.context):
        pass
    subjects = {
        str(message_from_bytes(mail.source, policy=default)["Subject"]) for mail in house.mail.mailroom.mails
    }
    assert len(subjects) == 2


async def test_a_link_works_once(house: House) -> None:
    await house.ask()
    page = await house.follow_link()
    await house.visitor.submit(page, page.path, {})
    assert (await house.visitor.get(page.path)).status == 404
    assert (await house.visitor.post(page.path, [])).status == 404
    assert (await house.visitor.get("/subscribe/1.AAAAAAAAAAAAAAAAAAAAAA")).status == 404


async def test_what_is_no_address_is_named_and_nothing_is_sent(house: House) -> None:
    for wrong in ("hanako", "hanako@", "a@b@example", "x" * 300 + "@example.jp", "<script>@example.jp"):
        page = await house.ask(wrong)
        assert page.status == 400 and "メールアドレスを確かめてください" in page.text
    assert not await send_letters(house.service.context)


async def test_one_source_may_ask_only_so_often(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribe, "ASKS_OF_SOURCE", 2)
    answers = [(await house.ask(f"someone{number}@example.jp")).status for number in range(3)]
    assert answers == [200, 200, 429]


async def test_another_site_cannot_confirm_or_change(house: House) -> None:
    await house.join()
    for path in ("/preferences", "/preferences/children", "/preferences/erase", "/preferences/close"):
        page = await house.visitor.post(path, [], follow=False, Origin="https://elsewhere.example")
        assert page.status == 403
    found = await house.registered()
    assert found is not None and found.state == SubscriberState.ACTIVE


async def test_she_chooses_and_the_choice_is_kept(house: House) -> None:
    page = await house.join()
    page = await house.visitor.submit(
        page,
        "/preferences",
        {
            "category": ["kosodate", "event"],
            "area": ["funaoka"],
            "language": "ja-easy",
            "quiet": "22-6",
            "pause": "open",
        },
    )
    assert "保存(ほぞん)しました" in page.text
    found = await house.registered()
    assert found is not None
    chosen = found.preferences
    assert chosen.categories == {"kosodate", "event", *house.service.town.always_categories}
    assert (chosen.areas, chosen.language, chosen.quiet_hours) == (frozenset({"funaoka"}), "ja-easy", "22-6")
    assert chosen.paused_until is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"category": ["nobody-knows"]}, "今は選べないもの"),
        ({"area": ["nowhere"]}, "今は選べないもの"),
        ({"quiet": "25-3"}, "今は選べないもの"),
        ({"pause": "until", "pause_date": "2000-01-01"}, "今日より後の日付"),
        ({"pause": "until", "pause_date": "きのう"}, "今日より後の日付"),
    ],
)
async def test_what_cannot_be_chosen_is_named_and_changes_nothing(
    house: House, fields: dict[str, str | list[str]], words: str
) -> None:
    page = await house.join()
    before = await house.registered()
    page = await house.visitor.submit(page, "/preferences", fields)
    assert page.status == 400 and words in page.text
    assert await house.registered() == before


async def test_children_come_and_go_one_by_one(house: House) -> None:
    page = await house.join()
    for year, word in (("2026", "下の子"), ("2023", "")):
        page = await house.visitor.submit(
            page, "/preferences/children", {"year": year, "month": "1", "word": word}
        )
    assert "下の子 2026年1月生まれ" in page.text and "お子さん1 2023年1月生まれ" in page.text
    page = await house.visitor.post("/preferences/children/remove", [("birth_month", "2026-01")])
    found = await house.registered()
    assert found is not None and found.preferences.birth_months == {"2023-01"}
    page = await house.visitor.post("/preferences/children", [("year", "2999"), ("month", "1")])
    assert page.status == 400 and "生まれた年と月" in page.text


async def test_her_data_are_hers_to_take_and_to_erase(house: House) -> None:
    await house.join()
    await house.has_read("休園のお知らせ")
    own = await house.visitor.get("/preferences/export")
    assert '"read": [' in own.html and "休園のお知らせ" in own.html
    assert HANAKO in own.html and '"kind": "joined"' in own.html and '"route": "web"' in own.html
    page = await house.visitor.get("/preferences/erase")
    page = await house.visitor.submit(page, "/preferences/erase", {})
    assert "消しました" in page.text
    assert await house.registered() is None
    assert (await house.visitor.get("/preferences/export")).path == "/preferences"


async def test_the_settings_open_with_a_link_once_and_close(house: House) -> None:
    await house.join()
    await house.visitor.post("/preferences/close", [])
    page = await house.visitor.get("/preferences")
    assert "設定のページを受け取る" in page.text
    async with house.service.database.write() as connection:
        # As if two minutes had gone by since she asked for the first letter.
        await connection.exec_driver_sql("UPDATE mail_request SET asked_at = asked_at - 200000")
    await house.visitor.submit(page, "/subscribe", {"address": HANAKO})
    page = await house.follow_link()
    assert page.path.startswith("/preferences/") and "設定を開く" in page.text
    opened = await house.visitor.submit(page, page.path, {})
    assert opened.path == "/preferences" and "h…@example.jp" in opened.text
    assert (await house.visitor.post(page.path, [])).status == 404


async def test_who_has_left_has_no_settings(house: House) -> None:
    await house.join()
    found = await house.registered()
    assert found is not None
    async with house.service.database.write() as connection:
        await subscriber_changes.leave(
            connection, found.id, reason="unsubscribed", at=house.service.database.now(), route=Route.WEB
        )
    assert "設定のページを受け取る" in (await house.visitor.get("/preferences")).text


async def test_a_town_without_mail_offers_none(service: Service) -> None:
    quiet = Service(service.settings, replace(service.context, send_letter=None))
    async with TestClient(TestServer(create_app(quiet))) as client:
        visitor = Visitor(client)
        page = await visitor.get("/subscribe")
        assert "メールでの配信は行っていません" in page.text and 'name="address"' not in page.html
        assert (await visitor.post("/subscribe", [("address", HANAKO)])).status == 404


async def test_a_code_on_the_settings_page_opens_its_group(house: House) -> None:
    await house.join()
    now = now_ms()
    async with house.service.database.write() as connection:
        (code,) = await make_codes(
            connection,
            "kucho",
            number=1,
            most=1,
            expires_at=now + DAY,
            member_until=None,
            staff="tanaka",
            at=now,
        )
    page = await house.visitor.get("/preferences")
    wrong = await house.visitor.submit(page, "/preferences/group", {"code": "AAAA-BBBB-CCCC"})
    assert wrong.status == 400 and "この招待コードは使えません" in wrong.text
    page = await house.visitor.submit(page, "/preferences/group", {"code": code})
    assert "「行政区長」に入りました" in page.text
    found = await house.registered()
    assert found is not None and found.preferences.groups == {"kucho"}

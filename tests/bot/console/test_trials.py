"""試し送り先 and 自分に試し送り on screen: confirmed by who reads there, sent to oneself, shown before approval."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email import policy
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from bot.service import Service, open_town_context
from content.clock import DAY, HOUR
from content.ledger import self_tests
from content.ledger.self_tests import AccountProof
from content.register import trial_addresses, trial_requests
from content.staff import audit, member_changes, members
from content.staff.members import Staff
from sandbox.mail.server import SmtpSandbox
from scheduler import self_test, trial_addressing
from scheduler.fanout import plan_next
from scheduler.triggers import fire_due
from tests.bot.web_visitor import Visitor
from tests.factories import line_id, make_notice
from tests.scheduler.scripted import eventually, sending

OWN = "/console/account/trial-addresses"
MAIL = "hanako@shibata.example.jp"


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpSandbox]:
    server = SmtpSandbox()
    yield server
    await server.stop()


@pytest.fixture
async def service(service: Service, smtp: SmtpSandbox) -> Service:
    """With a mail server that answers."""
    port = await smtp.start()
    mail = service.settings.mail.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}")})
    settings = service.settings.model_copy(update={"mail": mail})
    return Service(settings, open_town_context(settings, service.town, service.database, service.keys))


async def member(service: Service, login: str = "tanaka") -> Staff:
    async with service.database.read() as connection:
        found = await members.find_any(connection, login)
    assert found is not None
    return found


async def add(service: Service, channel: str, plain: str, login: str = "tanaka") -> int:
    owner = await member(service, login)
    async with service.database.write() as connection:
        return await trial_addresses.add(
            connection, service.keys, staff_id=owner.id, account=channel, channel=channel, plain=plain, at=1
        )


async def own(service: Service, login: str = "tanaka") -> list[str]:
    owner = await member(service, login)
    async with service.database.read() as connection:
        return [item.plain for item in await trial_addresses.of_staff(connection, service.keys, owner.id)]


def link_in(smtp: SmtpSandbox) -> str:
    (mail,) = smtp.mailroom.mails
    assert mail.recipient == MAIL
    text = BytesParser(policy=policy.default).parsebytes(mail.source).get_body(("plain",)).get_content()
    found = re.search(r"https?://\S+", text)
    assert found
    return urlsplit(found[0]).path


async def test_a_mail_address_is_confirmed_by_the_button_behind_the_link_and_once(
    tanaka: Visitor, service: Service, smtp: SmtpSandbox
) -> None:
    page = await tanaka.submit(await tanaka.get(OWN), f"{OWN}/mail", {"address": f" {MAIL} "})
    assert "確認のメールを送りました" in page.text and "確認を待っています" in page.text
    assert await own(service) == []
    path = link_in(smtp)
    tanaka.client.session.cookie_jar.clear()
    for _ in range(2):
        opened = await tanaka.get(path)
        assert (opened.status, await own(service)) == (200, []), "opening changes nothing"
    assert MAIL not in opened.html
    elsewhere = await tanaka.post(path, [], Origin="https://evil.example")
    assert (elsewhere.status, await own(service)) == (403, [])
    done = await tanaka.post(path, [])
    assert "試し送り先に登録しました" in done.text
    assert await own(service) == [MAIL]
    for again in (await tanaka.post(path, []), await tanaka.get(path)):
        assert (again.status, "このリンクは使えません" in again.text) == (404, True)
    await tanaka.enter(service, "tanaka")
    page = await tanaka.get(OWN)
    assert "h…@shibata.example.jp" in page.text and MAIL not in page.html
    async with service.database.read() as connection:
        acts = [item.action for item in await audit.entries(connection)]
        assert all(MAIL not in str(item.detail) for item in await audit.entries(connection))
    assert {"trial.address_asked", "trial.address_added"} <= set(acts)


async def test_a_wrong_address_and_a_silent_mail_server_are_told_with_the_remedy(
    tanaka: Visitor, service: Service, smtp: SmtpSandbox
) -> None:
    page = await tanaka.submit(await tanaka.get(OWN), f"{OWN}/mail", {"address": "hanako"})
    assert (page.status, "name@example.jp の形で" in page.text) == (422, True)
    await smtp.stop()
    page = await tanaka.submit(await tanaka.get(OWN), f"{OWN}/mail", {"address": MAIL})
    assert (page.status, "確認のメールを送れませんでした" in page.text) == (422, True)
    for _ in range(6):
        page = await tanaka.submit(await tanaka.get(OWN), f"{OWN}/mail", {"address": MAIL})
    assert (page.status, "1時間に6回まで" in page.text) == (422, True)
    assert await own(service) == []


async def test_a_line_code_is_shown_once_and_kept_as_a_hash(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.submit(await tanaka.get(OWN), f"{OWN}/line")
    found = re.search(r"secret-code\">([0-9a-z]{4} [0-9a-z]{4})<", page.html)
    assert found
    assert found[1] not in (await tanaka.get(OWN)).html
    async with service.database.read() as connection:
        assert await trial_requests.find(
            connection, service.keys, found[1], "line", at=service.database.now()
        )
        stored = (await connection.execute(trial_requests.trial_request.select())).one()
    assert found[1].replace(" ", "").encode() not in b"".join(
        item for item in stored if isinstance(item, bytes)
    )


async def test_one_removes_ones_own_addresses_alone(tanaka: Visitor, service: Service) -> None:
    mine, other = await add(service, "mail", MAIL), await add(service, "mail", "s@example.jp", "suzuki")
    page = await tanaka.get(OWN)
    assert f'value="{other}"' not in page.html
    for number in (other, mine):
        await tanaka.submit(page, f"{OWN}/remove", {"id": str(number)})
    assert (await own(service), await own(service, "suzuki")) == ([], ["s@example.jp"])
    assert "まだありません" in (await tanaka.get(OWN)).text


async def test_a_webhook_is_for_administrators_and_its_secret_is_shown_once(
    tanaka: Visitor, service: Service
) -> None:
    assert "Webhookを登録する" not in (await tanaka.get(OWN)).text
    async with service.database.write() as connection:
        await member_changes.set_role(connection, await member(service), "administrator")
    page = await tanaka.get(OWN)
    bad = await tanaka.submit(page, f"{OWN}/webhook", {"url": "ftp://example.jp"})
    assert (bad.status, await own(service)) == (422, [])
    page = await tanaka.submit(page, f"{OWN}/webhook", {"url": "https://example.jp/hook"})
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.html)
    assert secret and await own(service) == [f"https://example.jp/hook {secret[0]}"]
    assert secret[0] not in (await tanaka.get(OWN)).html


async def plan(service: Service) -> None:
    await fire_due(service.context)
    while await plan_next(service.context):
        pass


async def test_a_draft_is_tried_seen_as_arrived_and_then_approved(
    tanaka: Visitor, service: Service, smtp: SmtpSandbox
) -> None:
    await add(service, "mail", MAIL)
    confirm = await tanaka.write(channels=["line", "mail"], title__en="Checkups", body__en="On 10 April.")
    assert "LINEには、あなたの試し送り先がありません" in confirm.text
    assert "まだ試し送りをしていません" in confirm.text
    action = confirm.path.replace("/confirm", "/try")
    page = await tanaka.submit(confirm, action, {"language": "all"})
    assert page.text.count("メール:送っています") == 2
    await plan(service)

    async def arrived() -> bool:
        return (await tanaka.get(confirm.path)).text.count("メール:受付") == 2

    async with sending(service.context):
        await eventually(arrived)
    assert {mail.recipient for mail in smtp.mailroom.mails} == {MAIL}
    subjects = {
        str(BytesParser(policy=policy.default).parsebytes(mail.source)["Subject"])
        for mail in smtp.mailroom.mails
    }
    assert subjects == {"【試験】乳幼児健診のお知らせ", "[TEST] Checkups"}
    listed = await tanaka.get("/console/notices")
    assert listed.html.count("乳幼児健診のお知らせ</a>") == 1, "the draft alone"
    edit = await tanaka.get(confirm.path.replace("/confirm", "/edit"))
    changed = await tanaka.submit(
        edit, confirm.path.replace("/confirm", "/edit"), {"title.ja": "乳幼児健診の変更"}
    )
    assert changed.text.count("このあとに内容が変わりました") == 2


async def test_without_addresses_the_page_leads_to_them_and_a_forged_try_changes_nothing(
    tanaka: Visitor, service: Service
) -> None:
    confirm = await tanaka.write()
    assert "自分に試し送りする(" not in confirm.text
    assert OWN in confirm.html
    token = dict(confirm.form("/console/logout"))["csrf"]
    page = await tanaka.post(confirm.path.replace("/confirm", "/try"), [("csrf", token)])
    assert (page.status, "あなたの試し送り先がありません" in page.text) == (422, True)


async def test_a_test_to_residents_cannot_be_written(tanaka: Visitor) -> None:
    page = await tanaka.get("/console/notices/new")
    assert 'value="test"' not in page.html
    refused = await tanaka.write(mode="test")
    assert (refused.status, "試験は住民には送れません" in refused.message_of("mode")) == (422, True)


async def administer(service: Service) -> None:
    async with service.database.write() as connection:
        await member_changes.set_role(connection, await member(service), "administrator")


async def test_an_administrator_chooses_seeds_begins_and_reads_the_proof(
    tanaka: Visitor, service: Service, smtp: SmtpSandbox
) -> None:
    page = await tanaka.get("/console/self-tests")
    assert "まだ行っていません" in page.text and "宛先は管理者が選びます" in page.text
    await administer(service)
    page = await tanaka.get("/console/self-tests")
    refused = await tanaka.submit(page, "/console/self-tests/begin")
    assert (refused.status, "先に、職員の試し送り先から選んでください" in refused.text) == (422, True)
    number = await add(service, "mail", MAIL, "suzuki")
    await add(service, "line", line_id(1), "suzuki")
    page = await tanaka.get("/console/self-tests")
    assert "h…@shibata.example.jp" in page.text and MAIL not in page.html
    page = await tanaka.submit(page, "/console/self-tests/seeds", {"id": str(number), "on": "1"})
    assert "メール 1件" in page.text and "LINE・Webhookには宛先がないため、点検されません" in page.text
    page = await tanaka.submit(page, "/console/self-tests/begin")
    assert "自己点検を始めました" in page.text and "点検中" in page.text
    await plan(service)

    async def passed() -> bool:
        await self_test.end_finished(service.context)
        return "合格" in (await tanaka.get("/console/self-tests/1")).text

    async with sending(service.context):
        await eventually(passed)
    proof = await tanaka.get("/console/self-tests/1")
    assert "宮城県柴田町" in proof.text and "tanaka" in proof.text
    assert re.search(r"メール 1件 1件 1件 0件 0件 [0-9.]+秒 合格", proof.text)
    assert (await tanaka.get("/console/self-tests/2")).status == 404
    page = await tanaka.submit(proof, "/console/logout")
    await tanaka.enter(service, "suzuki")
    assert "メール 1/1件" in (await tanaka.get("/console/self-tests")).text


async def test_the_quota_that_the_seeds_cost_is_told(tanaka: Visitor, service: Service) -> None:
    number = await add(service, "line", line_id(1))
    await trial_addressing.choose_seed(service.context, number, on=True, staff="cli")
    page = await tanaka.get("/console/self-tests")
    assert "1回に1通、1か月に最大31通使います" in page.text


async def test_failures_are_shown_with_their_reason_page_by_page(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
        for day in range(40):
            number = await self_tests.begin(
                connection,
                due_at=day * DAY,
                begun_by="scheduler",
                notice_id=notice_id,
                expected={"mail": 2},
                at=day * DAY + HOUR,
            )
            assert number
            proof = AccountProof("mail", 2, 2, 1, 1, 0, "mailbox_unknown", 1_234)
            await self_tests.end(connection, number, [proof], at=day * DAY + HOUR)
    page = await tanaka.get("/console/self-tests")
    assert page.text.count("不合格") == 31
    assert "メール 1/2件 1.2秒" in page.text
    assert (await tanaka.get("/console/self-tests?before=10")).text.count("不合格") == 9
    assert (await tanaka.get("/console/self-tests?before=x")).status == 200

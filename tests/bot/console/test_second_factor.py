"""Signing in with more than a password."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest
import time_machine

from bot.service import Service
from content.clock import SECOND, now_ms
from content.staff import codes, second_factor
from content.staff.codes import CodePurpose
from content.town import Town
from tests.bot.console.people import code_of, member, newest, person
from tests.bot.web_visitor import Visitor
from tests.factories import create_town


async def enrol(visitor: Visitor) -> tuple[str, list[str]]:
    account = await visitor.get("/console/account")
    picture = await visitor.submit(account, "/console/account/factor")
    assert "<svg" in picture.html and "style=" not in picture.html
    found = re.search(r"この文字を入れます:<strong>([A-Z2-7 ]+)<", picture.html)
    assert found
    secret = found[1].replace(" ", "")
    wrong = await visitor.submit(picture, "/console/account/factor/confirm", {"code": "000"})
    assert wrong.status == 422 and "時計を「自動」に" in wrong.text
    code = pyotp.TOTP(secret).at(now_ms() // SECOND, counter_offset=-1)
    shown = await visitor.submit(wrong, "/console/account/factor/confirm", {"code": code})
    listed = re.findall(r"<li>([\w-]{19})</li>", shown.html)
    assert len(listed) == 10
    return secret, listed


async def test_a_second_factor_is_set_up_and_asked_for_at_the_next_login(
    tanaka: Visitor, service: Service
) -> None:
    secret, recovery = await enrol(tanaka)
    tanaka.client.session.cookie_jar.clear()
    page = await tanaka.log_in()
    assert page.path.startswith("/console/login/code") and "この画面の時刻は" in page.text
    assert (await tanaka.get("/console/")).path.startswith("/console/login"), "half in is not in"
    page = await tanaka.get("/console/login/code?next=/console/reports")
    wrong = await tanaka.submit(page, "/console/login/code", {"code": "000000x"})
    assert wrong.status == 401
    code = pyotp.TOTP(secret).at(now_ms() // SECOND)
    inside = await tanaka.submit(wrong, "/console/login/code", {"code": code})
    assert inside.path == "/console/reports"
    assert (await newest(service)).detail == {"second_factor": "app"}
    tanaka.client.session.cookie_jar.clear()
    again = await tanaka.submit(await tanaka.log_in(), "/console/login/code", {"code": code})
    assert again.status == 401, "no code counts twice"
    inside = await tanaka.submit(again, "/console/login/code", {"code": recovery[0]})
    assert inside.path == "/console/"
    assert (await newest(service)).detail == {"second_factor": "recovery"}


@pytest.mark.parametrize(
    ("minutes", "words"), [(7, "約7分進んで"), (-60, "約60分遅れて"), (200, "コードが合いません。アプリに今")]
)
async def test_a_phone_whose_clock_is_wrong_is_told_so_when_it_is_set_up(
    tanaka: Visitor, minutes: int, words: str
) -> None:
    picture = await tanaka.submit(await tanaka.get("/console/account"), "/console/account/factor")
    found = re.search(r"この文字を入れます:<strong>([A-Z2-7 ]+)<", picture.html)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    confirm = "/console/account/factor/confirm"
    with time_machine.travel(now_ms() / SECOND, tick=False):
        wrong = await tanaka.submit(
            picture, confirm, {"code": app.at(now_ms() // SECOND, counter_offset=2 * minutes)}
        )
        assert wrong.status == 422 and words in wrong.text and "この画面の時刻は" in wrong.text
        right = await tanaka.submit(wrong, confirm, {"code": app.at(now_ms() // SECOND)})
        assert "予備コード" in right.text


async def test_whoever_signs_in_with_a_wrong_clock_is_told_to_mend_it_and_nothing_of_the_codes(
    tanaka: Visitor,
) -> None:
    secret, _ = await enrol(tanaka)
    tanaka.client.session.cookie_jar.clear()
    page = await tanaka.log_in()
    app = pyotp.TOTP(secret)
    codes = (app.at(now_ms() // SECOND, counter_offset=20), "000000x")
    pages = [await tanaka.submit(page, "/console/login/code", {"code": code}) for code in codes]
    assert [item.status for item in pages] == [401, 401]
    late, wrong = (re.findall(r'id="code-error">([^<]*)<', item.html) for item in pages)
    assert late == wrong and "時計がずれていると" in late[0]


async def test_many_wrong_codes_tire_their_source_alone(tanaka: Visitor, service: Service) -> None:
    _, recovery = await enrol(tanaka)
    tanaka.client.session.cookie_jar.clear()
    page = await tanaka.log_in()
    for _ in range(5):
        assert (await tanaka.submit(page, "/console/login/code", {"code": "wrong"})).status == 401
    assert (await tanaka.submit(page, "/console/login/code", {"code": recovery[0]})).status == 429


async def test_a_lost_phone_is_helped_with_a_code_of_the_administrator(
    admin: Visitor, suzuki: Visitor, service: Service
) -> None:
    await enrol(suzuki)
    suzuki.client.session.cookie_jar.clear()
    page = await person(admin, service, "suzuki")
    shown = await admin.submit(page, f"{page.path}/code")
    assert (await newest(service)).action == "staff.code_made"
    step = await suzuki.log_in("suzuki")
    assert (await suzuki.submit(step, "/console/login/code", {"code": code_of(shown)})).path == "/console/"
    assert (await newest(service)).detail == {"second_factor": "emergency"}
    removed = await admin.submit(page, f"{page.path}/factor")
    assert "二段階認証を外しました" in removed.text
    assert (await suzuki.log_in("suzuki")).path == "/console/"


async def test_taking_the_factor_off_needs_a_code(tanaka: Visitor, service: Service) -> None:
    _, recovery = await enrol(tanaka)
    account = await tanaka.get("/console/account")
    refused = await tanaka.submit(account, "/console/account/factor/remove", {"code": "000000"})
    assert refused.status == 422
    more = await tanaka.submit(account, "/console/account/recovery")
    assert recovery[0] not in more.html
    done = await tanaka.submit(
        account, "/console/account/factor/remove", {"code": re.findall(r"<li>([\w-]{19})</li>", more.html)[0]}
    )
    assert "二段階認証を外しました" in done.text


class TestSendersNeedOne:
    @pytest.fixture
    def town(self) -> Town:
        return create_town(second_factor="senders")

    async def test_whoever_may_send_sets_one_up_first(self, tanaka: Visitor, kikaku: Any) -> None:
        # kikaku came last with the same browser; she may only look, and is not asked.
        assert (await kikaku.get("/console/notices")).path == "/console/notices"

    async def test_nothing_else_opens_until_then(self, tanaka: Visitor, service: Service) -> None:
        page = await tanaka.get("/console/notices/new")
        assert page.path == "/console/account?note=needed" and "二段階認証が要ります" in page.text
        await enrol(tanaka)
        assert (await tanaka.get("/console/notices/new")).path == "/console/notices/new"


async def test_an_emergency_code_without_a_factor_lets_nobody_in(tanaka: Visitor, service: Service) -> None:
    me = await member(service, "tanaka")
    async with service.database.write() as connection:
        await codes.make(connection, me.id, CodePurpose.SECOND_FACTOR, at=now_ms())
        assert not await second_factor.is_on(connection, me.id)
    assert (await tanaka.get("/console/login/code")).path == "/console/login"

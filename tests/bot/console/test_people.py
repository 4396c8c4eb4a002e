"""An administrator's day, and signing in with more than a password."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pyotp
import pytest
import pytest_asyncio
import time_machine

from bot.console import account
from bot.service import Service
from content.clock import SECOND, now_ms
from content.staff import audit, codes, member_changes, members, passwords, second_factor
from content.staff.codes import CodePurpose
from content.staff.members import Staff
from content.town import Town
from tests.bot.web_visitor import PASSWORD, Page, Visitor
from tests.factories import create_town

NEW = "atarashii-kotoba"
CODE = re.compile(r'secret-code"><strong>([\w-]+)<')


async def member(service: Service, login: str) -> Staff:
    async with service.database.read() as connection:
        found = await members.find_any(connection, login)
    assert found is not None
    return found


async def give_role(service: Service, login: str, role: str) -> None:
    found = await member(service, login)
    async with service.database.write() as connection:
        await member_changes.set_role(connection, found, role)


async def newest(service: Service) -> audit.Entry:
    async with service.database.read() as connection:
        return (await audit.entries(connection, limit=1))[0]


@pytest_asyncio.fixture
async def admin(tanaka: Visitor, service: Service) -> Visitor:
    """tanaka, who administers alone."""
    await give_role(service, "tanaka", "administrator")
    return tanaka


async def person(visitor: Visitor, service: Service, login: str) -> Page:
    return await visitor.get(f"/console/people/{(await member(service, login)).id}")


def code_of(page: Page) -> str:
    found = CODE.search(page.html)
    assert found, page.text
    return found[1]


async def test_somebody_is_invited_sets_a_password_and_gets_the_rights_of_a_department(
    admin: Visitor, suzuki: Visitor, service: Service
) -> None:
    people = await admin.get("/console/people")
    shown = await admin.submit(people, "/console/people/invite", {"login": "sato", "role": "viewer"})
    assert "sato さんに渡すコード" in shown.text
    assert "招待中" in (await admin.get("/console/people")).text
    assert (await suzuki.log_in("sato", "")).path == "/console/login"
    form = await suzuki.get("/console/password")
    typed = {"login": "sato", "code": code_of(shown), "new": NEW, "again": NEW}
    for wrong, said in (
        ({"again": "chigau-kotoba"}, "2つの欄が違います"),
        ({"code": "0000-0000-0000-0000"}, "コードが違うか、期限が切れています"),
        ({"login": "tanaka"}, "コードが違うか、期限が切れています"),
        ({"new": "short", "again": "short"}, "10文字以上"),
    ):
        assert said in (await suzuki.submit(form, "/console/password", typed | wrong)).text
    assert (await suzuki.submit(form, "/console/password", typed)).path == "/console/login"
    assert "期限が切れています" in (await suzuki.submit(form, "/console/password", typed)).text
    suzuki.client.session.cookie_jar.clear()
    assert (await suzuki.log_in("sato", NEW)).path == "/console/"

    people = await admin.get("/console/people")
    await admin.submit(
        people, "/console/departments", {"name": "子ども家庭課", "key": "kodomo", "category": ["kosodate"]}
    )
    page = await person(admin, service, "sato")
    changed = await admin.submit(
        page, f"{page.path}/rights", {"right": ["see:office:", "write:kodomo:"], "permission": ""}
    )
    assert "権限を変えました" in changed.text
    sato = await member(service, "sato")
    assert sato.may("write", "kosodate") and not sato.may("write", "bohan")
    compose = await suzuki.get("/console/notices/new")
    assert 'value="kosodate"' in compose.html and 'value="bohan"' not in compose.html
    refused = await suzuki.write(category="bohan")
    assert "権限がありません" in refused.message_of("category")
    assert "子ども家庭課" in (await admin.get("/console/people")).text
    single = await person(admin, service, "sato")
    await admin.submit(
        single,
        f"{single.path}/rights",
        {"permission": "approve", "department": "office", "category": "kenko"},
    )
    sato = await member(service, "sato")
    assert sato.may("approve", "kenko") and not sato.may("approve", "kosodate")


async def test_while_a_new_password_is_hashed_the_database_is_free_and_the_code_is_asked_anew(
    admin: Visitor, suzuki: Visitor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing is slow on purpose: inside a transaction it would hold up an evacuation order."""
    page = await person(admin, service, "suzuki")
    shown = await admin.submit(page, f"{page.path}/reset")
    form = await suzuki.get("/console/password")
    typed = {"login": "suzuki", "code": code_of(shown), "new": NEW, "again": NEW}
    hashed: list[str] = []

    async def disabled_meanwhile(password: str, login: str) -> passwords.PasswordHash:
        hashed.append(login)
        async with asyncio.timeout(25), service.database.write() as connection:
            await member_changes.disable(connection, await member(service, "suzuki"), at=now_ms())
        return await passwords.new_hash(password, login)

    monkeypatch.setattr(account, "new_hash", disabled_meanwhile)
    no_code = await suzuki.submit(form, "/console/password", typed | {"code": "0000-0000-0000-0000"})
    assert no_code.status == 422 and hashed == []
    refused = await suzuki.submit(form, "/console/password", typed)
    assert refused.status == 422 and "期限が切れています" in refused.text and hashed == ["suzuki"]
    assert (await newest(service)).action == "staff.password_reset"


async def test_whoever_is_disabled_or_reset_is_out_at_once_and_it_is_on_record(
    admin: Visitor, suzuki: Visitor, service: Service
) -> None:
    page = await person(admin, service, "suzuki")
    shown = await admin.submit(page, f"{page.path}/reset")
    assert (await newest(service)).action == "staff.password_reset"
    assert (await suzuki.get("/console/")).path.startswith("/console/login")
    assert (await suzuki.log_in("suzuki", PASSWORD)).path == "/console/login"
    form = await suzuki.get("/console/password")
    typed = {"login": "suzuki", "code": code_of(shown), "new": NEW, "again": NEW}
    await suzuki.submit(form, "/console/password", typed)
    assert (await suzuki.log_in("suzuki", NEW)).path == "/console/"
    await admin.submit(await person(admin, service, "suzuki"), f"{page.path}/disable")
    assert (await suzuki.get("/console/")).path.startswith("/console/login")
    back = await admin.submit(await person(admin, service, "suzuki"), f"{page.path}/enable")
    assert "有効に戻しました" in back.text
    assert (await suzuki.log_in("suzuki", NEW)).path == "/console/"


async def test_the_last_administrator_cannot_leave(admin: Visitor, service: Service) -> None:
    me = await person(admin, service, "tanaka")
    assert f"{me.path}/disable" not in me.html
    token = dict(me.form("/console/logout"))["csrf"]
    for act in ("disable", "reset", "code", "factor"):
        page = await admin.post(f"{me.path}/{act}", [("csrf", token)])
        assert "自分自身には行えません" in page.text
    kept = await admin.submit(me, f"{me.path}/rights", {"right": ["see:office:"]})
    assert "最後の管理者です" in kept.text
    assert (await member(service, "tanaka")).role == "administrator"
    await give_role(service, "suzuki", "administrator")
    done = await admin.submit(me, f"{me.path}/rights", {"right": ["see:office:"]})
    assert done.status == 403, "who has no right any more does not see the page either"


async def test_rights_that_are_made_up_are_not_given(admin: Visitor, service: Service) -> None:
    page = await person(admin, service, "suzuki")
    await admin.submit(
        page,
        f"{page.path}/rights",
        {"right": ["see:office:", "fly:office:", "see:nowhere:", "write:office:nothing", "x", "a:b:c:d"]},
    )
    assert {item.permission for item in (await member(service, "suzuki")).rights} == {"see"}


async def test_a_password_is_changed_with_the_one_of_now_and_other_screens_end(
    tanaka: Visitor, service: Service
) -> None:
    account = await tanaka.get("/console/account")
    old = (await member(service, "tanaka")).session_number
    typed = {"password": PASSWORD, "new": NEW, "again": NEW}
    for wrong, said in (
        ({"password": "chigau-kotoba"}, "今のパスワードが違います"),
        ({"again": "x"}, "2つの欄が違います"),
        ({"new": "tanaka2026", "again": "tanaka2026"}, "推測され"),
    ):
        page = await tanaka.submit(account, "/console/account/password", typed | wrong)
        assert page.status == 422 and said in page.text
    done = await tanaka.submit(account, "/console/account/password", typed)
    assert "パスワードを変えました" in done.text
    assert (await member(service, "tanaka")).session_number == old + 1
    assert (await tanaka.get("/console/")).status == 200


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

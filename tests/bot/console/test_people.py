"""An administrator's day: who comes in, what each may do, and who leaves."""

from __future__ import annotations

import asyncio

import pytest

from bot.console import account
from bot.service import Service
from content.clock import now_ms
from content.staff import member_changes, passwords
from tests.bot.console.people import code_of, give_role, member, newest, person
from tests.bot.web_visitor import PASSWORD, Visitor

NEW = "atarashii-kotoba"


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

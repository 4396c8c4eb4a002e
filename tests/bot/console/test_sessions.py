"""Where somebody is signed in: seen with this one marked, ended one by one, and by an administrator."""

from __future__ import annotations

import re

import pytest
import time_machine

from bot.console.session_pages import place_words
from bot.console.sessions import COOKIE
from bot.console.user_agents import UNKNOWN, device_words
from bot.service import Service
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.staff import audit, member_changes, members, sessions
from content.staff.members import Staff
from content.staff.sessions import StaffSession, network_of
from tests.bot.web_visitor import PASSWORD, Visitor

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


async def member_of(service: Service, login: str) -> Staff:
    async with service.database.read() as connection:
        found = await members.find_any(connection, login)
    assert found is not None
    return found


async def open_sessions(service: Service, login: str) -> list[StaffSession]:
    member = await member_of(service, login)
    async with service.database.read() as connection:
        return await sessions.of_member(connection, member.id, at=now_ms())


async def elsewhere(service: Service, login: str, *, device: str = "iPhone・Safari") -> int:
    member = await member_of(service, login)
    async with service.database.write() as connection:
        return await sessions.begin(
            connection, member.id, source="8.8.8.9", device=device, at=now_ms() - HOUR
        )


async def test_a_sign_in_is_listed_with_device_and_network_and_this_one_is_marked(
    stranger: Visitor, service: Service
) -> None:
    await elsewhere(service, "tanaka", device="Windows・Edge")
    fields = [("login", "tanaka"), ("password", PASSWORD)]
    stranger.client.session.headers["User-Agent"] = PHONE
    await stranger.post("/console/login", fields)
    page = await stranger.get("/console/account")
    assert re.search(r"iPhone・Safari この画面 内部のネットワーク\(127\.0\.0\.\*\) から", page.text)
    assert "Windows・Edge 8.8.8.* から" in page.text and "8.8.8.9" not in page.html
    assert page.html.count('class="this-one"') == 1


async def test_another_session_is_ended_and_this_one_goes_on(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    await suzuki.enter(service, "tanaka")
    page = await tanaka.get("/console/account")
    [other] = re.findall(r'name="session" value="(\d+)"', page.html)
    csrf = dict(page.form("/console/account/sessions"))["csrf"]
    page = await tanaka.post("/console/account/sessions", [("csrf", csrf), ("session", other)])
    assert "ログアウトさせました" in page.text and 'name="session"' not in page.html
    assert (await suzuki.get("/console/")).path.startswith("/console/login")
    again = await tanaka.post("/console/account/sessions", [("csrf", csrf), ("session", other)])
    assert "もうログアウトしています" in again.text


async def test_all_others_are_ended_at_once(tanaka: Visitor, service: Service) -> None:
    for _ in range(2):
        await elsewhere(service, "tanaka")
    untouched = await elsewhere(service, "suzuki")
    csrf = dict((await tanaka.get("/console/account")).form("/console/account/sessions"))["csrf"]
    page = await tanaka.post("/console/account/sessions", [("csrf", csrf)])
    assert page.status == 200 and page.path.startswith("/console/account")
    assert len(await open_sessions(service, "tanaka")) == 1
    assert [item.id for item in await open_sessions(service, "suzuki")] == [untouched]
    async with service.database.read() as connection:
        [entry] = await audit.entries(connection, action="staff.sessions_ended")
    assert (entry.actor, entry.detail) == ("tanaka", {"number": 2})


async def test_nobody_ends_this_screen_or_those_of_others_from_the_own_page(
    tanaka: Visitor, service: Service
) -> None:
    foreign = await elsewhere(service, "suzuki")
    [mine] = await open_sessions(service, "tanaka")
    await elsewhere(service, "tanaka")
    csrf = dict((await tanaka.get("/console/account")).form("/console/account/sessions"))["csrf"]
    for typed, said in (
        (str(mine.id), "今お使いの画面"),
        (str(foreign), "もう"),
        ("x", "もう"),
        ("9" * 30, "もう"),
    ):
        page = await tanaka.post("/console/account/sessions", [("csrf", csrf), ("session", typed)])
        assert page.status == 200 and said in page.text
    assert (len(await open_sessions(service, "tanaka")), len(await open_sessions(service, "suzuki"))) == (
        2,
        1,
    )


async def test_an_administrator_ends_those_of_a_colleague(tanaka: Visitor, service: Service) -> None:
    sato = await member_of(service, "suzuki")
    async with service.database.write() as connection:
        await member_changes.set_role(connection, await member_of(service, "tanaka"), "administrator")
    first, _ = await elsewhere(service, "suzuki"), await elsewhere(service, "suzuki")
    page = await tanaka.get(f"/console/people/{sato.id}")
    assert page.text.count("iPhone・Safari") >= 2
    action = f"/console/people/{sato.id}/sessions"
    csrf = dict(page.form(action))["csrf"]
    await tanaka.post(action, [("csrf", csrf), ("session", str(first))])
    assert len(await open_sessions(service, "suzuki")) == 1
    page = await tanaka.post(action, [("csrf", csrf)])
    assert "ログアウトさせました" in page.text and "今はどこからもログインしていません" in page.text
    assert await open_sessions(service, "suzuki") == []


async def test_a_new_password_ends_every_session_but_this(tanaka: Visitor, service: Service) -> None:
    await elsewhere(service, "tanaka")
    page = await tanaka.get("/console/account")
    new = {"password": PASSWORD, "new": "atarashii-kotoba", "again": "atarashii-kotoba"}
    page = await tanaka.submit(page, "/console/account/password", new)
    assert page.status == 200 and "パスワードを変えました" in page.text
    assert len(await open_sessions(service, "tanaka")) == 1


async def test_when_a_session_was_last_used_is_written_now_and_then(
    tanaka: Visitor, service: Service
) -> None:
    [begun] = await open_sessions(service, "tanaka")
    for minutes, is_newer in ((9, False), (11, True)):
        at = now_ms() + minutes * MINUTE
        with time_machine.travel(at / SECOND, tick=False):
            assert (await tanaka.get("/console/account")).status == 200
        async with service.database.read() as connection:
            found = await sessions.find(connection, begun.id, begun.staff_id, at=at)
        assert found is not None and (found.seen_at > begun.seen_at) is is_newer


async def test_what_has_ended_by_itself_is_not_listed_and_is_forgotten(service: Service) -> None:
    member = await member_of(service, "tanaka")
    async with service.database.write() as connection:
        for hours in (11, 13):
            at = now_ms() - hours * HOUR
            await sessions.begin(connection, member.id, source="::1", device="Mac", at=at)
        assert len(await sessions.of_member(connection, member.id, at=now_ms())) == 1
        assert await sessions.forget_old(connection, now_ms()) == 1


async def test_a_cookie_of_before_sessions_were_written_down_opens_nothing(
    stranger: Visitor, service: Service
) -> None:
    from bot.console import sessions as cookies

    member = await member_of(service, "tanaka")
    value = cookies._serializer(service).dumps([member.id, member.session_number])
    page = await stranger.get("/console/", Cookie=f"{COOKIE}={value!s}")
    assert page.path.startswith("/console/login")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_of_an_address_the_network_alone_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("8.8.8.0/24", "8.8.8.*"),
        ("192.168.1.0/24", "内部のネットワーク(192.168.1.*)"),
        ("2400:4050:1::/48", "2400:4050:1:*"),
        ("", "不明"),
    ],
)
def test_a_network_is_told_in_words(network: str, words: str) -> None:
    assert place_words(network) == words


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (PHONE, "iPhone・Safari"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 Edg/126.0", "Windows・Edge"),
        ("Mozilla/5.0 (Linux; Android 14; K) Chrome/126.0 Mobile Safari/537.36", "Android・Chrome"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko Firefox/127.0", "Mac・Firefox"),
        ("<script>", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_device_is_told_in_two_words(user_agent: str, words: str) -> None:
    assert device_words(user_agent) == words

"""Passkeys: added on one's own page, asked for at the sign-in, bound to session and address, never copied."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pyotp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from bot.app import create_app
from bot.console.relying import party_of
from bot.service import Service
from bot.settings import WebSettings
from content.clock import MINUTE, SECOND, now_ms
from content.staff import audit, challenges, passkeys, second_factor
from tests.bot.console.device_key import DeviceKey
from tests.bot.console.passkeys import ACCOUNT, add, ask, half_in, log_in_with, member_of
from tests.bot.web_visitor import PASSWORD, Visitor

HERE = "http://localhost:8080"


def at(service: Service, public_url: str) -> Service:
    settings = service.settings.model_copy(update={"web": WebSettings(public_url=public_url)})
    return Service(settings, service.context)


@pytest_asyncio.fixture
async def there(service: Service) -> Service:
    """The console under an address at which browsers have passkeys."""
    return at(service, HERE)


@pytest_asyncio.fixture
async def visitor(there: Service) -> AsyncIterator[Visitor]:
    async with TestClient(TestServer(create_app(there))) as client:
        yield Visitor(client)


@pytest.fixture
def key() -> DeviceKey:
    return DeviceKey(HERE, "localhost")


async def test_a_passkey_is_added_with_recovery_codes_and_opens_the_console(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    made = await add(visitor, key)
    assert "予備コード" in made.text and made.html.count("<li>") >= second_factor.RECOVERY_CODES
    page = await visitor.get(ACCOUNT)
    assert "仕事の電話" in page.text and "まだ使っていません" in page.text
    page = await log_in_with(visitor, key)
    assert page.status == 200 and page.path == "/console/"
    assert "最後に使ったのは" in (await visitor.get(ACCOUNT)).text
    async with there.database.read() as connection:
        [added] = await audit.entries(connection, action="staff.passkey_added")
        [entered] = await audit.entries(connection, action="staff.logged_in")
    assert added.detail == {"name": "仕事の電話"} and entered.detail["second_factor"] == "passkey"


async def test_several_have_names_and_one_is_removed_with_the_password(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    await add(visitor, key)
    second = DeviceKey(HERE, "localhost")
    assert "登録しました" in (await add(visitor, second, "庁舎の鍵")).text
    page = await visitor.get(ACCOUNT)
    wrong = await visitor.submit(page, f"{ACCOUNT}/passkeys/remove", {"password": "wrong wrong"})
    assert wrong.status == 422 and "仕事の電話" in wrong.text
    gone = await visitor.submit(page, f"{ACCOUNT}/passkeys/remove", {"password": PASSWORD})
    assert "パスキーを外しました" in gone.text and "仕事の電話" not in gone.text
    assert (await log_in_with(visitor, key)).status == 401
    assert (await log_in_with(visitor, second)).path == "/console/"
    # With the last one the second factor ends, and its recovery codes.
    page = await visitor.get(ACCOUNT)
    await visitor.submit(page, f"{ACCOUNT}/passkeys/remove", {"password": PASSWORD})
    async with there.database.read() as connection:
        member = await member_of(there)
        assert not await second_factor.is_on(connection, member.id)
        assert await second_factor.recovery_codes_left(connection, member.id) == 0


async def test_without_script_a_recovery_code_opens_and_the_page_says_so(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    made = await add(visitor, key)
    code = made.html.split("<li>")[-1].split("</li>")[0].strip()
    page = await half_in(visitor)
    assert "<noscript>" in page.html and "JavaScriptが止められている" in page.text
    entered = await visitor.submit(page, "/console/login/code", {"code": code.strip()})
    assert entered.path == "/console/"


async def test_an_answer_counts_once_and_in_its_own_session_alone(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    await add(visitor, key)
    page = await half_in(visitor)
    credential = key.get(await ask(visitor, "/console/login/passkey/options"))
    other = await half_in(visitor)
    stolen = await visitor.submit(other, "/console/login/passkey", {"credential": credential})
    assert stolen.status == 401 and "パスキーを確かめられませんでした" in stolen.text
    page = await half_in(visitor)
    credential = key.get(await ask(visitor, "/console/login/passkey/options"))
    kept = visitor.client.session.cookie_jar.filter_cookies(visitor.client.make_url("/console/"))
    cookie = "; ".join(f"{item.key}={item.value}" for item in kept.values())
    assert (await visitor.submit(page, "/console/login/passkey", {"credential": credential})).status == 200
    visitor.client.session.cookie_jar.clear()
    again = await visitor.post("/console/login/passkey", [("credential", credential)], Cookie=cookie)
    assert again.status == 401


async def test_an_answer_comes_too_late(visitor: Visitor, there: Service, key: DeviceKey) -> None:
    member = await member_of(there)
    party = party_of(there)
    assert party is not None
    asked = challenges.Asked(member.id, "session 1")
    async with there.database.write() as connection:
        options = json.loads(await passkeys.begin_adding(connection, asked, "tanaka", party, at=now_ms()))
        late = now_ms() + challenges.LASTS + SECOND
        became = await passkeys.add(connection, asked, party, key.create(options), "x", at=late)
    assert became == passkeys.Added.NOT_PROVEN


async def test_a_copied_key_is_found_out_by_its_counter(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    await add(visitor, key)
    assert (await log_in_with(visitor, key)).status == 200
    copy = DeviceKey(HERE, "localhost", key.counter - 1, key.id, key.private)
    assert (await log_in_with(visitor, copy)).status == 401
    assert (await log_in_with(visitor, key)).status == 200


async def test_a_key_that_several_devices_share_has_no_counter(visitor: Visitor, there: Service) -> None:
    await visitor.enter(there, "tanaka")
    shared = DeviceKey(HERE, "localhost", counter=0)
    await add(visitor, shared)
    for _ in range(2):
        assert (await log_in_with(visitor, shared)).path == "/console/"


@pytest.mark.parametrize(
    ("origin", "rp_id"),
    [("https://evil.example", "localhost"), (HERE, "evil.example"), (f"{HERE}1", "localhost")],
)
async def test_a_key_of_another_address_is_none(
    visitor: Visitor, there: Service, origin: str, rp_id: str
) -> None:
    await visitor.enter(there, "tanaka")
    refused = await add(visitor, DeviceKey(origin, rp_id))
    assert refused.status == 422 and "まだ登録していません" in refused.text
    async with there.database.read() as connection:
        assert await passkeys.with_passkey(connection) == set()


@pytest.mark.parametrize(
    "credential",
    ["", "{", "[]", "null", "{}", '{"rawId": 7}', '{"id": "a", "rawId": "a", "response": []}', "[" * 4_000],
)
async def test_what_is_no_answer_is_refused(
    visitor: Visitor, there: Service, key: DeviceKey, credential: str
) -> None:
    await visitor.enter(there, "tanaka")
    page = await visitor.get(ACCOUNT)
    await ask(visitor, f"{ACCOUNT}/passkeys/options", page)
    refused = await visitor.submit(page, f"{ACCOUNT}/passkeys", {"name": "x", "credential": credential})
    assert refused.status == 422
    await add(visitor, key)
    page = await half_in(visitor)
    await ask(visitor, "/console/login/passkey/options")
    refused = await visitor.submit(page, "/console/login/passkey", {"credential": credential})
    assert refused.status == 401


async def test_guessing_is_slowed_as_with_codes(visitor: Visitor, there: Service, key: DeviceKey) -> None:
    await visitor.enter(there, "tanaka")
    await add(visitor, key)
    page = await half_in(visitor)
    answers = [await visitor.submit(page, "/console/login/passkey", {"credential": "{}"}) for _ in range(7)]
    assert [answer.status for answer in answers][-1] == 429


async def test_a_name_is_needed_and_the_same_key_or_an_eleventh_is_refused(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    assert (await add(visitor, key, "  ")).status == 422
    assert (await add(visitor, key, "あ" * 41)).status == 422
    await add(visitor, key)
    assert "もう登録されています" in (await add(visitor, key)).text
    for number in range(passkeys.MOST - 1):
        await add(visitor, DeviceKey(HERE, "localhost"), f"鍵{number}")
    assert "10個まで" in (await add(visitor, DeviceKey(HERE, "localhost"))).text


async def test_nobody_removes_the_key_of_somebody_else(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "suzuki")
    await add(visitor, key)
    suzuki = await member_of(there, "suzuki")
    async with there.database.write() as connection:
        [item] = await passkeys.of_member(connection, suzuki.id)
        tanaka = await member_of(there)
        assert await second_factor.remove_passkey(connection, tanaka.id, item.id) is None
        assert len(await passkeys.of_member(connection, suzuki.id)) == 1


async def test_at_an_address_without_passkeys_the_page_says_so(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(ACCOUNT)
    assert "https:// で始まる住所か" in page.text and "data-options" not in page.html
    csrf = dict(page.form("/console/account/factor"))["csrf"]
    assert (await tanaka.post(f"{ACCOUNT}/passkeys/options", [("csrf", csrf)])).status == 404


@pytest.mark.parametrize(
    ("public_url", "rp_id"),
    [
        ("https://oshirase.example.jp", "oshirase.example.jp"),
        ("https://oshirase.example.jp:8443", "oshirase.example.jp"),
        ("http://localhost:8080", "localhost"),
        ("http://oshirase.example.jp", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.1", None),
    ],
)
def test_where_passkeys_work(service: Service, public_url: str, rp_id: str | None) -> None:
    party = party_of(at(service, public_url))
    assert (party.id if party else None) == rp_id
    assert party is None or party.origin == public_url


async def test_an_app_that_is_not_confirmed_yet_opens_nothing(
    visitor: Visitor, there: Service, key: DeviceKey
) -> None:
    await visitor.enter(there, "tanaka")
    await add(visitor, key)
    member = await member_of(there)
    async with there.database.write() as connection:
        secret = await second_factor.begin(connection, there.keys, member.id)
        code = pyotp.TOTP(secret).at(now_ms() // SECOND)
        assert await second_factor.check(connection, there.keys, member.id, code, at=now_ms()) is None
        assert await second_factor.confirm(connection, there.keys, member.id, code, at=now_ms()) == []


async def test_challenges_that_nobody_answered_are_forgotten(there: Service) -> None:
    member, party = await member_of(there), party_of(there)
    assert party is not None
    async with there.database.write() as connection:
        asked = challenges.Asked(member.id, "session 1")
        await passkeys.begin_adding(connection, asked, "tanaka", party, at=now_ms())
        await challenges.forget_old(connection, now_ms())
        count = challenges.staff_challenge.select()
        assert len((await connection.execute(count)).all()) == 1
        await challenges.forget_old(connection, now_ms() + 6 * MINUTE)
        assert (await connection.execute(count)).all() == []

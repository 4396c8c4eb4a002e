"""Trial addresses: confirmed by who reads there, ended with the member, and in nothing that speaks of residents."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from content.clock import HOUR, MINUTE, today_jst
from content.figures import counts
from content.notices.audience_counts import count_languages, count_matches
from content.notices.chosen import write_rules
from content.notices.segments import NobodyMatches, Target, audience, rules_of
from content.register import addresses, subscriber_changes, subscribers, trial_addresses, trial_requests
from content.register.address_book import open_addresses
from content.register.addresses import BadAddress
from content.register.subscribers import subscriber
from content.register.subscribers_export import export_rows
from content.register.trial_addresses import AddressRefused
from content.staff import member_changes, members
from content.town import SegmentRule
from tests.content.properties import few_examples, undone
from tests.factories import APRIL_TUESDAY, ELDER, NEWCOMER, PARENT, create_town, line_id, make_subscriber

TOWN = create_town()
TARGETS = [
    Target(),
    Target("everyone"),
    Target("segment", write_rules((SegmentRule(field="area", any_of=("funaoka",), unplaced=True),))),
    Target("segment", write_rules((SegmentRule(field="language", none_of=("en",)),))),
    Target("group", "kucho"),
]


async def make_member(connection, login="tanaka"):
    staff_id, _ = await member_changes.invite(connection, login=login, role="editor", at=APRIL_TUESDAY)
    return staff_id


async def add(connection, keys, staff_id, plain=PARENT.address, channel="line", at=APRIL_TUESDAY):
    return await trial_addresses.add(
        connection, keys, staff_id=staff_id, account=channel, channel=channel, plain=plain, at=at
    )


async def meant(connection, target, category="saigai"):
    condition = audience(TOWN, target, category, today_jst(APRIL_TUESDAY))
    return set(await connection.scalars(select(subscriber.c.id).where(condition)))


async def all_figures(connection, keys):
    """Everything that speaks of residents: audiences, their counts, registrations by day and choice, the export."""
    found = []
    for target in TARGETS:
        for category in ("saigai", "kosodate"):
            day = today_jst(APRIL_TUESDAY)
            rules = rules_of(TOWN, target, category, day)
            found += [
                sorted(await meant(connection, target, category)),
                await count_matches(connection, rules, ["line", "mail"]),
                await count_languages(connection, TOWN, target, category, ["line", "mail"], day),
            ]
    found += [
        await counts.movements(connection),
        await counts.active_now(connection),
        *[await counts.active_by_choice(connection, kind) for kind in ("category", "area", "group")],
    ]
    out = io.StringIO()
    rows = csv.writer(out)
    async for row in export_rows(connection, keys, TOWN):
        rows.writerow(row)
    return [*found, out.getvalue()]


@few_examples
@given(
    residents=st.lists(st.sampled_from([PARENT, ELDER, NEWCOMER]), unique=True, max_size=3),
    before=st.integers(0, 2),
    trials=st.lists(st.tuples(st.sampled_from([PARENT, ELDER, NEWCOMER]), st.booleans()), max_size=4),
)
async def test_no_audience_count_or_export_ever_contains_a_trial_address(
    sqlite_database, keys, residents, before, trials
):
    """Also when the very address is registered by the member as a resident."""
    async with undone(sqlite_database) as connection:
        staff_id = await make_member(connection)
        for person in residents[:before]:
            await make_subscriber(connection, keys, person)
        numbers = set()
        for person, is_seed in trials:
            number = await add(connection, keys, staff_id, person.address, person.channel)
            await trial_addresses.set_seed(connection, number, since=1 if is_seed else None)
            numbers.add(number)
        for person in residents[before:]:
            await make_subscriber(connection, keys, person)
        with_trials = await all_figures(connection, keys)
        for target in TARGETS:
            assert not await meant(connection, target) & numbers
        assert await meant(connection, Target("oneself", str(staff_id))) == numbers
        assert await meant(connection, Target("oneself", str(staff_id + 1))) == set()
        for number in numbers:
            await trial_addresses.remove(connection, number)
        assert await all_figures(connection, keys) == with_trials


async def test_a_number_of_a_trial_address_is_never_a_registration(database, keys):
    async with database.write() as connection:
        number = await add(connection, keys, await make_member(connection))
        assert await subscribers.find(connection, keys, "line", "line", PARENT.address) is None
        assert not await subscriber_changes.leave(connection, number, reason="gone", at=APRIL_TUESDAY)
        resident = await make_subscriber(connection, keys, PARENT)
        assert resident.id != number
        assert (await subscribers.require(connection, number)).state == "erased"
        assert await trial_addresses.remove(connection, number)
        assert await add(connection, keys, await make_member(connection, "suzuki")) not in (
            number,
            resident.id,
        )


@pytest.mark.parametrize(
    "target", [Target("oneself", ""), Target("oneself", "1 OR 1"), Target("oneself", "x")]
)
async def test_a_trial_of_nobody_in_particular_matches_nobody_loudly(target):
    with pytest.raises(NobodyMatches):
        audience(TOWN, target, "saigai", today_jst())


async def test_addresses_of_residents_and_of_staff_are_opened_side_by_side_and_only_on_their_account(
    database, keys
):
    async with database.write() as connection:
        resident = await make_subscriber(connection, keys, ELDER)
        own = await add(connection, keys, await make_member(connection))
        for with_left in (False, True):
            opened = await connection.run_sync(
                open_addresses, keys, "line", [resident.id, own], with_left=with_left
            )
            assert {number: plain for number, (plain, _) in opened.clear.items()} == {
                resident.id: ELDER.address,
                own: PARENT.address,
            }
            assert opened.clear[own][1] == 0, "no link of a trial ends a registration"
        other = await connection.run_sync(open_addresses, keys, "mail", [own], with_left=False)
        assert (other.clear, other.unreadable) == ({}, frozenset())


async def test_an_address_is_sealed_and_shown_only_in_part(database, keys):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        await add(connection, keys, staff_id, "hanako.suzuki@shibata.example.jp", "mail")
        (found,) = await trial_addresses.of_staff(connection, keys, staff_id)
        sealed = await connection.scalar(select(trial_addresses.trial_address.c.sealed))
    assert b"hanako" not in sealed
    assert found.masked == "h…@shibata.example.jp"
    assert "hanako" not in repr(found)
    assert addresses.masked("line", PARENT.address) == "…a1a1"
    assert addresses.masked("webhook", "https://example.jp/secret-path whsec_x") == "example.jp/…"


async def test_the_same_address_is_one_and_there_are_three_of_an_account(database, keys):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        numbers = [await add(connection, keys, staff_id, line_id(n)) for n in (1, 2, 3, 3)]
        assert numbers[2] == numbers[3]
        with pytest.raises(AddressRefused, match="3件まで"):
            await add(connection, keys, staff_id, line_id(4))
        await add(connection, keys, staff_id, "a@example.jp", "mail")


async def ask(connection, keys, staff_id, plain="hanako@example.jp", channel="mail", at=APRIL_TUESDAY):
    return await trial_requests.ask(
        connection, keys, staff_id=staff_id, account=channel, channel=channel, plain=plain, at=at
    )


async def test_a_mail_address_counts_only_once_its_reader_has_confirmed_it_and_the_code_serves_once(
    database, keys
):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        code = await ask(connection, keys, staff_id)
        assert await trial_addresses.of_staff(connection, keys, staff_id) == []
        assert (await trial_requests.find(connection, keys, code, "mail", at=APRIL_TUESDAY)).plain
        assert await trial_requests.confirm(connection, keys, "0" * 24, "mail", at=APRIL_TUESDAY) is None
        assert await trial_requests.confirm(connection, keys, code, "mail", at=APRIL_TUESDAY)
        (found,) = await trial_addresses.of_staff(connection, keys, staff_id)
        assert found.plain == "hanako@example.jp"
        assert await trial_requests.confirm(connection, keys, code, "mail", at=APRIL_TUESDAY + 1) is None


@pytest.mark.parametrize(("channel", "lasts"), [("line", 15 * MINUTE), ("mail", 24 * HOUR)])
async def test_a_code_is_good_until_its_last_moment(database, keys, channel, lasts):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        code = await ask(connection, keys, staff_id, "" if channel == "line" else "a@example.jp", channel)
        wanted = [
            await trial_requests.find(connection, keys, code, channel, at=APRIL_TUESDAY + after)
            for after in (lasts - 1, lasts)
        ]
    assert [bool(item) for item in wanted] == [True, False]


async def test_a_line_code_is_typed_as_people_type_and_only_to_its_account(database, keys):
    async with database.write() as connection:
        code = await ask(connection, keys, await make_member(connection), "", "line")
        typed = f" {code[:4].upper()}-{code[4:]}\n"
        for account, expected in (("drills", False), ("line", True)):
            found = await trial_requests.confirm(
                connection, keys, typed, "line", account=account, plain=ELDER.address, at=APRIL_TUESDAY
            )
            assert bool(found) is expected


async def test_a_newer_code_ends_the_one_before_and_an_hour_has_six(database, keys):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        codes = [await ask(connection, keys, staff_id) for _ in range(6)]
        good = [await trial_requests.find(connection, keys, code, "mail", at=APRIL_TUESDAY) for code in codes]
        assert [bool(item) for item in good] == [False] * 5 + [True]
        with pytest.raises(AddressRefused, match="1時間に6回"):
            await ask(connection, keys, staff_id)
        await ask(connection, keys, await make_member(connection, "suzuki"))
        await ask(connection, keys, staff_id, at=APRIL_TUESDAY + HOUR)


async def test_what_is_no_address_is_refused_and_nothing_is_asked(database, keys):
    async with database.write() as connection:
        staff_id = await make_member(connection)
        with pytest.raises(BadAddress):
            await ask(connection, keys, staff_id, "not an address")
        assert await trial_requests.waiting_of(connection, staff_id, at=APRIL_TUESDAY) == []


async def test_with_the_member_go_addresses_and_open_codes(database, keys):
    async with database.write() as connection:
        await make_member(connection, "kanri")
        staff_id = await make_member(connection)
        number = await add(connection, keys, staff_id)
        await trial_addresses.set_seed(connection, number, since=APRIL_TUESDAY)
        code = await ask(connection, keys, staff_id)
        member = await members.get(connection, staff_id)
        await member_changes.disable(connection, member, at=APRIL_TUESDAY)
        assert await trial_addresses.everybodys(connection, keys) == []
        assert await trial_addresses.seed_counts(connection) == {}
        assert await trial_requests.confirm(connection, keys, code, "mail", at=APRIL_TUESDAY) is None
        assert await meant(connection, Target("oneself", str(staff_id))) == set()
        await member_changes.enable(connection, member)
        assert await trial_addresses.everybodys(connection, keys) == []

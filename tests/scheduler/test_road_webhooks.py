"""The road to partners' webhooks, each failing as they do."""

from __future__ import annotations

import asyncio

import pytest

from channels.webhook import session as webhook_session
from content.register.registration import Registration
from content.register.states import SubscriberState
from content.register.subscribers import get
from content.register.webhook_secrets import renew_secrets
from sandbox.webhook.receiver import WebhookFaults
from tests.scheduler.outside import HOOK_SECRET, Outside, register
from tests.scheduler.roads import has_reason, planned, send_all
from tests.scheduler.scripted import (
    Stage,
    eventually,
    fire,
    plan_all,
    refusals_of,
    rows_of,
    sending,
    settled,
    tally_of,
)

NEW_SECRET = "whsec_" + "B" * 32


def hooks(outside: Outside, *names: str) -> list[str]:
    return [f"{outside.hooks_origin}/hooks/{name} {HOOK_SECRET}" for name in names]


async def test_partners_get_the_notice_with_a_signature_that_holds(real: Stage, outside: Outside) -> None:
    delivery_id = await planned(real, "webhook", hooks(outside, "bus", "radio"))
    await send_all(real, delivery_id)
    assert {arrival.hook: arrival.valid for arrival in outside.hooks.arrivals} == {"bus": True, "radio": True}
    assert {arrival.title for arrival in outside.hooks.arrivals} == {"乳幼児健診のお知らせ"}
    assert (await tally_of(real.database, delivery_id)).accepted == 2


@pytest.mark.faults
async def test_a_partner_whose_server_failed_gets_the_same_event_again(real: Stage, outside: Outside) -> None:
    outside.hooks.faults = WebhookFaults(status=500)
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "server_error"))
        outside.hooks.faults = WebhookFaults()
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    assert outside.hooks.stats()["received"] >= 2
    assert len(outside.hooks.webhook_ids) == 1
    assert all(arrival.valid for arrival in outside.hooks.arrivals)
    assert (await tally_of(real.database, delivery_id)).accepted == 1


@pytest.mark.faults
async def test_a_partner_who_asks_for_an_absurd_wait_is_asked_again_within_the_hour(
    real: Stage, outside: Outside
) -> None:
    outside.hooks.faults = WebhookFaults(status=503, retry_after="99999999999999999999")
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "server_error"))
    (row,) = await rows_of(real.database, delivery_id)
    assert row.state == "ready"
    assert row.not_before - row.created_at < 2 * 3_600_000


@pytest.mark.faults
async def test_a_partner_out_of_reach_does_not_keep_the_other_waiting(real: Stage, outside: Outside) -> None:
    unreachable = f"http://127.0.0.1:9/hooks/bus {HOOK_SECRET}"
    delivery_id = await planned(real, "webhook", [unreachable, *hooks(outside, "radio")])
    async with sending(real.context):
        await eventually(lambda: _arrived(outside))
        await eventually(lambda: _accepted(real, delivery_id))
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.open) == (1, 1)


@pytest.mark.faults
async def test_a_partner_who_never_answers_delays_only_itself(real: Stage, outside: Outside) -> None:
    """More registrations of it than there are connections, on a server that takes everything and stays silent."""
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    outside.patience = 5.0
    hanging = [f"http://localhost:{port}/hooks/{number} {HOOK_SECRET}" for number in range(12)]
    delivery_id = await planned(real, "webhook", [*hanging, *hooks(outside, "bus", "radio")])
    async with sending(real.context):
        await eventually(lambda: _all_arrived(outside, 2))
        assert not await has_reason(real, delivery_id, "no_answer"), "they waited for the silent one"
        await eventually(lambda: has_reason(real, delivery_id, "no_answer"))
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.open) == (2, 12)
    silent.close()


@pytest.mark.faults
async def test_a_partner_who_asks_for_time_gets_it_and_the_other_its_notice(
    real: Stage, outside: Outside
) -> None:
    outside.hooks.faults = WebhookFaults(status=429, retry_after="60")
    busy = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, busy, "receiver_busy"))
        outside.hooks.faults = WebhookFaults()
        await register(real.database, real.context.keys, "webhook", hooks(outside, "radio"))
        later = (await fire(real, category="saigai", channels=("webhook",)))["webhook"]
        await plan_all(real)
        # A pause of the account would last a minute.
        await eventually(lambda: settled(real.database, later), within=45)
    assert (await tally_of(real.database, busy)).open == 1


async def _all_arrived(outside: Outside, number: int) -> bool:
    return len(outside.hooks.arrivals) >= number


async def _arrived(outside: Outside) -> bool:
    return bool(outside.hooks.received)


async def _accepted(stage: Stage, delivery_id: int) -> bool:
    return bool((await tally_of(stage.database, delivery_id)).accepted)


async def test_a_partner_who_wants_no_more_is_noted_as_gone(real: Stage, outside: Outside) -> None:
    outside.hooks.faults = WebhookFaults(status=410)
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    await send_all(real, delivery_id)
    (gone,) = await refusals_of(real.database, delivery_id)
    assert await refusals_of(real.database, delivery_id) == {gone: "gone"}
    async with real.database.read() as connection:
        found = await get(connection, gone)
    assert found is not None and found.state == SubscriberState.LEFT


@pytest.mark.faults
async def test_a_partner_behind_a_login_page_gets_the_same_event_when_the_page_is_gone(
    real: Stage, outside: Outside
) -> None:
    outside.hooks.faults = WebhookFaults(page="<html>Wi-Fi</html>")
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "foreign_answer"))
        outside.hooks.faults = WebhookFaults()
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    assert len(outside.hooks.webhook_ids) == 1
    assert (await tally_of(real.database, delivery_id)).accepted == 1


@pytest.mark.faults
async def test_a_partner_who_answers_with_pages_for_good_is_left_as_unknown(
    real: Stage, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.hooks.faults = WebhookFaults(page="<html>Thank you</html>")
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "foreign_answer"))
        monkeypatch.setattr(webhook_session, "NO_FOR_GOOD", 0.0)
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (0, 0, 1)


@pytest.mark.faults
@pytest.mark.parametrize("status", [302, 400, 404])
async def test_a_partner_who_says_no_for_a_moment_gets_its_notice_and_stays_registered(
    real: Stage, outside: Outside, status: int
) -> None:
    outside.hooks.faults = WebhookFaults(status=status)
    delivery_id = await planned(real, "webhook", hooks(outside, "bus"))
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "refused"))
        outside.hooks.faults = WebhookFaults()
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused) == (1, 0)
    assert len(outside.hooks.webhook_ids) == 1


@pytest.mark.parametrize("known", [HOOK_SECRET, NEW_SECRET], ids=["knows the old one", "knows the new one"])
async def test_a_secret_that_is_being_changed_reaches_a_partner_with_either(
    real: Stage, outside: Outside, known: str
) -> None:
    (bus,) = hooks(outside, "bus")
    url = bus.split()[0]
    delivery_id = await planned(real, "webhook", [bus])
    both = Registration("webhook", "webhook", f"{url} {NEW_SECRET} {HOOK_SECRET}")
    async with real.database.write() as connection:
        assert await renew_secrets(connection, real.context.keys, [both]) == 1
    outside.hooks.secrets["bus"] = known
    await send_all(real, delivery_id)
    assert [arrival.valid for arrival in outside.hooks.arrivals] == [True]

"""The webhook stores what LINE signed, answers at once, and is not impressed by anything else."""

import asyncio
import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.door.body_limits import body_limit
from bot.line.handling import EVENTS_PER_ROUND, TOGETHER, handle_waiting, run_inbox
from bot.line.webhook import MOST_EVENTS, PATH, is_signed
from content.clock import now_ms
from content.register import inbound_events
from content.register.inbound_events import GIVE_UP_AFTER
from tests.bot.line.village import MARIA, SATO, SECRET, STRANGER, event, follow, sign, unfollow
from tests.factories import line_id

VERIFY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'


def test_the_signature_is_that_of_lines_own_example():
    assert is_signed(SECRET, VERIFY, "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=")


def test_without_a_secret_nobody_can_sign():
    assert not is_signed("", VERIFY, sign(VERIFY, ""))


@pytest.mark.parametrize("signature", ["", "AAAA", sign(VERIFY), "署名", sign(VERIFY, "0" * 32)])
async def test_a_wrong_or_missing_signature_is_refused_and_nothing_is_stored(village, signature):
    assert await village.post(follow(1), signature=signature) == 403
    assert await village.stored() == 0


async def test_a_body_that_was_signed_but_not_json_is_refused_too_when_the_signature_is_wrong(village):
    assert await village.post_raw(b"{", signature="x") == 403


async def test_lines_own_try_of_the_address_is_answered(village):
    assert await village.post_raw(VERIFY) == 200
    assert await village.stored() == 0


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"{}", b'{"events":{}}', b'{"events":[1]}', b"\xff", b"[" * 100_000]
)
async def test_what_is_no_webhook_is_refused(village, raw):
    assert await village.post_raw(raw) == 400


async def test_more_than_a_megabyte_is_not_read(village):
    assert await village.post_raw(b" " * (body_limit(PATH) + 1)) == 413


async def test_a_second_copy_changes_nothing(village):
    assert await village.post(follow(1)) == 200
    again = {**follow(1), "deliveryContext": {"isRedelivery": True}}
    assert await village.post(again, again) == 200
    assert await village.handle() == 1
    assert await village.post(again) == 200
    assert await village.handle() == 0
    assert await village.history(SATO) == ["joined"]


async def test_events_without_an_id_are_recognised_by_their_content(village):
    bare = follow(1)
    del bare["webhookEventId"]
    again = {**bare, "deliveryContext": {"isRedelivery": True}}
    await village.post(bare, again, {**bare, "timestamp": 2})
    assert await village.stored() == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "somethingNew"},
        {"type": "message", "message": {"type": "hologram"}},
        {"type": "message", "message": "text"},
        {"type": "message", "message": {"type": "sticker", "stickerId": "1"}},
        {"type": "follow", "source": {"type": "user"}},
        {"type": "follow", "source": {"type": "user", "userId": "nobody"}},
        {
            "type": "message",
            "message": {"type": "text", "text": "設定"},
            "source": {"type": "group", "userId": SATO},
        },
        {"type": 7, "timestamp": "soon", "source": None, "webhookEventId": 3},
        {"timestamp": 10**30},
        {"type": "message", "message": {"type": "unknown\ud83d"}, "webhookEventId": "\ud83d"},
        {},
    ],
)
async def test_events_that_mean_nothing_to_us_are_put_aside(village, odd):
    with capture_logs() as logs:
        assert await village.post({"webhookEventId": "01ODD", **odd}, follow(2)) == 200
        assert await village.handle() == 2
    assert [line["event"] for line in logs] == ["line_event_ignored"]
    assert await village.stored("handled") == 2
    assert (await village.registration(SATO)).state == "active"


async def test_an_event_that_fails_does_not_stop_the_others_and_is_given_up_in_the_end(village, monkeypatch):
    from bot.line import conversation

    real = conversation.respond

    async def stumble(connection, conversation, resident_event, language):
        if resident_event.at == 1:
            raise RuntimeError(resident_event.user_id)
        return await real(connection, conversation, resident_event, language)

    monkeypatch.setattr("bot.line.handling.respond", stumble)
    await village.post(follow(1, STRANGER), follow(2))
    with capture_logs() as logs:
        for _ in range(6):
            await handle_waiting(village.service, village.api)
    assert (await village.registration(SATO)).state == "active"
    assert await village.registration(STRANGER) is None
    assert await village.stored("failed") == 1
    failures = [line for line in logs if line["event"] == "line_event_failed"]
    assert [line["error"] for line in failures] == ["RuntimeError"] * 5
    assert STRANGER not in json.dumps(logs)


async def limit_pages(database, most):
    """Let the database file grow no more: SQLite then says that the disk is full."""

    def limit(connection):
        pages = most or int(connection.scalar(text("PRAGMA page_count")))
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    # It is a matter of each connection.
    await database.write_step(limit)
    async with database.write() as connection:
        await connection.run_sync(limit)


async def test_a_full_disk_is_nobodys_try_and_no_event_is_lost(village):
    many = [follow(n, line_id(n)) for n in range(1, 301)]
    assert await village.post(*many) == 200
    await limit_pages(village.service.database, None)
    with capture_logs():
        with pytest.raises(OperationalError, match="full"):
            while await handle_waiting(village.service, village.api):
                pass
        for _ in range(2 * GIVE_UP_AFTER):
            with pytest.raises(OperationalError, match="full"):
                await handle_waiting(village.service, village.api)
        assert await village.stored("failed") == 0
        await limit_pages(village.service.database, 100_000)
        await village.handle()
    assert await village.stored("handled") == 300


async def test_while_nothing_can_be_written_line_is_told_to_send_again(village):
    await limit_pages(village.service.database, None)
    assert await village.post(*(follow(n, line_id(n)) for n in range(1, 301))) == 500
    await limit_pages(village.service.database, 100_000)
    assert await village.post(*(follow(n, line_id(n)) for n in range(1, 301))) == 200
    assert await village.stored("waiting") == 300


async def test_what_was_set_aside_is_handled_when_it_is_tried_again(village, monkeypatch):
    async def stumble(*_):
        raise RuntimeError

    with monkeypatch.context() as patched, capture_logs():
        patched.setattr("bot.line.handling.respond", stumble)
        await village.post(follow(1))
        for _ in range(GIVE_UP_AFTER):
            await handle_waiting(village.service, village.api)
    assert await village.stored("failed") == 1
    async with village.service.database.write() as connection:
        assert await inbound_events.try_again(connection) == 1
    assert await village.handle() == 1
    assert (await village.registration(SATO)).state == "active"


async def test_more_events_than_line_ever_sends_are_refused_at_once(village):
    small = [{"type": "x", "timestamp": n} for n in range(MOST_EVENTS + 1)]
    assert await village.post(*small) == 413
    assert await village.stored() == 0
    assert await village.post(*small[:MOST_EVENTS]) == 200
    assert await village.stored() == MOST_EVENTS


def test_what_line_itself_writes_never_reaches_the_cap_on_events():
    """It would be sent again and refused again for ever."""
    smallest = json.dumps({**unfollow(now_ms()), "mode": "active"}, separators=(",", ":"))
    assert body_limit(PATH) // (len(smallest) + len(",")) < MOST_EVENTS


async def test_an_event_from_the_far_future_does_not_outdate_what_comes_after_it(village):
    assert await village.post(follow(now_ms() + 10**9)) == 200
    await village.handle()
    await village.post(unfollow(now_ms() + 1_000))
    await village.handle()
    assert (await village.registration(SATO)).state == "left"


async def test_in_a_crowd_the_greeting_goes_first_and_the_language_is_learnt_after_it(village):
    crowd = [follow(n, line_id(n)) for n in range(2, EVENTS_PER_ROUND + 1)]
    village.platform.channel.users.by_id[MARIA].state = "friend"
    await village.post(follow(1, MARIA), *crowd)
    assert await handle_waiting(village.service, village.api) == EVENTS_PER_ROUND
    assert (await village.preferences(MARIA)).language == "en"
    # The language that LINE told is noted, for counts of a day by language.
    assert await village.history(MARIA) == ["joined", "changed"]


def count_commits(database):
    commits = []
    real = database._group._transaction

    async def counted(step):
        commits.append(step)
        return await real(step)

    database._group._transaction = counted
    return commits


async def test_webhooks_that_come_together_are_written_together(village):
    commits = count_commits(village.service.database)
    answers = await asyncio.gather(*(village.post(follow(n, line_id(n))) for n in range(1, 41)))
    assert set(answers) == {200}
    assert await village.stored("waiting") == 40
    assert len(commits) < 20


async def test_what_a_crowd_does_is_written_in_few_transactions(village):
    await village.post(*(follow(n, line_id(n)) for n in range(1, EVENTS_PER_ROUND + 1)))
    commits = count_commits(village.service.database)
    assert await handle_waiting(village.service, village.api) == EVENTS_PER_ROUND
    assert len(commits) <= EVENTS_PER_ROUND // TOGETHER


async def test_the_next_round_is_written_while_line_takes_its_time(village):
    """LINE answers nobody before all are registered: so nobody waits for it to be."""
    registered = asyncio.Event()
    real = village.api.reply

    async def patient(token, messages):
        await registered.wait()
        await real(token, messages)

    village.api.reply = patient
    crowd = [{**follow(n, line_id(n)), "replyToken": f"{n:032x}"} for n in range(1, EVENTS_PER_ROUND + 2)]
    task = asyncio.create_task(run_inbox(village.service, village.api))
    await village.post(*crowd)
    while await village.stored("handled") < len(crowd):
        await asyncio.sleep(0.01)
    with capture_logs() as logs:
        registered.set()
        while len(logs) < len(crowd):
            # The stand-in knows none of these tokens.
            await asyncio.sleep(0.01)
    assert {line["event"] for line in logs} <= {"line_reply_failed", "line_profile_failed"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_log_names_nobody(village, capsys):
    with capture_logs() as logs:
        await village.act(SATO, "follow")
        await village.act(SATO, "text", text="ひみつ")
        await village.post(unfollow(1), signature="x")
        await village.post(event("somethingNew", 5))
        await village.handle()
    told = json.dumps(logs, ensure_ascii=False) + "".join(capsys.readouterr())
    assert "ひみつ" not in told
    assert SATO not in told


async def test_the_running_service_answers_by_itself_and_stops_when_told(village):
    task = asyncio.create_task(run_inbox(village.service, village.api))
    await asyncio.sleep(0)
    await village.post(follow(5))
    while await village.stored("handled") == 0:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await village.registration(SATO)).state == "active"


async def test_an_answer_that_line_refuses_leaves_the_registration(village):
    with capture_logs() as logs:
        await village.post({**follow(5), "replyToken": "used"})
        assert await village.handle() == 1
    assert [line["event"] for line in logs] == ["line_reply_failed"]
    assert (await village.registration(SATO)).state == "active"

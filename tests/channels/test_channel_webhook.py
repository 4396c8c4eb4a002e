"""Webhooks: what leaves, whom it may reach, and what each answer means."""

import json

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from channels.channel import Part, Recipient, TemporaryFailure, UnknownOutcome
from channels.webhook import session as webhook_session
from channels.webhook.channel import WebhookChannel, payload
from channels.webhook.session import parse_address
from sandbox.webhook.receiver import WebhookFaults
from tests.channels.announcements import PARENT, RETRY_KEY, collect, collect_until_error, notice, refusals
from tests.channels.channel_settings import SECRET

OLD_SECRET = "whsec_" + "B" * 32


def bus(origin: str) -> Recipient:
    return Recipient(PARENT, f"{origin}/hooks/bus {SECRET}")


async def post(session, origin, *, maybe_sent=False):
    prepared = session.channel.prepare(notice(mode="drill"), "ja")
    return await collect_until_error(session.send(prepared, [bus(origin)], RETRY_KEY, maybe_sent=maybe_sent))


async def test_the_receiver_can_check_the_signature(webhook, hooks, hooks_origin):
    parts, error = await post(webhook, hooks_origin)
    assert (parts, error) == ([Part(1)], None)
    (arrival,) = hooks.arrivals
    assert arrival.valid is True


async def test_the_event_holds_every_language_and_says_what_it_is(webhook, hooks, hooks_origin):
    await post(webhook, hooks_origin)
    event = hooks.arrivals[0].event
    assert event["type"] == "notice.published"
    assert event["timestamp"] == "2026-04-07T00:30:00.000Z"
    data = event["data"]
    assert {
        key: data[key] for key in ("notice_id", "version", "mode", "urgency", "kind", "category", "town")
    } == {
        "notice_id": 11,
        "version": 21,
        "mode": "drill",
        "urgency": "urgent",
        "kind": "original",
        "category": "disaster",
        "town": "しばた市",
    }
    assert [text["language"] for text in data["texts"]] == ["ja", "ja-easy", "en"]
    assert data["texts"][2]["title"] == "[DRILL] [URGENT] Kaji River may overflow"


def test_a_correction_says_of_which_notice_it_is():
    corrected = notice(kind="correction", corrected_titles={"ja": "避難指示", "en": "Evacuate"})
    titles = [payload(item)["data"]["corrected_titles"] for item in (corrected, notice())]
    assert titles == [{"ja": "避難指示", "en": "Evacuate"}, {}]


async def test_the_id_stays_the_same_over_all_attempts(webhook, hooks, hooks_origin):
    await post(webhook, hooks_origin)
    await post(webhook, hooks_origin)
    first, second = hooks.arrivals
    assert first.webhook_id == second.webhook_id
    assert hooks.stats()["duplicates"] == 1


async def test_a_wrong_secret_is_seen_at_the_other_end(webhook, hooks, hooks_origin):
    hooks.secrets["bus"] = "whsec_" + "A" * 32
    _, error = await post(webhook, hooks_origin)
    assert hooks.arrivals[0].valid is False
    assert isinstance(error, TemporaryFailure) and error.reason == "refused"


@pytest.mark.parametrize("known", [OLD_SECRET, SECRET], ids=["knows the old one", "knows the new one"])
async def test_while_a_secret_changes_both_sign(webhook, hooks, hooks_origin, known):
    hooks.secrets["bus"] = known
    recipient = Recipient(PARENT, f"{hooks_origin}/hooks/bus {SECRET} {OLD_SECRET}")
    await collect(webhook.send(webhook.channel.prepare(notice(), "ja"), [recipient], RETRY_KEY))
    assert hooks.arrivals[0].valid is True


async def test_a_no_is_final_only_after_a_while(webhook, hooks, hooks_origin, monkeypatch):
    hooks.faults = WebhookFaults(status=404)
    _, error = await post(webhook, hooks_origin)
    assert isinstance(error, TemporaryFailure)
    monkeypatch.setattr(webhook_session, "NO_FOR_GOOD", 0.0)
    parts, error = await post(webhook, hooks_origin)
    assert error is None
    assert refusals(parts) == {PARENT: ("refused", "HTTP 404")}


async def test_a_no_to_what_may_have_been_accepted_before_stays_unknown(
    webhook, hooks, hooks_origin, monkeypatch
):
    hooks.faults = WebhookFaults(status=404)
    _, error = await post(webhook, hooks_origin, maybe_sent=True)
    assert isinstance(error, TemporaryFailure)
    monkeypatch.setattr(webhook_session, "NO_FOR_GOOD", 0.0)
    parts, error = await post(webhook, hooks_origin, maybe_sent=True)
    assert parts == []
    assert isinstance(error, UnknownOutcome)
    assert (error.reason, error.for_good) == ("refused", True)


async def test_gone_is_gone_whatever_was_accepted_before(webhook, hooks, hooks_origin):
    hooks.faults = WebhookFaults(status=410)
    parts, error = await post(webhook, hooks_origin, maybe_sent=True)
    assert error is None
    assert refusals(parts) == {PARENT: ("gone", "HTTP 410")}


async def test_a_receiver_that_is_mended_in_time_gets_its_notice(webhook, hooks, hooks_origin):
    hooks.faults = WebhookFaults(status=404)
    await post(webhook, hooks_origin)
    hooks.faults = WebhookFaults()
    assert (await post(webhook, hooks_origin))[0] == [Part(1)]
    first, second = hooks.arrivals
    assert first.webhook_id == second.webhook_id


async def receiver_that_answers(serve, body, content_type):
    async def answer(request):
        return web.Response(body=body, headers={"Content-Type": content_type} if content_type else {})

    app = web.Application()
    app.router.add_post("/hooks/bus", answer)
    return await serve(app)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!DOCTYPE html><title>Wi-Fi</title>", "text/html; charset=utf-8"),
        (b"\xef\xbb\xbf\r\n <html>", "text/html"),
        (b"<html>", "text/plain"),
        (b"Please <a href='/login'>log in</a>", "Text/HTML"),
    ],
)
async def test_a_page_of_somebody_in_between_is_no_acceptance(webhook, serve, body, content_type):
    parts, error = await post(webhook, await receiver_that_answers(serve, body, content_type))
    assert parts == []
    assert isinstance(error, UnknownOutcome)
    assert (error.reason, error.for_good) == ("foreign_answer", False)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/html"),
        (b"ok", "text/html; charset=UTF-8"),
        (b"1 < 2", "text/plain"),
        (b'{"status":"<accepted>"}', "application/json"),
        (b"\x00\xff", ""),
    ],
)
async def test_a_receiver_may_say_yes_in_any_words_but_a_page(webhook, serve, body, content_type):
    assert await post(webhook, await receiver_that_answers(serve, body, content_type)) == ([Part(1)], None)


async def test_behind_a_page_the_same_message_is_asked_for_again(webhook, hooks, hooks_origin):
    hooks.faults = WebhookFaults(page="<html>Wi-Fi</html>")
    await post(webhook, hooks_origin)
    hooks.faults = WebhookFaults()
    assert (await post(webhook, hooks_origin))[0] == [Part(1)]
    assert hooks.stats() == {"received": 2, "invalid": 0, "duplicates": 1}


async def test_a_receiver_that_answers_pages_for_good_is_left_as_unknown(
    webhook, hooks, hooks_origin, monkeypatch
):
    hooks.faults = WebhookFaults(page="<html>Thank you</html>")
    await post(webhook, hooks_origin)
    monkeypatch.setattr(webhook_session, "NO_FOR_GOOD", 0.0)
    parts, error = await post(webhook, hooks_origin)
    assert parts == []
    assert isinstance(error, UnknownOutcome)
    assert (error.reason, error.for_good) == ("foreign_answer", True)


@pytest.mark.parametrize(
    ("status", "reason", "detail"),
    [
        (410, "gone", "HTTP 410"),
    ],
)
async def test_a_receiver_that_says_no_is_refused(webhook, hooks, hooks_origin, status, reason, detail):
    hooks.faults = WebhookFaults(status=status)
    parts, error = await post(webhook, hooks_origin)
    assert error is None
    assert refusals(parts) == {PARENT: (reason, detail)}


@pytest.mark.parametrize(
    ("faults", "error", "retry_after"),
    [
        (WebhookFaults(status=429, retry_after="30"), TemporaryFailure, 30.0),
        (WebhookFaults(status=429), TemporaryFailure, None),
        (WebhookFaults(status=503), TemporaryFailure, None),
        (WebhookFaults(status=404), TemporaryFailure, None),
        (WebhookFaults(status=400), TemporaryFailure, None),
        (WebhookFaults(status=302), TemporaryFailure, None),
    ],
)
async def test_a_receiver_in_trouble_is_asked_again(webhook, hooks, hooks_origin, faults, error, retry_after):
    hooks.faults = faults
    parts, raised = await post(webhook, hooks_origin)
    assert parts == []
    assert type(raised) is error
    assert getattr(raised, "retry_after", None) == retry_after


async def test_a_receiver_that_says_nothing_may_have_taken_it(hooks, hooks_origin):
    session = WebhookChannel(allow_private=True, timeout=0.5).open()
    hooks.faults = WebhookFaults(delay_ms=900)
    parts, raised = await post(session, hooks_origin)
    await session.close()
    assert parts == []
    assert type(raised) is UnknownOutcome


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0x7f000001"]
)
async def test_a_webhook_never_reaches_into_the_towns_own_network(host):
    session = WebhookChannel(timeout=30).open()
    recipient = Recipient(PARENT, f"https://{host}/hooks/bus {SECRET}")
    parts = await collect(session.send(session.channel.prepare(notice(), "ja"), [recipient], RETRY_KEY))
    assert refusals(parts) == {PARENT: ("private_address", "")}
    await session.close()


@pytest.mark.parametrize(
    "address",
    [
        "https://bus.example.jp/hook",
        "https://bus.example.jp/hook whsec_",
        "https://bus.example.jp/hook secret",
        "http://bus.example.jp/hook " + SECRET,
        "ftp://bus.example.jp/hook " + SECRET,
        "https:///hook " + SECRET,
        "",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address):
    with pytest.raises(ValueError, match="must be an https URL") as caught:
        parse_address(address)
    assert SECRET not in str(caught.value)


def test_the_channel_signs_as_the_reference_library_checks():
    address = parse_address(f"https://bus.example.jp/hook {SECRET}")
    assert isinstance(address.signers[0], Webhook)
    assert SECRET not in repr(address)


def test_the_preview_carries_the_marks(webhook):
    preview = webhook.channel.preview(notice(mode="test"), "ja")
    assert preview.headline.startswith("【試験】")
    assert json.loads(webhook.channel.prepare(notice(), "ja").body)["data"]["mode"] == "live"

"""What is particular of each service that takes posts."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from channels.bluesky import BlueskyChannel, facets, record_key
from channels.channel import AccountStopped, BatchRefused, CannotRender, ProbedSession, TemporaryFailure
from channels.instagram import InstagramChannel
from channels.posted import PostHistory, PostState
from channels.posting.x_length import weight
from channels.reasons import Reason
from channels.slack import message as slack_message
from channels.teams import message as teams_message
from channels.threads import ThreadsChannel
from channels.x import XChannel, XKeys
from sandbox.sns.app import create_app
from sandbox.sns.state import Fault, SnsSandbox
from sandbox.sns.x import weight as weight_of_the_stand_in
from tests.channels.announcements import APRIL_TUESDAY, notice, with_japanese
from tests.channels.channel_settings import Serve
from tests.channels.posting import MAKE, TOKEN, Account, make_posting

OTHER_KEY = "22222222-2222-4222-8222-222222222222"
FAMILY = "👨‍👩‍👧‍👦"


@pytest_asyncio.fixture
async def account(request: pytest.FixtureRequest, serve: Serve) -> AsyncIterator[Account]:
    sandbox = SnsSandbox()
    made = Account(make_posting(request.param, await serve(create_app(sandbox))), sandbox, request.param)
    yield made
    await made.session.close()


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("account", [name], indirect=True)


def test_a_record_key_is_the_same_in_every_try_and_no_others():
    key = record_key(APRIL_TUESDAY, 0, "a-0")
    assert key == record_key(APRIL_TUESDAY, 0, "a-0")
    assert len({record_key(APRIL_TUESDAY, part, f"a-{part}") for part in range(20)}) == 20
    assert len(key) == 13
    assert key[0] in "234567abcdefghij"
    assert record_key(APRIL_TUESDAY, 0, "a") < record_key(APRIL_TUESDAY + 60_000, 0, "b")


def test_a_link_in_a_bluesky_post_is_found_by_bytes():
    text = "大雨です👍 https://town.example.jp/n/1 を見て"
    (found,) = facets(text)
    place = found["index"]
    assert text.encode()[place["byteStart"] : place["byteEnd"]].decode() == "https://town.example.jp/n/1"


def test_a_bluesky_post_keeps_both_limits():
    channel = BlueskyChannel(user="town", token="")
    assert channel.fits(FAMILY * 100)
    assert not channel.fits(FAMILY * 300)
    assert not channel.fits("あ" * 301)


@of("bluesky")
async def test_a_session_that_has_ended_is_refreshed_and_not_begun_anew(account):
    account.sandbox.fail("bluesky", Fault(status=400, body='{"error": "ExpiredToken"}', at="createRecord"))
    _, through, error = await account.post()
    assert (through, error) == (True, None)
    logins = [path.rpartition(".")[2] for _, _, path in account.sandbox.calls if path.endswith("Session")]
    assert logins == ["createSession", "refreshSession"]


@of("bluesky")
async def test_a_correction_answers_and_a_thread_hangs_on_its_root(account):
    first, *_ = await account.post(texts=with_japanese(body="大雨です。" * 100).texts)
    posts = account.sandbox.of("bluesky")
    roots = {item.raw["reply"]["root"]["uri"] for item in posts[1:]}
    assert roots == {first[0].remote_id.split(" ")[0]}
    await account.post(
        kind="correction", key=OTHER_KEY, history=PostHistory(earlier=(replace(first[0], delivery=7),))
    )
    assert account.sandbox.of("bluesky")[-1].reply_to == posts[0].number
    assert account.sandbox.of("bluesky")[0].state == "out"


# From the published cases of twitter-text (conformance/validate.yml, weighted tests) and its documentation.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 280, 280),
        ("あ" * 140, 280),
        ("ú" * 280, 280),
        ("u\u0301" * 280, 280),
        ("😷" * 140, 280),
        (FAMILY * 140, 280),
        ("🇯🇵👍🏽", 4),
        ("https://a-very-long-address.example.jp/with/a/path/that/goes/on?and=on", 23),
        ("見て https://town.example.jp/n/1", 28),
        ("“quoted” – done…", 17),
    ],
)
def test_x_counts_as_x_does(text, expected):
    assert weight(text) == expected
    assert weight_of_the_stand_in(text) <= weight(text)


def test_what_x_would_make_a_link_of_counts_as_one():
    assert weight("town.jp") == 23


def test_x_says_what_it_costs_and_leaves_the_link_out_when_everything_is_said():
    keys = XKeys("", "", "", "")
    assert XChannel(keys).preview(notice(), "ja").notes[1].startswith("Xの費用の目安 0.200米ドル")
    assert XChannel(keys, link=False).preview(notice(), "ja").notes[1].startswith("Xの費用の目安 0.015米ドル")


@of("x")
async def test_the_same_words_of_today_are_known_again_and_those_of_yesterday_are_refused(account):
    await account.post()
    _, through, error = await account.post(key=OTHER_KEY)
    assert (through, error) == (True, None)
    assert len(account.shown) == 1
    account.sandbox.posts[0].created_at = APRIL_TUESDAY / 1000 - 86_400
    _, through, error = await account.post(key=OTHER_KEY)
    assert isinstance(error, BatchRefused)
    assert error.reason == Reason.POST_DUPLICATE


@of("x")
async def test_without_credit_the_account_stops(account):
    account.sandbox.fail("x", Fault(status=402, body='{"title": "CreditsDepleted"}'))
    _, _, error = await account.post()
    assert isinstance(error, AccountStopped)
    assert error.reason == Reason.POST_CREDIT


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Fault(status=400, body='{"error": {"code": 190}}'), AccountStopped, Reason.POST_TOKEN),
        (Fault(status=400, body='{"error": {"code": 200}}'), AccountStopped, Reason.POST_ACCOUNT),
        (Fault(status=200, body='{"error": {"code": 368}}'), AccountStopped, Reason.POST_ACCOUNT),
        (Fault(status=400, body='{"error": {"code": 506}}'), BatchRefused, Reason.POST_DUPLICATE),
        (Fault(status=403, body='{"error": {"code": 32}}'), TemporaryFailure, Reason.RATE),
    ],
    ids=["token expired", "in review", "suspended, in a 200", "duplicate", "too many"],
)
@of("facebook")
async def test_facebook_says_by_codes_what_is_wrong(account, fault, kind, reason):
    account.sandbox.fail("facebook", fault)
    _, _, error = await account.post()
    assert isinstance(error, kind)
    assert error.reason == reason


@of("instagram")
async def test_a_picture_that_is_refused_is_said_to_be(account):
    account.sandbox.fail("instagram", Fault(status=400, body='{"error": {"code": 9004}}'))
    _, _, error = await account.post()
    assert isinstance(error, BatchRefused)
    assert error.reason == Reason.IMAGE_REFUSED


def test_instagram_takes_nothing_without_a_page_for_its_picture():
    with pytest.raises(CannotRender):
        InstagramChannel(user="1", token="").prepare(notice(url=""), "ja")


@pytest.mark.parametrize("account", ["instagram", "threads"], indirect=True)
async def test_a_container_that_was_begun_is_published_once(account):
    account.sandbox.fail(account.name, Fault(lost=True, at="_publish"))
    begun, through, _ = await account.post()
    assert not through
    assert [item.state for item in begun] == [PostState.BEGUN]
    done, through, error = await account.post(history=PostHistory(own=tuple(begun)), maybe_sent=True)
    assert (through, error) == (True, None)
    assert [item.state for item in done] == [PostState.OUT]
    assert len(account.shown) == 1
    containers = account.sandbox.of(f"{account.name} container")
    assert len(containers) == 1


@pytest.mark.parametrize("account", ["instagram", "threads"], indirect=True)
async def test_a_container_that_was_not_published_is_taken_up_again(account):
    account.sandbox.fail(account.name, Fault(status=500, at="_publish"))
    begun, *_ = await account.post()
    _, through, error = await account.post(history=PostHistory(own=tuple(begun)), maybe_sent=True)
    assert (through, error) == (True, None)
    assert len(account.shown) == 1
    assert len(account.sandbox.of(f"{account.name} container")) == 1


def test_an_emoji_weighs_its_bytes_at_threads():
    channel = ThreadsChannel(user="1", token="")
    assert channel.fits("あ" * 500)
    assert not channel.fits("😷" * 126)


def test_nobody_is_mentioned_by_what_somebody_wrote():
    words = with_japanese(body="<!channel> @everyone **避難** してください。")
    slack = slack_message(MAKE["slack"]("", 1.0).prepare(words, "ja"))
    assert {block["text"]["type"] for block in slack["blocks"] if block["type"] == "section"} == {
        "plain_text"
    }
    assert "<" not in slack["text"]
    teams = teams_message(MAKE["teams"]("", 1.0).prepare(words, "ja"))
    card = teams["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


@of("discord")
async def test_discord_is_told_to_mention_nobody_and_names_its_seconds(account):
    await account.post()
    assert account.sandbox.posts[0].raw["allowed_mentions"] == {"parse": []}
    account.sandbox.fail("discord", Fault(status=429, body='{"retry_after": 0.75}'))
    _, _, error = await account.post(key=OTHER_KEY)
    assert error.retry_after == 0.75


@pytest.mark.parametrize(
    ("account", "status", "body", "reason"),
    [
        ("slack", 410, "channel_is_archived", Reason.POST_ACCOUNT),
        ("slack", 404, "no_service", Reason.POST_ACCOUNT),
        ("slack", 403, "action_prohibited", Reason.POST_TOKEN),
        ("discord", 404, '{"code": 10015}', Reason.POST_TOKEN),
        ("teams", 404, "", Reason.POST_TOKEN),
    ],
    indirect=["account"],
)
async def test_a_webhook_that_is_gone_stops_the_account(account, status, body, reason):
    account.sandbox.fail(account.name, Fault(status=status, body=body))
    _, _, error = await account.post()
    assert isinstance(error, AccountStopped)
    assert error.reason == reason


@of("teams")
async def test_an_error_inside_a_200_of_teams_is_no_success(account):
    words = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
    account.sandbox.fail("teams", Fault(status=200, body=words))
    _, through, error = await account.post()
    assert not through
    assert isinstance(error, TemporaryFailure)


@pytest.mark.parametrize(
    "account", ["mastodon", "facebook", "instagram", "threads", "discord"], indirect=True
)
async def test_an_account_is_asked_whether_it_would_post_with_nothing_posted(account):
    assert isinstance(account.session, ProbedSession)
    await account.session.probe()
    account.sandbox.refused_tokens.add(TOKEN)
    with pytest.raises(AccountStopped):
        await account.session.probe()
    assert not account.sandbox.posts


async def test_an_expired_token_is_told_by_every_stand_in(serve):
    sandbox = SnsSandbox()
    sandbox.refused_tokens.add(TOKEN)
    origin = await serve(create_app(sandbox))
    for name in MAKE:
        made = Account(make_posting(name, origin), sandbox, name)
        _, _, error = await made.post()
        assert isinstance(error, AccountStopped), name
        await made.session.close()

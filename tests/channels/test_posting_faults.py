"""What every channel that posts keeps when its service fails: none twice, and what is not known is said."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from channels.channel import AccountStopped, BatchRefused, TemporaryFailure, UnknownOutcome
from channels.posted import PostHistory, PostState
from channels.reasons import Reason
from sandbox.sns.app import create_app
from sandbox.sns.state import Fault, SnsSandbox
from tests.channels import posting
from tests.channels.announcements import with_japanese
from tests.channels.channel_settings import Serve
from tests.channels.posting import Account, make_posting

# Of whom nothing can be asked: a webhook takes words and tells nothing.
CANNOT_TELL = {"slack", "discord", "teams"}
# What becomes of the old post when a correction, and when a withdrawal is out.
CORRECTED = dict.fromkeys(("mastodon", "facebook", "discord"), PostState.MARKED)
WITHDRAWN = {
    **dict.fromkeys(("mastodon", "bluesky", "x", "facebook", "threads", "discord"), PostState.DELETED),
    **dict.fromkeys(("instagram", "slack", "teams"), PostState.LEFT),
}
LONG = "大雨による避難の情報です。" * 60


@pytest_asyncio.fixture(params=posting.NAMES)
async def account(request: pytest.FixtureRequest, serve: Serve) -> AsyncIterator[Account]:
    sandbox = SnsSandbox()
    origin = await serve(create_app(sandbox))
    made = Account(make_posting(request.param, origin, timeout=0.5), sandbox, request.param)
    yield made
    await made.session.close()


async def test_a_notice_is_shown_and_remembered(account):
    posted, through, error = await account.post()
    assert (through, error) == (True, None)
    assert len(account.shown) == 1
    assert posted[-1].state == PostState.OUT


async def test_asked_to_wait_it_waits_and_has_shown_nothing(account):
    account.sandbox.fail(account.name, Fault(status=429, retry_after="7"))
    _, through, error = await account.post()
    assert not through
    assert isinstance(error, TemporaryFailure)
    assert (error.reason, error.retry_after) == (Reason.RATE, 7.0)
    assert account.shown == []


@pytest.mark.parametrize(
    "fault", [Fault(lost=True), Fault(wait=0.7), Fault(status=500)], ids=["answer lost", "hangs", "500"]
)
async def test_what_was_not_heard_of_is_never_shown_twice(account, fault):
    account.sandbox.fail(account.name, fault)
    posted, through, error = await account.post()
    assert not through
    assert isinstance(error, UnknownOutcome)
    again = PostHistory(own=tuple(posted))
    _, through, error = await account.post(history=again, maybe_sent=True)
    if account.name in CANNOT_TELL:
        assert error.reason == Reason.POST_IN_DOUBT
        assert error.for_good
        assert len(account.shown) <= 1
    else:
        assert (through, error) == (True, None)
        assert len(account.shown) == 1


async def test_a_success_with_an_error_inside_is_no_success(account):
    account.sandbox.fail(account.name, Fault(status=200, body='{"error": "something went wrong"}'))
    _, through, error = await account.post()
    assert not through
    assert error is not None
    assert account.shown == []


async def test_a_portal_that_answers_for_the_service_is_no_success(account):
    account.sandbox.fail(account.name, Fault(status=200, body="<html>login</html>"))
    _, through, error = await account.post()
    assert not through
    assert isinstance(error, UnknownOutcome)


async def test_refused_for_good_says_so(account):
    account.sandbox.fail(account.name, Fault(status=422, body='{"error": "no"}'))
    _, through, error = await account.post()
    assert not through
    assert isinstance(error, BatchRefused)
    assert account.shown == []


async def test_an_expired_token_stops_the_account(account):
    account.sandbox.fail(account.name, Fault(status=401))
    _, _, error = await account.post()
    assert isinstance(error, AccountStopped)
    assert error.reason == Reason.POST_TOKEN


async def test_a_correction_takes_the_place_of_what_it_corrects(account):
    first, *_ = await account.post()
    earlier = PostHistory(earlier=tuple(replace(item, delivery=7) for item in first))
    changed, through, error = await account.post(
        history=earlier, key="11111111-1111-4111-8111-111111111111", kind="correction"
    )
    assert (through, error) == (True, None)
    old = [item.state for item in changed if item.delivery == 7]
    assert old == ([CORRECTED[account.name]] if account.name in CORRECTED else [])
    shown = account.shown
    assert "【訂正】" in shown[-1]
    if CORRECTED.get(account.name) == PostState.MARKED:
        assert "訂正しました" in shown[0]
        assert "高い所へ" not in shown[0]


async def test_a_withdrawal_deletes_what_it_can(account):
    first, *_ = await account.post()
    earlier = PostHistory(earlier=tuple(replace(item, delivery=7) for item in first))
    changed, through, error = await account.post(
        history=earlier, key="11111111-1111-4111-8111-111111111111", kind="withdrawal"
    )
    assert (through, error) == (True, None)
    old = [item.state for item in changed if item.delivery == 7]
    assert old == [WITHDRAWN[account.name]]
    assert "【取消】" in account.shown[-1]


async def test_what_somebody_deleted_by_hand_stops_no_correction(account):
    first, *_ = await account.post()
    for item in account.sandbox.posts:
        item.state = "deleted"
    earlier = PostHistory(earlier=tuple(replace(item, delivery=7) for item in first))
    changed, through, error = await account.post(
        history=earlier, key="11111111-1111-4111-8111-111111111111", kind="correction"
    )
    assert (through, error) == (True, None)
    assert len(account.shown) == 1
    assert {item.state for item in changed if item.delivery == 7} <= {PostState.GONE, PostState.LEFT}


async def test_after_the_time_for_changes_it_is_said_that_the_old_words_still_stand(account):
    first, *_ = await account.post()
    account.sandbox.edits_allowed = False
    earlier = PostHistory(earlier=tuple(replace(item, delivery=7) for item in first))
    changed, through, error = await account.post(
        history=earlier, key="11111111-1111-4111-8111-111111111111", kind="correction"
    )
    assert (through, error) == (True, None)
    if CORRECTED.get(account.name) == PostState.MARKED:
        assert [item.state for item in changed if item.delivery == 7] == [PostState.LEFT]


async def test_what_broke_off_in_the_middle_goes_on_behind_it(account):
    words = {"texts": with_japanese(body=LONG).texts, "url": "https://notice.example.jp/n/11"}
    parts = len(account.session.channel.prepare(with_japanese(body=LONG), "ja").parts)
    if parts == 1:
        pytest.skip("this service takes it in one piece")
    posted, through, _ = await account.post(**words)
    assert through
    whole = account.shown
    account.sandbox.clear()
    first = next(item for item in posted if item.part == 0 and item.state == PostState.OUT)
    account.sandbox.add(account.name, posting.TOKEN, whole[0], number=first.remote_id)
    rest, through, error = await account.post(history=PostHistory(own=(first,)), **words)
    assert (through, error) == (True, None)
    assert account.shown == whole
    assert first.part not in {item.part for item in rest}

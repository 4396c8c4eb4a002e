"""What a failure means for the batch in flight: another try and when, or the end of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sqlalchemy import Connection

from channels.channel import (
    AccountStopped,
    BatchRefused,
    CannotRender,
    ChannelError,
    Deferred,
    DeliveryStopped,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.reasons import Reason
from content.clock import HOUR, MINUTE, SECOND
from content.ledger import account_outages, batches, deliveries
from content.ledger.batches import Batch
from content.ledger.deferring import Later, RefusedRecipient
from content.ledger.settling import stop_delivery
from content.ledger.states import BatchState, DeliveryState, Lane, Outcome
from scheduler.rate_limiter import RateLimiter
from scheduler.town_context import BUDGET

LONGEST_WAIT: dict[str, int] = {
    Lane.URGENT: 15 * SECOND,
    Lane.ROUTINE: 5 * MINUTE,
    Lane.DIGEST: 5 * MINUTE,
}
# A service outside may ask for a longer wait, but not for one that outlives the notice.
LONGEST_ASKED_WAIT: dict[str, int] = {Lane.URGENT: 5 * MINUTE, Lane.ROUTINE: HOUR, Lane.DIGEST: HOUR}
# For recipients deferred by a service that names no time.
FIRST_WAIT: dict[str, int] = {Lane.URGENT: 20 * SECOND, Lane.ROUTINE: MINUTE, Lane.DIGEST: MINUTE}
# So many tries may fail one after the other by bad luck alone, where one call in ten fails.
LUCKLESS = 3
STOPPED_ACCOUNT_WAIT = 30 * SECOND
NOTHING_WENT_OUT = (TemporaryFailure, AccountStopped, DeliveryStopped)


class TooLate(ChannelError):
    """The time in which this batch could be sent is over. What was tried before may have arrived."""


def refuse_too_late(claimed: Batch, until: int | None, now: int) -> None:
    """After a downtime nothing old goes out by itself, nor with a retry key that LINE has forgotten."""
    if until is not None and now > until:
        budget_is_over = until == claimed.created_at + BUDGET[claimed.lane]
        message = "配信予定から時間がたちすぎたため、送りませんでした。"
        raise TooLate(Reason.TOO_LATE if budget_is_over else Reason.EXPIRED, message)


def tell_limiter(limiter: RateLimiter, error: Exception) -> None:
    """How the call that failed counts for the account's rate."""
    if isinstance(error, TemporaryFailure) and error.reason == Reason.RATE:
        limiter.refused(error.retry_after)
    elif isinstance(error, TemporaryFailure | UnknownOutcome):
        limiter.failed()


def write_failure(
    connection: Connection,
    claimed: Batch,
    error: Exception,
    reason: Reason,
    now: int,
    *,
    bad_luck: bool = False,
) -> None:
    """Settle the batch or requeue it, as the error and the time left say.

    `bad_luck`: the account takes most batches, so this one need not wait longer with each of its first tries.
    """
    if isinstance(error, AccountStopped):
        account_outages.begin(connection, claimed.account, reason=reason, now=now)
    # What went well since the batch was claimed makes this the first failure.
    attempt = batches.attempts(connection, claimed)
    waits = max(1, attempt - LUCKLESS) if bad_luck else attempt
    not_before = now + _wait_before_retry(claimed.lane, waits, error)
    spent = not_before - claimed.created_at > BUDGET[claimed.lane]
    # A try that was never heard of is not forgotten because a later one surely failed.
    maybe_sent = claimed.maybe_sent or not isinstance(error, (*NOTHING_WENT_OUT, TooLate))
    outcome = Outcome.UNKNOWN if maybe_sent else Outcome.REFUSED
    if isinstance(error, BatchRefused | CannotRender):
        batches.settle_rest(connection, claimed, outcome=Outcome.REFUSED, reason=reason, now=now)
    elif isinstance(error, DeliveryStopped) and (spent or _is_planned(connection, claimed)):
        batches.settle_rest(connection, claimed, outcome=outcome, reason=reason, now=now)
        stop_delivery(connection, claimed.delivery_id, reason=reason, now=now)
    elif spent or isinstance(error, TooLate) or (isinstance(error, UnknownOutcome) and error.for_good):
        batches.settle_rest(connection, claimed, outcome=outcome, reason=reason, now=now)
    else:
        state = BatchState.UNKNOWN if maybe_sent else BatchState.READY
        batches.requeue(connection, claimed, state=state, reason=reason, not_before=not_before, now=now)


def later(
    claimed: Batch, deferred: Sequence[Deferred], now: int, *, apart: bool = False, bad_luck: bool = False
) -> tuple[Later | None, list[RefusedRecipient]]:
    """When those deferred get their next try; those for whom it would be too late are refused.

    `bad_luck` as in `write_failure`.
    """
    if not deferred:
        return None, []
    not_before = now + max(_wait_after_deferring(claimed, item, bad_luck) for item in deferred)
    if not_before - claimed.created_at > BUDGET[claimed.lane]:
        return None, [RefusedRecipient(item.subscriber_id, item.reason, item.detail) for item in deferred]
    ids = tuple(item.subscriber_id for item in deferred)
    return Later(ids, deferred[0].reason, not_before, apart), []


def _wait_after_deferring(claimed: Batch, item: Deferred, bad_luck: bool) -> int:
    """Milliseconds: at least what the service asked for, as a rule doubled with each try."""
    first = FIRST_WAIT[claimed.lane] if item.retry_after is None else round(item.retry_after * SECOND)
    tries = claimed.attempt - 1
    if bad_luck and item.reason == Reason.SERVER_BUSY:
        # A server that says it of some of its mails.
        tries = max(0, tries - LUCKLESS)
    wait = first << min(tries, 12) if item.growing else first
    return round(min(LONGEST_ASKED_WAIT[claimed.lane], wait) * random.uniform(1.0, 1.25))  # noqa: S311


def _wait_before_retry(lane: str, attempt: int, error: Exception) -> int:
    """Milliseconds: what the service asked for, else 1, 2, 4 … s with jitter, up to the lane's longest."""
    if isinstance(error, AccountStopped):
        return STOPPED_ACCOUNT_WAIT
    asked = error.retry_after if isinstance(error, TemporaryFailure) else None
    if asked is not None:
        return round(min(asked * SECOND, LONGEST_ASKED_WAIT[lane]))
    longest = min(LONGEST_WAIT[lane], SECOND << min(max(0, attempt - 1), 12))
    return round(longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret


def _is_planned(connection: Connection, claimed: Batch) -> bool:
    """A delivery is stopped only then: whoever planning has not reached yet would be in no count."""
    return deliveries.get_delivery(connection, claimed.delivery_id).state != DeliveryState.PLANNING

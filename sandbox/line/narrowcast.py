"""Narrowcast: accepted at once, worked off later. LINE Messaging API reference, #send-narrowcast-message.

Demographic filters keep every friend, as the sandbox knows no ages; a redelivery as recipient answers 501.
"""

from __future__ import annotations

from sandbox.line import audiences
from sandbox.line.call import Call
from sandbox.line.clock import iso_utc
from sandbox.line.delivery import Audience, everyone, hand_over
from sandbox.line.errors import ApiError, Json, Reply, not_found
from sandbox.line.state import Job
from sandbox.line.users import User

FEWEST_RECIPIENTS = 50
FEWEST_REACH = 100
QUERYABLE_MS = 14 * 24 * 3600 * 1000
TOO_FEW, CANCELLED = 2, 5
_DESCRIPTIONS = {TOO_FEW: "Too few recipients", CANCELLED: "Canceled by forbidPartialDelivery"}


def send(call: Call) -> Reply:
    """Reserve the quota for the whole reach and start the job."""
    if recipient := call.body.get("recipient"):
        audiences.check_recipient(call, recipient)
    reach = len(_reached(call))
    if call.body.get("filter") and reach < FEWEST_REACH:
        raise ApiError(403, "Your account does not have enough friends")
    reserved = _reserve(call, reach)
    job = Job("waiting", call.now_ms)
    call.channel.jobs[call.request_id] = job
    call.sandbox.spawn(_work(call, job, reserved))
    return Reply(202)


def progress(call: Call) -> Reply:
    """How far a narrowcast is; 404 after 14 days."""
    job = call.channel.jobs.get(call.query.get("requestId", ""))
    if job is None or call.now_ms - job.accepted_at > QUERYABLE_MS:
        raise not_found()
    body: Json = {"phase": job.phase, "acceptedTime": iso_utc(job.accepted_at), **job.counts}
    if job.completed_at is not None:
        body["completedTime"] = iso_utc(job.completed_at)
    if job.error_code is not None:
        body |= {"errorCode": job.error_code, "failedDescription": _DESCRIPTIONS[job.error_code]}
    return Reply(body=body)


def _reserve(call: Call, reach: int) -> int:
    limit = call.body.get("limit") or {}
    wanted = min(reach, limit.get("max") or reach)
    left = call.channel.quota.remaining(call.now_ms)
    if left is not None and limit.get("upToRemainingQuota"):
        wanted = min(wanted, left)
    call.channel.quota.require(wanted, call.now_ms)
    call.channel.quota.reserved += wanted
    return wanted


async def _work(call: Call, job: Job, reserved: int) -> None:
    clock, step = call.sandbox.clock, call.sandbox.config["narrowcast.stepSeconds"]
    try:
        await clock.sleep(step)
        job.phase = "sending"
        await clock.sleep(step)
    finally:
        call.channel.quota.reserved -= reserved
    _finish(call, job, reserved)


def _reached(call: Call) -> list[User]:
    friends = everyone(call).reached
    recipient = call.body.get("recipient")
    return audiences.meant(call, recipient, friends) if recipient else friends


def _finish(call: Call, job: Job, reserved: int) -> None:
    audience = Audience(_reached(call))
    job.completed_at = call.now_ms
    partial = reserved < len(audience.reached)
    # People whom the bot named itself may be few.
    fewest = 1 if call.body.get("recipient") else FEWEST_RECIPIENTS
    if len(audience.reached) < fewest or reserved < fewest:
        job.phase, job.error_code = "failed", TOO_FEW
    elif partial and (call.body.get("limit") or {}).get("forbidPartialDelivery"):
        job.phase, job.error_code = "failed", CANCELLED
    else:
        audience.reached = audience.reached[:reserved]
        hand_over(call, "narrowcast", audience, call.body, counted=False)
        sent = len(audience.reached)
        job.phase = "succeeded"
        job.counts = {"successCount": sent, "failureCount": 0, "targetCount": sent}

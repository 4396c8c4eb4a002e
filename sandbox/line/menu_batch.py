"""Rich menus of many people at once: whoever has one menu gets another, or none. Accepted at once, worked off later.

LINE Messaging API reference, #batch-control-rich-menus-of-users and after.
"""

from __future__ import annotations

from sandbox.line.call import Call
from sandbox.line.clock import iso_utc
from sandbox.line.errors import ApiError, Json, Reply, invalid_parameter, not_found
from sandbox.line.menus_api import shown
from sandbox.line.phones import publish_menus
from sandbox.line.state import Job

QUERYABLE_MS = 14 * 24 * 3600 * 1000


def start(call: Call) -> Reply:
    """All operations together, some seconds later. A resume key that was used names a batch that is there."""
    _check(call)
    resume = call.body.get("resumeRequestKey")
    if resume is not None and resume in call.channel.menu_resume_keys:
        raise ApiError(400, "The resumeRequestKey has already been used")
    if resume is not None:
        call.channel.menu_resume_keys.add(resume)
    job = Job("ongoing", call.now_ms)
    call.channel.menu_jobs[call.request_id] = job
    call.sandbox.spawn(_work(call, job))
    return Reply(202)


def validate(call: Call) -> Reply:
    """The operations could be carried out; nothing is."""
    _check(call)
    return Reply()


def progress(call: Call) -> Reply:
    """How far a batch is; 404 after 14 days."""
    if not call.query.get("requestId"):
        raise invalid_parameter("requestId")
    job = call.channel.menu_jobs.get(call.query["requestId"])
    if job is None or call.now_ms - job.accepted_at > QUERYABLE_MS:
        raise not_found()
    body: Json = {"phase": job.phase, "acceptedTime": iso_utc(job.accepted_at)}
    if job.completed_at is not None:
        body["completedTime"] = iso_utc(job.completed_at)
    return Reply(body=body)


def _check(call: Call) -> None:
    """A menu that is given out must be there, with its image; one that is taken away may be gone."""
    for operation in call.body["operations"]:
        if operation["type"] == "link":
            shown(call, operation["to"])


async def _work(call: Call, job: Job) -> None:
    await call.sandbox.clock.sleep(call.sandbox.config["menu.bulkDelay"])
    # By the menu that each had before: two operations may exchange two menus.
    wanted = {
        operation.get("from"): operation.get("to")
        for operation in call.body["operations"]
        if operation["type"] != "unlinkAll"
    }
    takes_all = any(operation["type"] == "unlinkAll" for operation in call.body["operations"])
    for user in call.channel.users.by_id.values():
        if user.linked_menu_id in wanted:
            user.linked_menu_id = wanted[user.linked_menu_id]
        elif takes_all:
            user.linked_menu_id = None
    publish_menus(call.sandbox, call.channel)
    job.phase, job.completed_at = "succeeded", call.now_ms

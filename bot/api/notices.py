"""POST and GET of notices: the road of the console and the command line, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from bot.api.access import MachineRequest
from bot.api.problems import problem
from bot.api.reading import Asked, field_name, read_request
from bot.console.staff_words import PERMISSION_WORDS
from bot.notice_json import notice_json
from content.check_rules import Level
from content.clock import HOUR, SECOND
from content.ledger.tallies import progress_state
from content.notices import notices
from content.notices.checks.finding import Finding
from content.notices.notices import NoticeSpec
from content.notices.states import TargetKind
from content.staff import machine_requests
from content.staff.machine_requests import Answered
from content.staff.members import NotAllowed
from content.staff.rights import Permission
from scheduler import notice_service
from scheduler.approval import ApprovalRefused, needs_two
from scheduler.checks import NoticeRefused, Problem
from scheduler.examination import Examination, NoticeQuestioned, examine_notice, require_yes
from scheduler.notice_status import Status
from scheduler.permits import permission_to_send
from scheduler.town_context import public_page, with_channels

PATH = "/api/v1/notices"


class TooMany(Exception):
    """The machine has posted what it may in an hour; `wait` in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


async def post_notice(machine_request: MachineRequest) -> web.Response:
    """201 with the notice; the same request again has the same answer. Whatever is refused has changed nothing."""
    context, machine = machine_request.service.context, machine_request.machine
    asked = await read_request(machine_request.request, machine.id)
    if isinstance(asked, web.Response):
        return asked
    async with context.database.read() as connection:
        known = await machine_requests.find(connection, machine.id, asked.key_hash)
    if known is not None:
        return _answer(known, asked)
    spec = with_channels(context.town, asked.notice.to_spec())
    if foreign := sorted(set(spec.texts) - set(context.town.languages)):
        said = f"この町で使うことばは {'、'.join(context.town.languages)} です。"
        mistake = {"field": f"texts.{foreign[0]}", "code": "unknown-language", "message": said}
        return problem("refused", problems=[mistake])
    # Before the checks, which would tell how many somebody else's category has.
    if missing := _missing_right(machine_request, spec):
        return _not_allowed(missing, spec.category)
    examined: Examination | None = None
    try:
        examined = await examine_notice(context, spec, but_key=asked.submission_key, to_show=False)
        answered = require_yes(examined, asked.notice.accept)
        done = await _post(machine_request, asked, spec, examined, answered)
    except NoticeQuestioned as error:
        return problem("questioned", problems=_problems(error.problems), findings=_findings(examined, asked))
    except NoticeRefused as error:
        return problem("refused", problems=_problems(error.problems), findings=_findings(examined, asked))
    except ApprovalRefused as error:
        missing_reason = {"field": "reason", "code": "reason", "message": str(error)}
        return problem("refused", problems=[missing_reason], findings=_findings(examined, asked))
    except NotAllowed:
        return problem("not-allowed")
    except TooMany as error:
        said = f"この接続キーで1時間に送れるのは{machine.per_hour}件までです。"
        return problem("too-many", said, headers={"Retry-After": str(error.wait)})
    return _answer(done, asked)


async def show_notice(machine_request: MachineRequest) -> web.Response:
    """As `kairanban notice show --json`; what the key may not see is not there."""
    context = machine_request.service.context
    try:
        status = await notice_service.status(context, int(machine_request.request.match_info["id"]))
    except LookupError:
        return problem("not-found")
    if not machine_request.machine.may(Permission.SEE, status.notice.spec.category):
        return problem("not-found")
    return web.json_response(notice_json(status), dumps=_dumps)


async def _post(
    machine_request: MachineRequest,
    asked: Asked,
    spec: NoticeSpec,
    examined: Examination,
    answered: list[str],
) -> Answered:
    """The notice and the answer in one transaction, so that neither stands without the other."""
    context, machine = machine_request.service.context, machine_request.machine
    now = context.database.now()
    async with context.database.write(wake="triggers") as connection:
        number, first = await machine_requests.within_hour(connection, machine.id, now)
        known = await machine_requests.find(connection, machine.id, asked.key_hash)
        if known is not None:
            return known
        if number >= machine.per_hour:
            raise TooMany(max(1, (first + HOUR - now) // SECOND))
        notice_id = await notice_service.post_within(
            context,
            connection,
            spec,
            submission_key=asked.submission_key,
            staff=machine.actor,
            answered=answered,
            reason=asked.notice.reason,
            now=now,
        )
        found = await notices.get(connection, notice_id)
        assert found is not None
        status = Status(found, progress_state(found, []), (), (), (), public_page(context, found))
        waits = needs_two(context.town, spec)
        body = {
            **notice_json(status),
            "waiting_for_approval": waits,
            "findings": _findings(examined, asked),
        }
        done = Answered(asked.body_hash, notice_id, _dumps(body))
        return await machine_requests.keep(connection, machine.id, asked.key_hash, done, at=now)


def _missing_right(machine_request: MachineRequest, spec: NoticeSpec) -> Permission | None:
    """What the key lacks for this. In the transaction it is asked again."""
    wanted = [Permission.WRITE]
    if not needs_two(machine_request.service.town, spec):
        wanted.append(permission_to_send(spec))
    if spec.target.kind == TargetKind.EVERYONE:
        wanted.append(Permission.EVERYONE)
    return next((item for item in wanted if not machine_request.machine.may(item, spec.category)), None)


def _not_allowed(permission: Permission, category: str) -> web.Response:
    what = PERMISSION_WORDS[permission]
    said = f"この接続キーには、分野「{category}」での「{what}」の権限がありません。管理者に頼んでください。"
    return problem("not-allowed", said)


def _answer(answered: Answered, asked: Asked) -> web.Response:
    if answered.body_hash != asked.body_hash:
        return problem("key-reused")
    return web.Response(
        status=201,
        text=answered.answer,
        content_type="application/json",
        headers={"Location": f"{PATH}/{answered.notice_id}"},
    )


def _problems(found: Iterable[Problem]) -> list[dict[str, str]]:
    return [
        {"field": field_name(item.field, item.language), "code": item.code, "message": item.message}
        for item in found
    ]


def _findings(examined: Examination | None, asked: Asked) -> list[dict[str, Any]]:
    return [_finding(item, asked) for item in (examined.findings if examined else ())]


def _finding(item: Finding, asked: Asked) -> dict[str, Any]:
    return {
        "code": item.code,
        "level": str(item.level),
        "field": field_name(item.field, item.language),
        "message": item.message,
        "remedy": item.remedy,
        "accepted": item.level == Level.WARNING and item.code in asked.notice.accept,
    }


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

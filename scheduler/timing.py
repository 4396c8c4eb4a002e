"""When a notice may go out: what is wrong with its time, its end or its rule."""

from __future__ import annotations

from collections.abc import Iterator

from content.notices import recurrence
from content.notices.notices import NoticeSpec
from content.notices.recurrence import RecurrenceRule
from content.notices.states import NoticeKind
from content.town import Urgency


def timing_problems(spec: NoticeSpec, now: int) -> Iterator[tuple[str, str]]:
    """(field, message) of everything that is wrong."""
    if spec.at is not None and spec.at < now:
        yield "at", "配信日時が過ぎています。これからの日時にするか、空にしてすぐに配信してください。"
    if spec.at is not None and spec.kind != NoticeKind.ORIGINAL:
        yield "at", "訂正と取り消しは、すぐに送ります。配信日時を空にしてください。"
    if spec.expires is not None and spec.expires <= max(spec.at or now, now):
        yield "expires", "有効期限が配信より前です。配信より後の日時にするか、空にしてください。"
    if spec.rule is not None:
        yield from _rule_problems(spec, spec.rule, now)


def _rule_problems(spec: NoticeSpec, rule: RecurrenceRule, now: int) -> Iterator[tuple[str, str]]:
    if spec.urgency == Urgency.URGENT:
        yield (
            "urgency",
            "くり返しは緊急にできません。緊急度を「通常」にするか、くり返しをやめて「すぐに」か「日時を指定」を選んでください。",
        )
    if spec.at is not None:
        yield "at", "くり返しと配信日時は、どちらか一方にしてください。"
    if spec.expires is not None:
        yield "expires", "くり返しに有効期限は使えません。代わりに終わりの日を決めてください。"
    if spec.kind != NoticeKind.ORIGINAL:
        yield "repeat", "訂正と取り消しは、くり返せません。「すぐに」を選んでください。"
    found = [(error.field, str(error)) for error in recurrence.faults(rule)]
    yield from found
    if not found and recurrence.next_after(rule, now) is None:
        yield "repeat", "これから送る日が1日もありません。くり返し方、終わりの日、休む日を見直してください。"

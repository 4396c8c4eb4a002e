"""Addresses that get no mail because it came back (届かない方): how many, why, and mail to them again."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import channel_words
from bot.forms import read_fields
from bot.pages import redirect
from content.register import bounces, suppressing
from content.register.states import BounceKind, Route
from content.staff import audit

ON_PAGE = 50
PATH = "/console/unreachable"
# (what happened, what to do)
KIND_WORDS = {
    BounceKind.HARD: (
        "アドレスがありません",
        "アドレスが変わったようです。窓口や電話で分かったら、新しいアドレスで登録してもらってください。",
    ),
    BounceKind.UNCLEAR: (
        "宛先不明または受信拒否",
        "携帯電話の会社は、受信拒否でも「宛先不明」と答えることがあります。町からのメールを受信できる設定になっているか、本人に確かめてください。",
    ),
    BounceKind.SOFT: (
        "受信箱がいっぱいなど",
        "長い間、受け取れない状態が続いています。メールを整理してもらってから、送信を再開してください。",
    ),
    BounceKind.COMPLAINT: (
        "迷惑メールとして報告",
        "本人が「迷惑メール」を押したようです。本人が望むときだけ、送信を再開してください。",
    ),
}
NOTES = {
    "lifted": "送信を再開しました。次のお知らせから、また送ります。",
    "not-lifted": "その登録は、もう送信が再開されています。",
}


async def show_unreachable(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    after = _whole(query.get("after", ""))
    async with staff_request.service.database.read() as connection:
        counts = await bounces.count_suppressed(connection)
        rows = await bounces.list_suppressed(connection, after=after, most=ON_PAGE + 1)
    shown = rows[:ON_PAGE]
    return staff_request.page(
        "console/unreachable.html",
        counts=[(*KIND_WORDS[kind], number) for (_, kind), number in counts.items()],
        total=sum(counts.values()),
        rows=[(row, _channel(staff_request, row.account), KIND_WORDS[row.kind][0]) for row in shown],
        after=after,
        next=f"{PATH}?after={shown[-1].subscriber_id}" if len(rows) > ON_PAGE else "",
        path_here=PATH,
        enough=suppressing.DAYS_IN_WORDS,
        note=NOTES.get(query.get("note", ""), ""),
    )


async def lift(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    number, now = _whole(fields.get("subscriber", "")), staff_request.service.database.now()
    async with staff_request.service.database.write() as connection:
        lifted = await suppressing.lift(connection, number, route=Route.COUNTER, at=now)
        if lifted:
            await audit.record(
                connection,
                at=now,
                actor=staff_request.staff.login,
                action="subscriber.suppression_lifted",
                subject=f"subscriber {number}",
            )
    return redirect(f"{PATH}?note={'lifted' if lifted else 'not-lifted'}")


def _channel(staff_request: StaffRequest, account: str) -> str:
    known = staff_request.service.town.account.get(account)
    return channel_words(known.channel) if known else account


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0

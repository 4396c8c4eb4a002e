"""A town context on a seeded register, and what staff do with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr
from registry import Seeded

from bot.server import warm_up
from bot.service import open_town_context
from bot.settings import LineSettings, MailSettings, Settings
from channels.channel import Channel
from content.database import Database
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.town import Account
from scheduler import notice_service
from scheduler.fanout import plan_next
from scheduler.town_context import TownContext
from scheduler.triggers import fire_due

BODY = "阿武隈川の水位が上がり、あふれるおそれがあります。今すぐ避難してください。"


def open_bench_context(
    seeded: Seeded,
    url: str,
    channel_of: Callable[[Account], Channel] | None = None,
    *,
    line: str = "http://127.0.0.1:1",
    smtp: int = 1,
) -> TownContext:
    """`channel_of` in place of the channels that a town's settings describe; else these go to `line` and the port `smtp`.

    Warm, as a service is.
    """
    warm_up()
    settings = Settings(
        town=seeded.town_file,
        line=LineSettings(channel_token=SecretStr("bench"), api_base=line),
        mail=MailSettings(smtp_url=SecretStr(f"smtp://127.0.0.1:{smtp}"), **{"from": "town@example.jp"}),
    )
    context = open_town_context(settings, seeded.town(), Database(url), seeded.keys())
    return context if channel_of is None else replace(context, channel_of=channel_of)


def spec(
    *channels: str, target: Target | None = None, urgency: str = "routine", body: str = BODY
) -> NoticeSpec:
    return NoticeSpec("saigai", urgency, {"ja": ("避難指示", body)}, channels, target=target or Target())


async def approve(context: TownContext, words: NoticeSpec) -> int:
    notice_id, _ = await notice_service.store(context, words, submission_key=str(uuid.uuid4()), staff="bench")
    # Each round sends the same words.
    accepted = ("repeated", "unusual-number")
    await notice_service.approve(context, notice_id, staff="bench", accepted=accepted)
    return notice_id


async def fan_out(context: TownContext) -> None:
    """Fire what is due and plan it to the end, without a sender."""
    await fire_due(context)
    while await plan_next(context):
        pass

"""An office on a seeded register, and what staff do with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr
from registry import Seeded

from bot.server import warm_up
from bot.service import open_office
from bot.settings import LineSettings, MailSettings, Settings
from channels.channel import Channel
from content.database import Database
from content.notices import Draft
from content.segments import Target
from content.town import Account
from scheduler import posting
from scheduler.fanout import plan_next
from scheduler.office import Office
from scheduler.triggers import fire_due

BODY = "阿武隈川の水位が上がり、あふれるおそれがあります。今すぐ避難してください。"


def open_bench_office(
    seeded: Seeded, url: str, open_channel: Callable[[Account], Channel] | None = None
) -> Office:
    """`open_channel` in place of the channels that a town's settings open. Warm, as a service is."""
    warm_up()
    settings = Settings(
        line=LineSettings(channel_token=SecretStr("bench")),
        mail=MailSettings(smtp_url=SecretStr("smtp://127.0.0.1:1"), **{"from": "town@example.jp"}),
    )
    office = open_office(settings, seeded.town(), Database(url), seeded.keys())
    return office if open_channel is None else replace(office, open_channel=open_channel)


def draft(*channels: str, target: Target | None = None, urgency: str = "routine", body: str = BODY) -> Draft:
    return Draft("saigai", urgency, {"ja": ("避難指示", body)}, channels, target=target or Target())


async def approve(office: Office, words: Draft) -> int:
    notice_id, _ = await posting.store(office, words, submission_key=str(uuid.uuid4()), staff="bench")
    await posting.approve(office, notice_id, staff="bench")
    return notice_id


async def fan_out(office: Office) -> None:
    """Fire what is due and plan it to the end, without a sender."""
    await fire_due(office)
    while await plan_next(office):
        pass

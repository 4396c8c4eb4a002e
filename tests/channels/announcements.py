"""Notices as the tests write them, and the three people who read them.

A parent reads Japanese, a 78-year-old reads やさしい日本語, a newcomer reads English.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from channels.channel import Announcement, Part, Recipient, Session, Text

PARENT, ELDER, NEWCOMER = 101, 102, 103
LANGUAGES = ("ja", "ja-easy", "en")
RETRY_KEY = "6d0f3a0e-8a43-4f5e-9d0a-1f2b3c4d5e6f"
# Tuesday 7 April 2026, 09:30 in Japan: the first week of the fiscal year.
APRIL_TUESDAY = 1_775_521_800_000

FLOOD = Announcement(
    notice_id=11,
    version_id=21,
    town="しばた市",
    mode="live",
    urgency="urgent",
    kind="original",
    category="disaster",
    category_names={"ja": "災害", "ja-easy": "災害（さいがい）", "en": "Disaster"},
    texts=(
        Text("ja", "加治川 氾濫危険水位", "加治川の水位が上がっています。\n\n高い所へ避難してください。"),
        Text("ja-easy", "川（かわ）が あふれそうです", "高（たか）い ところへ にげて ください。"),
        Text("en", "Kaji River may overflow", "Go to higher ground now."),
    ),
    url="https://notice.shibata.example.jp/n/11",
    published_at=APRIL_TUESDAY,
    contact="危機管理課 0254-00-0000",
)

LONG_BODY = "長い文章です。" * 30_000


def notice(**changes: Any) -> Announcement:
    """The flood notice with some fields changed."""
    return replace(FLOOD, **changes)


def with_japanese(
    title: str = FLOOD.texts[0].title, body: str = FLOOD.texts[0].body, **changes: Any
) -> Announcement:
    """The flood notice in Japanese alone, with this title or body."""
    return notice(texts=(Text("ja", title, body),), **changes)


async def collect(parts: Any) -> list[Part]:
    """All parts of a send."""
    return [part async for part in parts]


async def collect_until_error(parts: Any) -> tuple[list[Part], Exception | None]:
    """The parts before an error, and the error."""
    seen: list[Part] = []
    try:
        async for part in parts:
            seen.append(part)
    except Exception as error:
        return seen, error
    return seen, None


def total(parts: list[Part]) -> int:
    """Recipients in these parts."""
    return sum(part.size for part in parts)


def refusals(parts: list[Part]) -> dict[int, tuple[str, str]]:
    """Subscriber id → reason and detail."""
    return {
        refusal.subscriber_id: (refusal.reason, refusal.detail) for part in parts for refusal in part.refused
    }


def deferred(parts: list[Part]) -> dict[int, str]:
    """Subscriber id → reason."""
    return {item.subscriber_id: item.reason for part in parts for item in part.deferred}


def line_friends(count: int) -> list[Recipient]:
    """Recipients with well-formed LINE user ids."""
    return [Recipient(number, f"U{number:032x}") for number in range(1, count + 1)]


def mail_readers(count: int) -> list[Recipient]:
    """Recipients with mail addresses."""
    return [Recipient(number, f"reader{number}@mail.example.jp") for number in range(1, count + 1)]


async def send(
    session: Session, recipients: Sequence[Recipient], **changes: Any
) -> tuple[list[Part], Exception | None]:
    """Send a notice in Japanese; what `collect_until_error` says."""
    prepared = session.channel.prepare(notice(**changes), "ja")
    return await collect_until_error(session.send(prepared, recipients, RETRY_KEY))

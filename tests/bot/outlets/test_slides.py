"""What a display shows: pure choices and cuts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outlets.current import Current, current_notices
from bot.outlets.slides import CHARACTERS, MOST_SCREENS, deck_name, fitting, screens, slides
from bot.service import Service
from content.clock import DAY, HOUR, MINUTE, now_ms
from content.notices.attachments import Attachments, Event
from content.notices.chosen import write_rules
from content.notices.displays import Display, DisplayAudience
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.town import SegmentRule
from tests.bot.resident.test_pages import TEXTS, publish

STATION = Display(1, "船岡駅", DisplayAudience.CITIZENS, "funaoka", False, 0, None, None, None)
TOURISTS = replace(STATION, audience=DisplayAudience.VISITORS, place="")
FUNAOKA, TSUKINOKI = (
    Target("segment", write_rules((SegmentRule(field="area", any_of=(key,)),)))
    for key in ("funaoka", "tsukinoki")
)
JAPANESE = {"ja": ("ごみの日の変更", "5日は集めません。")}


async def titles(service: Service, display: Display, later: int = 0) -> list[str]:
    async with service.database.read() as connection:
        found = await current_notices(service, connection, limit=50)
    return [item.notice.title for item in fitting(service.town, display, found, now_ms() + later)]


async def test_an_urgent_notice_stands_alone_until_it_is_over(service: Service) -> None:
    await publish(service, texts=JAPANESE)
    assert await titles(service, STATION) == ["ごみの日の変更"]
    await publish(service, urgency="urgent", texts=TEXTS, expires=now_ms() + HOUR)
    assert await titles(service, STATION) == ["避難してください"]
    assert await titles(service, STATION, HOUR + MINUTE) == ["ごみの日の変更"]
    assert await titles(service, STATION, 15 * DAY) == []


async def test_a_withdrawal_is_shown_for_an_hour(service: Service) -> None:
    await publish(service, texts=JAPANESE)
    number = await publish(service, urgency="urgent", texts=TEXTS)
    over = {"ja": ("避難指示を取り消します", "もう安全です。")}
    await publish(service, urgency="urgent", texts=over, kind=NoticeKind.WITHDRAWAL, corrects=number)
    assert await titles(service, STATION) == ["避難指示を取り消します"]
    assert await titles(service, STATION, HOUR + MINUTE) == ["ごみの日の変更"]


async def test_other_districts_drills_and_what_visitors_cannot_read_are_left_out(service: Service) -> None:
    await publish(service, texts=JAPANESE)
    await publish(service, texts={"ja": ("槻木だけ", "本文")}, target=TSUKINOKI)
    await publish(service, texts={**JAPANESE, "ja": ("船岡だけ", "本文")}, target=FUNAOKA)
    await publish(service, texts={"ja": ("花火", "川原で。"), "en": ("Fireworks", "By the river.")})
    await publish(service, urgency="urgent", mode="drill", texts=TEXTS)
    assert await titles(service, STATION) == ["花火", "船岡だけ", "ごみの日の変更"]
    assert await titles(service, TOURISTS) == ["花火"]


async def test_an_event_that_is_over_is_not_announced(service: Service) -> None:
    starts = now_ms() + HOUR
    await publish(service, texts=JAPANESE, attached=Attachments(event=Event(starts, starts + HOUR)))
    assert await titles(service, STATION, 90 * MINUTE) == ["ごみの日の変更"]
    assert await titles(service, STATION, 3 * HOUR) == []


async def test_danger_is_said_in_every_language_and_a_deck_has_a_name_of_its_own(service: Service) -> None:
    await publish(service, urgency="urgent", texts=TEXTS)
    async with service.database.read() as connection:
        found: list[Current] = await current_notices(service, connection, limit=50)
    shown = slides(STATION, found, now_ms())
    assert [item.language for item in shown] == ["ja", "ja-easy", "en"]
    assert "".join(shown[0].title) == "【緊急】避難してください"
    assert deck_name(shown) == deck_name(slides(STATION, found, now_ms() + MINUTE)) != deck_name(shown[:1])


@pytest.mark.parametrize(
    "body", ["字" * 5000, "長い文です。" * 800, "مرحبا بالعالم " * 300, "👨‍👩‍👧‍👦" * 700]
)
async def test_a_very_long_notice_is_cut_off_and_says_so(service: Service, body: str) -> None:
    await publish(service, texts={"ja": ("長い", body)})
    async with service.database.read() as connection:
        found = await current_notices(service, connection, limit=50)
    shown = slides(STATION, found, now_ms())
    assert len(shown) == MOST_SCREENS
    assert [item.goes_on for item in shown] == [False] * (MOST_SCREENS - 1) + [True]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="あい漢字ー。！\n 👍🏽e\u0301م", max_size=400))
def test_no_screen_is_too_full_and_nothing_is_lost(body: str) -> None:
    shown = screens(body, "ja")
    # What a person sees as one character may be longer than one sign.
    assert all(len(screen) <= CHARACTERS + 4 for screen in shown)
    assert "".join("".join(shown).split()) == "".join(body.split())

"""A notice as the beginning of a new one."""

from __future__ import annotations

from bot.service import Service
from content.clock import HOUR, now_ms
from content.notices import notices
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.notices.states import NoticeKind
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice

TEXTS = {"ja": ("河川敷の訓練", "午前10時に始めます。"), "en": ("River drill", "It begins at 10 a.m.")}


async def newest(service: Service) -> notices.Notice:
    async with service.database.read() as connection:
        return (await notices.recent(connection))[0]


async def test_a_copy_has_the_words_and_choices_and_is_a_notice_of_its_own(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        first = await make_notice(
            connection,
            texts=TEXTS,
            category="saigai",
            urgency="urgent",
            channels=("line",),
            target=Target("everyone"),
            at=now_ms(),
        )
    page = await tanaka.get(f"/console/notices/{first}")
    assert "この内容で新しく作る" in page.text
    copied = await tanaka.get(f"/console/notices/{first}/copy")
    assert f"第{first}号の内容を写しました" in copied.text
    confirm = await tanaka.submit(copied, "/console/notices/new", {"title.ja": "河川敷の訓練(秋)"})
    assert confirm.status == 200
    new = await newest(service)
    assert new.id != first and new.state == "draft" and new.created_by == "tanaka"
    assert new.spec == NoticeSpec(
        category="saigai",
        urgency="urgent",
        texts=TEXTS | {"ja": ("河川敷の訓練(秋)", "午前10時に始めます。")},
        channels=("line",),
        target=Target("everyone"),
    )


async def test_a_copy_takes_neither_the_time_nor_what_the_notice_corrected(
    tanaka: Visitor, service: Service
) -> None:
    soon = now_ms() + HOUR
    async with service.database.write() as connection:
        original = await make_notice(connection)
        correction = await make_notice(
            connection,
            approved=False,
            mode="drill",
            kind=NoticeKind.CORRECTION,
            corrects=original,
            expires=soon,
        )
    copied = await tanaka.get(f"/console/notices/{correction}/copy")
    fields = dict(copied.form("/console/notices/new"))
    assert (fields["when"], fields["at"], fields["expires"]) == ("now", "", "")
    assert fields["mode"] == "drill"
    await tanaka.submit(copied, "/console/notices/new", {"mode": "live"})
    new = await newest(service)
    assert (new.kind, new.spec.corrects, new.spec.at, new.spec.expires) == ("original", None, None, None)


async def test_copying_stores_nothing_and_two_copies_are_two_notices(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        first = await make_notice(connection)
    one, other = [await tanaka.get(f"/console/notices/{first}/copy") for _ in range(2)]
    assert (await newest(service)).id == first
    confirms = [await tanaka.submit(page, "/console/notices/new", {}) for page in (one, other)]
    assert confirms[0].path != confirms[1].path


async def test_who_may_only_see_is_not_offered_a_copy(kikaku: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        first = await make_notice(connection)
    assert "この内容で新しく作る" not in (await kikaku.get(f"/console/notices/{first}")).text
    assert (await kikaku.get(f"/console/notices/{first}/copy")).status == 403

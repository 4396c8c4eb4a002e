"""Pictures and a place on the page where a notice is written, and the one form that may carry a file."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp
import pytest

from bot.door.body_limits import PICTURE_PATH, body_limit
from bot.service import Service
from content.clock import now_ms
from content.ledger import deliveries
from content.notices import notices, pictures, triggers
from content.notices.attachments import Attachments, Picture, Place
from content.notices.kept_forms import of_staff
from content.notices.picture_files import clean_picture
from content.notices.states import NoticeKind
from scheduler import after_sending
from tests import picture_files as files
from tests.bot.web_visitor import Page, Visitor
from tests.factories import make_notice, make_subscriber

WORDS = {"title.ja": "給水のお知らせ", "body.ja": "船岡公民館で給水します。", "category": "kosodate"}
NEW = "/console/notices/new"


async def add(
    visitor: Visitor,
    page: Page,
    content: bytes | None,
    name: str = "a.png",
    action: str = NEW,
    **changed: str,
) -> Page:
    """Press 「画像を足す」 on this page."""
    form = aiohttp.FormData()
    for field, value in page.form(action):
        if field not in ("picture_file", *changed):
            form.add_field(field, value)
    for field, value in changed.items():
        form.add_field(field, value)
    form.add_field("picture_file", content or b"", filename=name if content else "", content_type="image/png")
    async with visitor.client.post(PICTURE_PATH, data=form(), headers={}) as answer:
        return Page(answer.status, answer.url.path_qs, await answer.text(), dict(answer.headers))


def names_on(page: Page, action: str = NEW) -> list[str]:
    return [value for name, value in page.form(action) if name == "picture"]


async def stored(service: Service) -> list[notices.Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def test_a_picture_and_a_place_go_with_the_notice(tanaka: Visitor, service: Service) -> None:
    page = await add(tanaka, await tanaka.get(NEW), files.photo(), "IMG_1.JPG", **WORDS)
    assert page.status == 200
    (name,) = names_on(page)
    # What was typed is there still, and the picture can be seen.
    assert dict(page.form(NEW))["title.ja"] == "給水のお知らせ"
    shown = await tanaka.client.get(f"/console/pictures/{name}")
    assert shown.status == 200 and await shown.read() == clean_picture(files.photo()).content
    refused = await tanaka.submit(page, NEW)
    assert refused.status == 422 and "画像の説明がありません" in refused.message_of(f"alt.ja.{name}")
    assert await stored(service) == []
    filled = {
        f"alt.ja.{name}": "給水車の写真",
        "place_label": "船岡公民館",
        "place_point": "38.0561, 140.7653",
    }
    confirm = await tanaka.submit(page, NEW, filled)
    (found,) = await stored(service)
    assert confirm.path == f"/console/notices/{found.id}/confirm"
    assert found.spec.attached == Attachments(
        (Picture(name, {"ja": "給水車の写真"}),), Place("船岡公民館", "", 38.0561, 140.7653)
    )
    assert f"/console/pictures/{name}" in confirm.html and "地理院地図で開く: 船岡公民館" in confirm.text
    # As the mail says it, and as a machine reads it.
    assert "画像: 給水車の写真" in confirm.text and '"map_url"' in confirm.text
    # It stays when the draft is changed, and goes when somebody takes it away.
    path = f"/console/notices/{found.id}/edit"
    edit = await tanaka.get(path)
    assert names_on(edit, path) == [name] and dict(edit.form(path))["place_point"] == "38.056100, 140.765300"
    without = await tanaka.post(PICTURE_PATH, [*edit.form(path), ("remove_picture", name)])
    assert names_on(without, path) == []
    await tanaka.submit(without, path)
    (found,) = await stored(service)
    assert found.spec.attached.pictures == () and found.spec.attached.place is not None


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"<html><script>alert(1)</script>", "map.png", "JPEGかPNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "JPEGかPNG"),
        (files.bomb(), "bomb.png", "縦横が大きすぎます"),
        (files.jpeg()[:900], "half.jpg", "読めません"),
        (None, "", "ファイルを選んで"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused_by_name_and_the_words_stay(
    tanaka: Visitor, service: Service, content: bytes | None, name: str, says: str
) -> None:
    page = await add(tanaka, await tanaka.get(NEW), content, name, **WORDS)
    assert page.status == 422 and says in page.message_of("picture_file")
    assert name in page.message_of("picture_file")
    assert dict(page.form(NEW))["body.ja"] == WORDS["body.ja"] and names_on(page) == []


async def test_a_chosen_file_that_was_not_added_is_not_lost_silently(
    tanaka: Visitor, service: Service
) -> None:
    # Without script, a form that is sent as usual carries no more than the name of the file.
    page = await tanaka.write(picture_file="chirashi.jpg")
    assert page.status == 422 and "まだ足していません" in page.message_of("picture_file")
    assert await stored(service) == []


async def test_three_are_enough_and_the_same_one_twice_is_one(tanaka: Visitor) -> None:
    page = await tanaka.get(NEW)
    for width in (10, 11, 12):
        page = await add(tanaka, page, files.png((width, 10)))
    assert len(names_on(page)) == 3 and 'type="file"' not in page.html
    assert len(names_on(await add(tanaka, page, files.png((13, 10))))) == 3
    page = await tanaka.get(NEW)
    for _ in range(2):
        page = await add(tanaka, page, files.png())
    assert len(names_on(page)) == 1 and "もう入っています" in page.message_of("picture_file")


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"place_label": "公民館"}, "place_point", "位置を書いてください"),
        ({"place_point": "38.05, 140.76"}, "place_label", "名前がありません"),
        ({"place_label": "公民館", "place_point": "140.76, 38.05"}, "place_point", "逆"),
        ({"place_label": "公民館", "place_point": "駅の前"}, "place_point", "読み取れません"),
    ],
)
async def test_half_a_place_names_the_field(
    tanaka: Visitor, service: Service, typed: dict[str, str], field: str, says: str
) -> None:
    page = await tanaka.write(**typed)
    assert page.status == 422 and says in page.message_of(field)
    assert await stored(service) == []


async def test_a_picture_that_is_gone_is_named_and_nothing_is_stored(
    tanaka: Visitor, service: Service
) -> None:
    gone = f"{'0' * 40}-1x1.png"
    page = await tanaka.write(picture=gone, **{f"alt__ja__{gone}".replace("__", "."): "給水車の写真"})
    assert page.status == 422 and "画像が見つかりません" in page.message_of("picture_file")
    assert await stored(service) == []


async def test_what_is_kept_by_itself_names_its_pictures(tanaka: Visitor, service: Service) -> None:
    page = await add(tanaka, await tanaka.get(NEW), files.png(), **WORDS)
    await tanaka.post("/console/notices/keep", [*page.form(NEW), ("picture_file", "[object File]")])
    async with service.database.read() as connection:
        (kept,) = await of_staff(connection, 1)
    again = await tanaka.get(f"{NEW}?kept={kept.key}")
    assert names_on(again) == names_on(page) and "picture_file" not in dict(kept.fields)


async def test_the_look_shows_the_picture_the_buttons_and_the_end_of_the_mail(tanaka: Visitor) -> None:
    page = await add(tanaka, await tanaka.get(NEW), files.png(), **WORDS)
    (name,) = names_on(page)
    typed = [*page.form(NEW), (f"alt.ja.{name}", "給水車の写真")]
    typed = [pair for pair in typed if pair != (f"alt.ja.{name}", "")]
    typed = [(key, "電話 0224-55-2111 まで。" if key == "body.ja" else value) for key, value in typed]
    look = await tanaka.post("/console/notices/look", typed, True, **{"X-Fragment": "1"})
    assert f'src="/console/pictures/{name}" alt="給水車の写真"' in look.html
    assert "電話をかける: 0224-55-2111" in look.text and "メールの受け取りをやめる:" in look.text
    assert look.text.count("通知(ロック画面)") == 2


async def test_who_may_only_look_adds_nothing(kikaku: Visitor, service: Service) -> None:
    for _ in range(2):
        form = aiohttp.FormData()
        form.add_field("picture_file", files.png(), filename="a.png")
        answer = await kikaku.client.post(PICTURE_PATH, data=form())
        assert answer.status == 403
    async with service.database.read() as connection:
        assert await pictures.missing(connection, [clean_picture(files.png()).name])


async def test_a_session_that_has_ended_keeps_the_words(stranger: Visitor) -> None:
    form = aiohttp.FormData()
    for name, value in {**WORDS, "csrf": "x"}.items():
        form.add_field(name, value)
    form.add_field("picture_file", files.png(), filename="a.png")
    origin = str(stranger.client.make_url("")).rstrip("/")
    answer = await stranger.client.post(PICTURE_PATH, data=form(), headers={"Origin": origin})
    assert answer.status == 401 and "給水のお知らせ" in await answer.text()


def body(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    made = b"".join(b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return made + f"--{boundary}--\r\n".encode()


def field(name: str, rest: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{rest}'


FILE = field("picture_file", '; filename="a.png"')


MIXED = field("a") + "\r\nContent-Type: multipart/mixed; boundary=c"
FORM = "multipart/form-data; boundary=b"
BAD_FORMS = {
    "another file field": (lambda: body((field("other", '; filename="a.png"'), b"x")), FORM, 400),
    "two files": (lambda: body((FILE, b"x"), (FILE, b"y")), FORM, 400),
    "packed": (lambda: body((FILE + "\r\nContent-Encoding: gzip", b"x")), FORM, 400),
    "base64": (lambda: body((FILE + "\r\nContent-Transfer-Encoding: base64", b"eA==")), FORM, 400),
    "no UTF-8": (lambda: body((field("title.ja"), b"\xff\xfe")), FORM, 400),
    "many fields": (lambda: body(*((field(f"f{n}"), b"") for n in range(501))), FORM, 400),
    "long words": (lambda: body((field("title.ja"), b"x" * 600_000)), FORM, 413),
    "large file": (lambda: body((FILE, b"x" * (15 * 1024 * 1024 + 1))), FORM, 413),
    "cut off": (lambda: body((FILE, b"x"))[:60], FORM, 400),
    "nested": (lambda: body((MIXED, b"--c--")), FORM, 400),
    "no boundary": (lambda: b"", "multipart/form-data", 400),
    "long boundary": (lambda: b"x", "multipart/form-data; boundary=" + "b" * 100, 400),
    "mixed": (lambda: b"x", "multipart/mixed; boundary=b", 415),
}


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
@pytest.mark.parametrize("name", BAD_FORMS)
async def test_a_form_that_no_browser_sends_is_refused(tanaka: Visitor, name: str) -> None:
    make, kind, status = BAD_FORMS[name]
    origin = str(tanaka.client.make_url("")).rstrip("/")
    answer = await tanaka.send_raw(PICTURE_PATH, make(), kind, Origin=origin)
    assert answer.status == status


async def test_no_other_page_takes_a_file(tanaka: Visitor, service: Service) -> None:
    for path in (NEW, "/console/notices/look", "/console/login"):
        answer = await tanaka.send_raw(path, body((FILE, b"x")), "multipart/form-data; boundary=b")
        assert answer.status in (403, 415)
        assert body_limit(path) <= 512 * 1024


async def fired(service: Service, attached: Attachments, **changes: object) -> int:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys)
        number = await make_notice(connection, attached=attached, at=now_ms(), **changes)  # type: ignore[arg-type]
        await triggers.fire(connection, number, now_ms())
    return number


async def attached_picture(service: Service) -> Attachments:
    async with service.database.write() as connection:
        name = await pictures.keep(connection, clean_picture(files.png()), at=now_ms())
    return Attachments((Picture(name, {"ja": "給水車の写真"}),), Place("公民館", "", 38.05, 140.76))


async def test_a_copy_and_a_correction_carry_the_picture_and_a_withdrawal_does_not(
    tanaka: Visitor, service: Service
) -> None:
    attached = await attached_picture(service)
    number = await fired(service, attached)
    copy = await tanaka.get(f"/console/notices/{number}/copy")
    assert names_on(copy) == attached.names and "給水車の写真" in copy.text
    async with service.database.write() as connection:
        found = await notices.get(connection, number)
        assert found is not None
        await deliveries.open_delivery(
            connection,
            notice_id=number,
            version_id=found.version_id,
            account="line",
            channel="line",
            lane="routine",
            at=now_ms(),
        )
    correction = await after_sending.follow_up(service.context, number, NoticeKind.CORRECTION)
    withdrawal = await after_sending.follow_up(service.context, number, NoticeKind.WITHDRAWAL)
    assert correction.attached == attached and withdrawal.attached == Attachments()
    shown: Sequence[str] = (await tanaka.get(f"/console/notices/{number}")).html.split("<img")
    assert len(shown) == 2 and 'alt="給水車の写真"' in shown[1]

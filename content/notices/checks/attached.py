"""What a notice carries beside its words: pictures that nobody could hear, and places that are none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from content.clock import DAY
from content.notices.attachments import ALT_LIMIT, LABEL_LIMIT, MOST_PICTURES, Event, Picture, Place
from content.notices.characters import find_invisible, has_visible
from content.notices.checks.finding import Finding, language_name
from content.notices.notices import NoticeSpec

LONGEST_EVENT = 366 * DAY
# What a phone or a camera calls its files, and words that say no more than that there is a picture.
_FILE_NAME = re.compile(r".*\.(jpe?g|png|gif|heic|pdf)|(img|dsc[fn]?|pxl|image|scan|screenshot)[\W_\d]+.*")
_NOTHING_SAID = re.compile(
    r"(この|その|添付の?)?(画像|写真|図|絵|ポスター|チラシ|image|photo|picture|poster|test|テスト)[\d。.]*"
)


def check_attached(spec: NoticeSpec) -> Iterator[Finding]:
    pictures = spec.attached.pictures
    if len(pictures) > MOST_PICTURES:
        yield Finding(
            "unusable", "pictures", f"画像は{MOST_PICTURES}枚までです。", "大切なものだけを残してください。"
        )
    for number, picture in enumerate(pictures, 1):
        yield from _alts(picture, f"画像{number}" if len(pictures) > 1 else "画像")
    if spec.attached.place is not None:
        yield from _place(spec.attached.place)
    if spec.attached.event is not None:
        yield from _event(spec.attached.event, recurs=spec.rule is not None)


def _alts(picture: Picture, which: str) -> Iterator[Finding]:
    for language, alt in {"ja": "", **picture.alts}.items():
        field = f"alt.{language}.{picture.name}"
        where = which + ("の説明" if language == "ja" else f"の説明({language_name(language)})")
        if not has_visible(alt):
            yield Finding(
                "picture-alt",
                field,
                f"{where}がありません。",
                "何が写っているか、何と書いてあるかを書いてください。目の見えない人と、画像が出ない人が読みます。",
                language,
            )
        elif len(alt) > ALT_LIMIT:
            yield Finding(
                "picture-alt",
                field,
                f"{where}が長すぎます(今 {len(alt)}文字)。",
                f"{ALT_LIMIT}文字までにして、くわしいことは本文に書いてください。",
                language,
            )
        elif find_invisible(alt) is not None:
            yield _hidden(where, field, language)
        elif _says_nothing(alt):
            yield Finding(
                "picture-alt-poor",
                field,
                f"{where}「{alt[:30]}」では、何が写っているか伝わりません。",
                "画像を見なくても分かるように書いてください。",
                language,
            )


def _place(place: Place) -> Iterator[Finding]:
    for field, where, text in (
        ("place_label", "場所の名前", place.label),
        ("place_address", "場所の住所", place.address),
    ):
        if field == "place_label" and not has_visible(text):
            yield Finding("place", field, f"{where}がありません。", "「船岡公民館」のように書いてください。")
        elif len(text) > LABEL_LIMIT:
            yield Finding("place", field, f"{where}が長すぎます。", f"{LABEL_LIMIT}文字までにしてください。")
        elif find_invisible(text) is not None or "\n" in text:
            yield _hidden(where, field)
    if not place.is_in_japan:
        turned = Place("", "", place.longitude, place.latitude).is_in_japan
        yield Finding(
            "place",
            "place_point",
            "緯度と経度が逆のようです。" if turned else "その位置は日本の中にありません。",
            "緯度(20〜46くらい)、経度(122〜154くらい)の順に書いてください。",
        )


def _event(event: Event, *, recurs: bool) -> Iterator[Finding]:
    if recurs:
        yield Finding(
            "event",
            "event_starts",
            "くり返しのお知らせに、催しの日時は付けられません。",
            "毎回同じ日時になってしまいます。日時を空にするか、くり返しをやめてください。",
        )
    if event.ends is not None and event.ends <= event.starts:
        yield Finding("event", "event_ends", "催しの終わりが、始まりより前です。", "日時を直してください。")
    elif event.ends is not None and event.ends - event.starts > LONGEST_EVENT:
        yield Finding("event", "event_ends", "催しが1年より長くなっています。", "年を確かめてください。")


def _says_nothing(alt: str) -> bool:
    folded = unicodedata.normalize("NFKC", alt).strip().lower()
    return bool(_FILE_NAME.fullmatch(folded) or _NOTHING_SAID.fullmatch(folded)) or len(folded) < 2


def _hidden(where: str, field: str, language: str = "ja") -> Finding:
    return Finding(
        "hidden-character",
        field,
        f"{where}に、画面に見えない文字があります。",
        "消して、打ち直してください。",
        language,
    )

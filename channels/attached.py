"""What a notice carries beside its words, as channels see it, and what every channel says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """`url` is where everybody who has the notice can fetch it; `alts` maps language to what is to be seen."""

    url: str
    width: int
    height: int
    alts: Mapping[str, str] = field(default_factory=dict)

    def alt(self, language: str) -> str:
        """In `language`, else in the nearest language there is."""
        return self.alts.get(language) or self.alts.get(language.partition("-")[0]) or self.alts.get("ja", "")


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """`address` "" when it has none."""

    label: str
    address: str
    latitude: float
    longitude: float

    @property
    def map_url(self) -> str:
        """A map of 国土地理院 with a cross at the place: no account, no tracking."""
        return f"https://maps.gsi.go.jp/#17/{self.latitude:.6f}/{self.longitude:.6f}/&base=std&vs=c1"

    @property
    def name(self) -> str:
        return f"{self.label}({self.address})" if self.address else self.label


@dataclass(frozen=True, slots=True)
class AttachedWords:
    """The fixed words of one language."""

    picture: str
    place: str
    map: str
    call: str
    link: str
    # `end` is the time until which a notice is to be read.
    ended: str
    event: str
    calendar: str


WORDS = {
    "ja": AttachedWords(
        picture="画像",
        place="場所",
        map="地理院地図で開く",
        call="電話をかける",
        link="リンクを開く",
        ended="このお知らせの掲載は {end} に終わりました。今は内容が変わっていることがあります。",
        event="日時",
        calendar="カレンダーに入れる",
    ),
    "ja-easy": AttachedWords(
        picture="絵（え）・写真（しゃしん）",
        place="場所（ばしょ）",
        map="地図（ちず）を 見（み）る",
        call="電話（でんわ）を する",
        link="リンクを 開（ひら）く",
        ended="これは 終（お）わった お知（し）らせです（{end} まで）。今（いま）は ちがうかもしれません。",
        event="いつ",
        calendar="カレンダーに 入（い）れる",
    ),
    "en": AttachedWords(
        picture="Picture",
        place="Place",
        map="Open the map",
        call="Call",
        link="Open",
        ended="This notice ended on {end}. Things may have changed since.",
        event="When",
        calendar="Add to your calendar",
    ),
}


def attached_words(language: str) -> AttachedWords:
    """For a BCP 47 tag: the tag itself, else its first part, else English."""
    return WORDS.get(language) or WORDS.get(language.partition("-")[0]) or WORDS["en"]


def picture_text(picture: ShownPicture, language: str) -> str:
    """For where no picture can be shown: what is to be seen, and where."""
    return f"{attached_words(language).picture}: {picture.alt(language)}\n{picture.url}"


def place_text(place: ShownPlace, language: str) -> str:
    words = attached_words(language)
    return f"{words.place}: {place.name}\n{words.map}:\n{place.map_url}"

"""What every channel shares when it renders: marks, lengths, cutting, and the words around a notice.

The renderer, not the writer, puts on 【訓練】 and 【試験】, so a drill can't be mistaken in any language.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from channels.channel import Announcement, CannotRender

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
ZERO_WIDTH_JOINER = "\u200d"
TITLE_LIMIT = 1_000
# Of the title of another notice: enough to know it again.
REFERENCE_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed words of one language. `separator` stands between marks, and between them and the title."""

    drill: str
    test: str
    urgent: str
    correction: str
    withdrawal: str
    separator: str
    drill_note: str
    test_note: str
    more: str
    category: str
    sender: str
    contact: str
    settings: str
    stop: str
    # The button by which a reader says so.
    read: str
    # `title` is that of the notice that is corrected or withdrawn.
    corrects: str
    withdraws: str
    # What a withdrawal says when nobody writes more.
    withdrawn: str
    # Above a correction that nobody has translated.
    corrected_in_japanese: str


WORDINGS = {
    "ja": Wording(
        drill="【訓練】",
        test="【試験】",
        urgent="【緊急】",
        correction="【訂正】",
        withdrawal="【取消】",
        separator="",
        drill_note="これは訓練です。",
        test_note="これは配信の試験です。",
        more="くわしく見る",
        category="お知らせの種類",
        sender="発信",
        contact="問い合わせ",
        settings="お知らせの設定を変える",
        stop="メールの受け取りをやめる",
        read="読みました",
        corrects="お知らせ「{title}」を訂正します。",
        withdraws="お知らせ「{title}」を取り消します。",
        withdrawn="お知らせした「{title}」は、誤って送ったものです。内容を取り消します。ご迷惑をおかけし、申し訳ありません。",
        corrected_in_japanese="先にお送りしたお知らせを訂正しました。",
    ),
    "ja-easy": Wording(
        drill="【訓練（くんれん）】",
        test="【試験（しけん）】",
        urgent="【緊急（きんきゅう）】",
        correction="【訂正（ていせい）】",
        withdrawal="【取消（とりけし）】",
        separator="",
        drill_note="これは 訓練（くんれん）です。本当（ほんとう）の ことでは ありません。",
        test_note="これは 試験（しけん）です。本当（ほんとう）の お知（し）らせでは ありません。",
        more="くわしく 見（み）る",
        category="お知（し）らせの 種類（しゅるい）",
        sender="お知（し）らせを 出（だ）した ところ",
        contact="質問（しつもん）は こちら",
        settings="お知（し）らせの 設定（せってい）を 変（か）える",
        stop="メールを 受（う）け取（と）るのを やめる",
        read="読（よ）みました",
        corrects="前（まえ）の お知（し）らせ「{title}」を 正（ただ）しく 直（なお）します。",
        withdraws="前（まえ）の お知（し）らせ「{title}」を 取（と）り消（け）します。",
        withdrawn="前（まえ）の お知（し）らせ「{title}」は まちがいでした。取（と）り消（け）します。すみませんでした。",
        corrected_in_japanese="前（まえ）の お知（し）らせに まちがいが ありました。正（ただ）しい お知（し）らせは 下（した）に あります。",
    ),
    "en": Wording(
        drill="[DRILL]",
        test="[TEST]",
        urgent="[URGENT]",
        correction="[CORRECTION]",
        withdrawal="[WITHDRAWN]",
        separator=" ",
        drill_note="This is a drill. It is not real.",
        test_note="This is a test message.",
        more="Read more",
        category="Topic",
        sender="From",
        contact="Contact",
        settings="Change your settings",
        stop="Stop these emails",
        read="I have read this",
        corrects="This corrects our notice “{title}”.",
        withdraws="This withdraws our notice “{title}”.",
        withdrawn="Our notice “{title}” was sent by mistake and is withdrawn. Please disregard it. We apologise for the trouble.",
        corrected_in_japanese="An earlier notice has been corrected. The corrected text below is available in Japanese only.",
    ),
}


def wording(language: str) -> Wording:
    """The fixed words for a BCP 47 tag: the tag itself, else its first part, else English."""
    return WORDINGS.get(language) or WORDINGS.get(language.partition("-")[0]) or WORDINGS["en"]


def marks(announcement: Announcement, language: str) -> str:
    """Mode, urgency and kind as marks, "" for a plain live notice. An unknown mode is an error, never unmarked."""
    return _marks(
        announcement, language, wording(language).urgent if announcement.urgency == "urgent" else ""
    )


def mark_words(announcement: Announcement, language: str) -> str:
    """What stands before a text that may be read without its heading: mode and kind; "" for a plain live notice."""
    found = _marks(announcement, language)
    return found + wording(language).separator if found else ""


def title(announcement: Announcement, language: str) -> str:
    """The writer's title on one line, without marks."""
    return " ".join(clean(announcement.text(language).title).split())


def heading(announcement: Announcement, language: str) -> str:
    """The title as every reader sees it: marks first, on one line."""
    parts = (marks(announcement, language), title(announcement, language))
    return wording(language).separator.join(part for part in parts if part)


def body(announcement: Announcement, language: str) -> str:
    """The writer's text with line breaks as \\n and without characters that no screen shows."""
    return clean(announcement.text(language).body).strip()


def mode_note(announcement: Announcement, language: str) -> str:
    """A full sentence for a drill or test, "" for live."""
    words = wording(language)
    return {"live": "", "drill": words.drill_note, "test": words.test_note}[announcement.mode]


def reference(announcement: Announcement, language: str) -> str:
    """Which notice is corrected or withdrawn, in a sentence; "" for any other."""
    words = wording(language)
    sentence = {"correction": words.corrects, "withdrawal": words.withdraws}.get(announcement.kind, "")
    titles = announcement.corrected_titles
    known = titles.get(language) or titles.get("ja", "")
    return sentence.format(title=cut(" ".join(clean(known).split()), REFERENCE_LIMIT)) if known else ""


def alone(announcement: Announcement, language: str, text: str) -> str:
    """A text that may be read without the heading: before it what kind of notice it belongs to, and the note.

    Every text goes through here that does not begin with the heading, so that none is taken for real.
    """
    parts = (_marks(announcement, language), mode_note(announcement, language))
    before = wording(language).separator.join(filter(None, parts))
    return f"{before}\n\n{text}" if before else text


def category_name(announcement: Announcement, language: str) -> str:
    """The category in `language`, else in the nearest language there is, else its key."""
    names = announcement.category_names
    base = language.partition("-")[0]
    nearest = (language, base, "ja") if base == "ja" else (language, base, "en", "ja")
    return next((names[tag] for tag in nearest if names.get(tag)), announcement.category)


def sender_line(announcement: Announcement, language: str) -> str:
    """Who sends this, and where to ask when a contact is known."""
    words = wording(language)
    line = f"{words.sender}: {announcement.town_names.get(language) or announcement.town}"
    contact = announcement.contacts.get(language) or announcement.contact
    return f"{line}\n{words.contact}: {contact}" if contact else line


def check_title(announcement: Announcement, language: str, limit: int = TITLE_LIMIT) -> None:
    """Raise CannotRender("title") when there is none or it is longer than `limit` UTF-16 units."""
    text = title(announcement, language)
    if not text:
        raise CannotRender("title", f"{_which(language)}件名がありません。件名を入れてください。", language)
    _check_length("title", language, text, limit, "件名")


def check_body(announcement: Announcement, language: str, limit: int, channel: str) -> None:
    """Raise CannotRender("body") when the text is longer than `limit` UTF-16 units."""
    _check_length("body", language, body(announcement, language), limit, channel)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as LINE counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, ending in … when something was cut, never inside a character as people see it."""
    if utf16_length(text) <= limit:
        return text
    return text[: _fitting(text, limit - 1)].rstrip() + "…" if limit > 0 else ""


def split(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` UTF-16 units with no word lost, cut where a line ends if one does."""
    pieces = []
    while utf16_length(text) > limit:
        end = _fitting(text, limit)
        at = text.rfind("\n", end // 2, end)
        end = end if at < 0 else at
        pieces.append(text[:end].rstrip("\n"))
        text = text[end:].lstrip("\n")
    return [*pieces, text]


def clean(text: str) -> str:
    """Line breaks as \\n; control characters and lone surrogates, which no channel can carry, removed."""
    return UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _marks(announcement: Announcement, language: str, urgency: str = "") -> str:
    words = wording(language)
    mode = {"live": "", "drill": words.drill, "test": words.test}[announcement.mode]
    kind = {"original": "", "correction": words.correction, "withdrawal": words.withdrawal}[announcement.kind]
    return words.separator.join(mark for mark in (mode, urgency, kind) if mark)


def _fitting(text: str, limit: int) -> int:
    """How many characters fit into `limit` UTF-16 units, none of them halved as people see it."""
    end = units = 0
    while end < len(text) and units + (size := 1 + (text[end] > "\uffff")) <= limit:
        units += size
        end += 1
    while 0 < end < len(text) and not _may_break(text, end):
        end -= 1
    return end


def _which(language: str) -> str:
    return "" if language == "ja" else f"[{language}] "


def _check_length(field_name: str, language: str, text: str, limit: int, where: str) -> None:
    length = utf16_length(text)
    if length > limit:
        label = _which(language) + {"title": "件名", "body": "本文"}[field_name]
        message = f"{label}が長すぎます（{where}は{limit:,}文字まで、今 {length:,} 文字）。短くしてください。"
        raise CannotRender(field_name, message, language)


def _may_break(text: str, index: int) -> bool:
    """Whether a person sees two characters around `index`. Follows UAX 29 for the scripts that towns write in."""
    before, after = text[index - 1], text[index]
    if _extends(after) or before == ZERO_WIDTH_JOINER:
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        return _flag_halves_before(text, index) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in (ZERO_WIDTH_JOINER, "\uff9e", "\uff9f")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_halves_before(text: str, index: int) -> int:
    start = index
    while start > 0 and _is_flag_half(text[start - 1]):
        start -= 1
    return index - start


def _is_jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff"

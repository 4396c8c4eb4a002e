"""What somebody who types may want, and the words by which it is known. Kana, spelling errors and English included.

Words are compared as `plain` makes them: one width, one kana, no signs. A word under WHOLE must be all that was
typed; one under WITHIN may stand in a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from enum import StrEnum

from content.town import Town


class Wish(StrEnum):
    """What the chat can do for somebody; the value stands in the data of buttons."""

    CATEGORIES = "categories"
    SUMMARY = "summary"
    LANGUAGE = "language"
    MENU = "menu"
    SHELTERS = "shelters"
    DOCTOR = "doctor"
    RECENT = "recent"
    FAQ = "faq"
    SHARE = "share"
    STOP = "stop"
    CONTACT = "contact"
    GREETING = "greeting"


# fmt: off
WHOLE: dict[Wish, tuple[str, ...]] = {
    Wish.CATEGORIES: (
        "設定", "せってい", "登録", "とうろく", "変更", "変更する", "お知らせをえらぶ", "お知らせを選ぶ", "start",
        "settings", "setting", "preferences", "register", "change",
    ),
    Wish.SUMMARY: ("確認", "かくにん", "status"),
    Wish.LANGUAGE: ("ことば", "言葉", "言語", "日本語", "にほんご", "英語", "えいご"),
    Wish.MENU: ("メニュー", "めにゅう", "menu", "使い方", "つかいかた", "ヘルプ", "help", "?", "start menu"),
    Wish.SHELTERS: ("ひなん", "避難", "にげる", "逃げる", "どこに逃げる", "evacuate", "evacuation"),
    Wish.DOCTOR: ("病院", "びょういん", "医者", "doctor", "hospital", "clinic"),
    Wish.RECENT: ("お知らせ", "おしらせ", "ニュース", "notices", "news", "notice"),
    Wish.FAQ: ("質問", "しつもん", "questions"),
    Wish.SHARE: ("qr", "qrコード", "share"),
    Wish.STOP: ("やめる", "止める", "停止", "いらない", "要らない", "ブロック", "解除", "かいじょ", "stop", "quit", "cancel"),
    Wish.CONTACT: ("電話", "でんわ", "連絡先", "contact", "phone", "call"),
    Wish.GREETING: (
        "こんにちは", "こんばんは", "おはよう", "おはようございます", "ありがとう", "ありがとうございます",
        "ありがとうございました", "了解", "わかりました", "はい", "hello", "hi", "thanks", "thank you", "ok",
    ),
}
WITHIN: dict[Wish, tuple[str, ...]] = {
    Wish.SHELTERS: ("避難所", "避難場所", "ひなんじょ", "ひなんばしょ", "にげるところ", "逃げるところ", "逃げる場所", "shelter", "evacuation site", "where to evacuate"),
    Wish.DOCTOR: ("当番医", "とうばんい", "休日の病院", "休みの日の病院", "休日診療", "休日夜間", "on duty", "holiday clinic"),
    Wish.STOP: (
        "やめたい", "辞めたい", "止めたい", "とめたい", "やめて", "停止したい", "登録解除", "配信解除", "退会", "たいかい", "うるさい", "多すぎ", "おおすぎ",
        "減らし", "へらし", "配信停止", "unsubscribe", "too many", "stop messages",
    ),
    Wish.SHARE: ("友だちに教え", "友達に教え", "ともだちにおしえ", "家族に教え", "招待したい", "tell a friend", "tell my friend", "share with"),
    Wish.RECENT: ("最近のお知らせ", "さいきんのおしらせ", "お知らせを見", "おしらせをみ", "新しいお知らせ", "前のお知らせ", "recent notice", "latest notice", "latest news"),
    Wish.FAQ: ("よくある質問", "よくあるしつもん", "faq"),
    Wish.MENU: ("何ができ", "なにができ", "なにができ", "できること", "what can you do", "what can i do", "how to use"),
    Wish.SUMMARY: ("登録内容", "とうろくないよう", "選んだもの", "my choices", "your choices"),
    Wish.CATEGORIES: ("受信設定", "じゅしんせってい", "お知らせの設定", "おしらせのせってい", "設定を変え", "設定したい", "地区を変え", "change my settings"),
    Wish.LANGUAGE: ("language", "english", "やさしい日本語", "やさしいにほんご"),
    Wish.CONTACT: ("問い合わせ", "といあわせ", "電話番号", "でんわばんごう", "役場に電話", "phone number", "contact the office"),
}
# Where a town has a topic of this key: how people name it.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "saigai": ("災害", "さいがい", "防災", "ぼうさい", "ハザードマップ", "disaster", "hazard map"),
    "bohan": ("防犯", "ぼうはん", "交通安全", "こうつうあんぜん", "不審者", "詐欺", "さぎ", "crime", "scam"),
    "kosodate": ("子育て", "こそだて", "保育", "ほいく", "幼稚園", "赤ちゃん", "あかちゃん", "予防接種", "健診", "けんしん", "child care", "childcare", "nursery", "baby"),
    "event": ("イベント", "まつり", "祭り", "催し", "event", "festival"),
    "gomi": ("ごみ", "粗大", "そだい", "収集日", "燃える", "もえる", "資源", "リサイクル", "garbage", "trash", "rubbish", "waste", "recycl"),
    "kenko": ("健康", "けんこう", "福祉", "ふくし", "介護", "かいご", "ワクチン", "health", "welfare", "vaccin"),
    "kurashi": ("手続き", "てつづき", "住民票", "引っ越し", "ひっこし", "税金", "ぜいきん", "マイナンバー", "tax", "moving in"),
}
EMERGENCY_WITHIN = (
    "助けて", "助けを", "助かり", "たすけ", "火事", "火災", "救急", "きゅうきゅう", "事故", "倒れ", "たおれ", "意識", "息をして", "息が", "溺れ", "おぼれ",
    "流され", "生き埋め", "閉じ込め", "とじこめ", "大けが", "大怪我", "血が", "爆発", "ばくはつ", "燃えて", "火が出", "ガス漏れ", "ガスのにおい", "通報",
    "つうほう", "泥棒", "どろぼう", "強盗", "ごうとう", "ひったくり", "痴漢", "襲われ", "刺され", "殺され", "死にそう", "しにそう", "死にたい", "しにたい",
)
EMERGENCY_ENGLISH = re.compile(
    r"^\W*help\b|\b(119|110|sos|help me|please help|need help|save me|fire|ambulance|accident|emergency|police|injured|bleeding|drown(ing|ed)"
    r"|unconscious|can'?t breathe|cannot breathe|heart attack|dying|robbe(r|d|ry)|attacked|trapped|stroke)\b"
)
EMERGENCY_WHOLE = ("かじ", "じこ", "けが", "きけん", "危険", "help")
# fmt: on
SENTENCE_ENDS = (
    "です",
    "だ",
    "ます",
    "が",
    "を",
    "は",
    "か",
    "の",
    "について",
    "がしりたい",
    "をしりたい",
    "はどこ",
    "はいつ",
    "をおしえて",
    "おしえて",
)
SMALL_KANA = str.maketrans("ぁぃぅぇぉっゃゅょゎ", "あいうえおつやゆよわ")
# How much of a word must be right, and from how many letters on a spelling error is forgiven.
ALIKE = 0.75
SHORTEST_MISSPELT = 4
LONGEST_READ = 1_000


def plain(text: str) -> str:
    """One width, one kana, small letters, without signs and blanks."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST_READ]).casefold()
    kana = "".join(chr(ord(sign) - 0x60) if "ァ" <= sign <= "ヶ" else sign for sign in folded)
    return "".join(sign for sign in kana.translate(SMALL_KANA) if sign.isalnum() and sign != "ー")


def sounds_like_emergency(text: str) -> bool:
    """Rather once too often than once too seldom: what follows is only an advice that stands first."""
    typed = plain(text)
    english = unicodedata.normalize("NFKC", text[:LONGEST_READ]).casefold().replace("’", "'")
    if any(word in typed for word in _EMERGENCY_WITHIN) or EMERGENCY_ENGLISH.search(english):
        return True
    return _without_end(typed) in _EMERGENCY_WHOLE or typed in _EMERGENCY_WHOLE


def wish_for(text: str) -> Wish | None:
    """What a text asks for when that is all it says, spelling errors forgiven."""
    typed = plain(text)
    candidates = {typed, _without_end(typed)} - {""}
    for wish, words in _ALL.items():
        if candidates & words:
            return wish
    return None


def wish_within(text: str) -> Wish | None:
    """What a sentence asks for by one of its words."""
    typed = plain(text)
    return next((wish for wish, words in _WITHIN.items() if any(word in typed for word in words)), None)


def misspelt_wish(text: str) -> Wish | None:
    """What a text probably asks for although it is written wrongly."""
    typed = plain(text)
    if len(typed) < SHORTEST_MISSPELT:
        return None
    alike = [
        (SequenceMatcher(None, typed, word).ratio(), wish)
        for wish, words in _ALL.items()
        for word in words
        if abs(len(word) - len(typed)) <= 2 and len(word) >= SHORTEST_MISSPELT
    ]
    best = max(alike, default=(0.0, Wish.MENU))
    return best[1] if best[0] >= ALIKE else None


def topic_for(text: str, town: Town) -> str | None:
    """The key of the category that a text speaks of, None when it is none of the town's."""
    typed = plain(text)
    for category in town.categories:
        if category.closed:
            continue
        names = {plain(part) for name in category.names.values() for part in _parts(name)}
        known = names | {plain(word) for word in TOPICS.get(category.key, ())}
        if any(len(word) >= 2 and word in typed for word in known):
            return category.key
    return None


def _parts(name: str) -> Iterable[str]:
    # What stands in brackets is a reading.
    bare = unicodedata.normalize("NFKC", name).partition("(")[0]
    for sign in "・&、/,":
        bare = bare.replace(sign, "\n")
    return (part for part in bare.split("\n") if part.strip())


def _without_end(typed: str) -> str:
    for end in sorted(SENTENCE_ENDS, key=len, reverse=True):
        if typed.endswith(plain(end)) and len(typed) > len(plain(end)):
            return typed.removesuffix(plain(end))
    return typed


_WITHIN = {wish: frozenset(map(plain, words)) for wish, words in WITHIN.items()}
_ALL = {
    wish: (frozenset(map(plain, WHOLE.get(wish, ()))) | _WITHIN.get(wish, frozenset())) - {""}
    for wish in Wish
}
_EMERGENCY_WITHIN = tuple(map(plain, EMERGENCY_WITHIN))
_EMERGENCY_WHOLE = frozenset(map(plain, EMERGENCY_WHOLE))

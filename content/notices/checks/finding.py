"""What a check hands back, and the words of a notice as the checks read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from content.check_rules import Level
from content.notices.notices import NoticeSpec

LABELS = {"title": "件名", "body": "本文"}
JAPANESE = ("ja", "ja-easy")
LANGUAGES = {
    "ja": "日本語",
    "ja-easy": "やさしい日本語",
    "en": "英語",
    "zh": "中国語",
    "ko": "韓国語",
    "vi": "ベトナム語",
    "ne": "ネパール語",
    "pt": "ポルトガル語",
    "id": "インドネシア語",
    "tl": "フィリピン語",
    "th": "タイ語",
    "my": "ミャンマー語",
    "es": "スペイン語",
}
# One character for one, so that places stay the same.
_PLAIN = str.maketrans("０１２３４５６７８９（）：／．－−‐‑–—―〜", "0123456789():/.-------～")


@dataclass(frozen=True, slots=True)
class Finding:
    """指摘. `field` is the field of the form to change; `message` says what was found, `remedy` what to do.

    `urgent_level`: another level when the notice is urgent, None for the same.
    """

    code: str
    field: str
    message: str
    remedy: str
    language: str = "ja"
    level: Level = Level.NOTE
    urgent_level: Level | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A title or a body in one language. `plain` has figures and signs in half width, place for place."""

    field: str
    language: str
    text: str
    plain: str

    @property
    def where(self) -> str:
        """As a person would name it: 本文, or 本文(英語) for the others."""
        label = LABELS[self.field]
        return label if self.language == "ja" else f"{label}({language_name(self.language)})"

    @property
    def is_japanese(self) -> bool:
        return self.language in JAPANESE

    def lines(self) -> Iterator[str]:
        yield from self.plain.splitlines()


def language_name(tag: str) -> str:
    """As staff call it; a tag that is not known stays as it is."""
    return LANGUAGES.get(tag) or LANGUAGES.get(tag.partition("-")[0]) or tag


def passages(spec: NoticeSpec) -> list[Passage]:
    """Every title and body, Japanese first."""
    return [
        Passage(field, language, text, text.translate(_PLAIN))
        for language in sorted(spec.texts, key=lambda tag: tag != "ja")
        for field, text in zip(("title", "body"), spec.texts[language], strict=True)
    ]


def quoted(found: list[str], most: int = 3) -> str:
    """「a」「b」, the first few, each once."""
    different = list(dict.fromkeys(found))
    return "".join(f"「{item}」" for item in different[:most]) + (" など" if len(different) > most else "")

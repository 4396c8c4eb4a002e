"""Whether there are words at all, and whether they look like a sentence that somebody wrote on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.notices.characters import find_invisible, has_visible, is_visible
from content.notices.checks.finding import Finding, Passage, passages
from content.notices.notices import NoticeSpec

# Fewer visible characters than this cannot say who should do what.
SENTENCE = 5
# Rows of the keyboard, and kana in the order of the table, that a hand runs along.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "あいうえお", "かきくけこ")
_ONE_CHARACTER = re.compile(r"(.)\1{4,}")
_WORD = re.compile(r"[^\W\d_]")


def check_presence(spec: NoticeSpec) -> Iterator[Finding]:
    """What no notice may lack, and what no reader could see."""
    for passage in passages(spec):
        yield from _presence(passage)
    if "ja" not in spec.texts:
        yield Finding("no-text", "title", "日本語の件名と本文を書いてください。", "")


def check_substance(spec: NoticeSpec) -> Iterator[Finding]:
    """Whether the body says something."""
    for passage in passages(spec):
        if passage.field != "body":
            continue
        seen = "".join(filter(is_visible, passage.text))
        if _is_garbage(seen):
            yield Finding(
                "garbage",
                "body",
                f"{passage.where}が言葉になっていないようです:「{seen[:12]}」",
                "試しに打った文なら、書き直してください。",
                passage.language,
            )
        elif len(seen) < SENTENCE:
            yield Finding(
                "too-short",
                "body",
                f"{passage.where}が短すぎて、何のお知らせか伝わらないかもしれません:「{seen}」",
                "だれが、いつ、何をするのかを1文で書いてください。",
                passage.language,
            )


def _presence(passage: Passage) -> Iterator[Finding]:
    def found(code: str, message: str) -> Finding:
        return Finding(code, passage.field, message, "", passage.language)

    if not passage.text.strip():
        yield found("no-text", f"{passage.where}を書いてください。")
    elif (place := find_invisible(passage.text)) is not None:
        yield found("hidden-character", _hidden(passage.where, passage.text, place))
    elif not has_visible(passage.text):
        yield found("no-text", f"{passage.where}に見える文字がありません。書き直してください。")


def _hidden(where: str, text: str, place: int) -> str:
    """Names the line, the character by its number, and what stands before it."""
    line = text.count("\n", 0, place) + 1
    shown = "".join(filter(is_visible, text[:place]))[-8:]
    after = f"「{shown}」の後" if shown else "先頭"
    return (
        f"{where}の{line}行目({after})に、画面に見えない文字(U+{ord(text[place]):04X})があります。"
        "読み手をまどわすため使えません。その前後を消して、打ち直してください。"
    )


def _is_garbage(seen: str) -> bool:
    lowered = seen.lower()
    if not _WORD.search(seen):
        return True
    if len(set(lowered)) <= 2 and len(lowered) >= 3:
        return True
    run = _ONE_CHARACTER.search(lowered)
    if run and _WORD.match(run.group(1)) and len(run.group()) * 2 > len(lowered):
        return True
    return any(lowered in row * 2 and len(lowered) >= 4 for row in _ROWS) or _is_mash(lowered)


def _is_mash(lowered: str) -> bool:
    """One word of Latin letters without a vowel's worth of sense: asdfjkl, sdfghj, qwertyasdf."""
    return (
        lowered.isascii()
        and lowered.isalpha()
        and len(lowered) >= 5
        and sum(lowered[place : place + 3] in row for row in _ROWS for place in range(len(lowered) - 2)) * 2
        >= len(lowered) - 2
    )

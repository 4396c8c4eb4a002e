"""Terms of disaster notices: abolished ones, a level that does not fit its term, and pairs that are mixed up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.check_rules import CONFUSABLES, CheckRules, Confusable
from content.notices.checks.finding import Finding, passages, quoted
from content.notices.notices import NoticeSpec

# Since 20 May 2021 (災害対策基本法等の一部を改正する法律, 令和3年法律第30号).
ABOLISHED = {
    "避難勧告": "避難指示(警戒レベル4)",
    "避難準備情報": "高齢者等避難(警戒レベル3)",
    "避難準備・高齢者等避難": "高齢者等避難(警戒レベル3)",
    "避難指示(緊急)": "避難指示(警戒レベル4)",
    "避難指示（緊急）": "避難指示(警戒レベル4)",
    "災害発生情報": "緊急安全確保(警戒レベル5)",
}
# A sentence that tells of the abolition may name the term.
_TOLD = re.compile(r"廃止|一本化|統合|なくなり|変わり|改め|旧|から.{0,4}に変更")
LEVEL_OF = {"高齢者等避難": 3, "避難指示": 4, "緊急安全確保": 5}
_LEVEL = re.compile(r"(?:警戒)?レベル[ 　]?([1-5])|[Ll]evel ?([1-5])")
_TERM = re.compile("|".join(LEVEL_OF))
# How far a term may stand behind its level, in characters: 【警戒レベル4】柴田町 避難指示.
_REACH = 14


def check_abolished(spec: NoticeSpec, rules: CheckRules) -> Iterator[Finding]:
    """Terms that are not used any more."""
    known = ABOLISHED | rules.abolished
    for passage in passages(spec):
        found = [
            term
            for sentence in re.split(r"[。\n]", passage.text)
            if not _TOLD.search(sentence)
            for term in known
            if term in sentence
        ]
        for term in dict.fromkeys(found):
            yield Finding(
                "abolished-term",
                passage.field,
                f"{passage.where}の「{term}」は、今は使われない用語です。",
                f"今の言い方は「{known[term]}」です。書き直してください。",
                passage.language,
            )


def check_levels(spec: NoticeSpec) -> Iterator[Finding]:
    """A level beside a term of another level, and levels that differ between the texts."""
    for passage in passages(spec):
        wrong = [pair for pair in _pairs(passage.plain) if LEVEL_OF[pair[1]] != pair[0]]
        for level, term in dict.fromkeys(wrong):
            yield Finding(
                "level-term",
                passage.field,
                f"{passage.where}の「警戒レベル{level}」と「{term}」が合いません。",
                f"「{term}」は警戒レベル{LEVEL_OF[term]}です。どちらが正しいか確かめてください。",
                passage.language,
            )
    yield from _differing(spec)


def check_confusables(spec: NoticeSpec, rules: CheckRules) -> Iterator[Finding]:
    """推進 where 防止 is meant, 非難所 where 避難所 is."""
    for passage in passages(spec):
        for pair in (*CONFUSABLES, *rules.confusables):
            found = _mixed_up(pair, passage.text)
            if found:
                yield Finding(
                    "confusable",
                    passage.field,
                    f"{passage.where}の{quoted(found)}は、言葉の取り違えかもしれません。",
                    f"「{pair.right}」ではありませんか。",
                    passage.language,
                )


def _pairs(plain: str) -> Iterator[tuple[int, str]]:
    """(level, term) that stand together: the term right behind its level, or the level in brackets behind a term."""
    levels = list(_LEVEL.finditer(plain))
    for index, level in enumerate(levels):
        number = int(level.group(1) or level.group(2))
        before = re.search(rf"({_TERM.pattern})[ 　]?[(【「［\[]$", plain[: level.start()])
        if before:
            yield number, before.group(1)
            continue
        until = levels[index + 1].start() if index + 1 < len(levels) else len(plain)
        near = plain[level.end() : min(until, level.end() + _REACH)]
        term = _TERM.search(re.split(r"[。\n]", near)[0])
        if term:
            yield number, term.group()


def _differing(spec: NoticeSpec) -> Iterator[Finding]:
    """The titles name one level each, and not the same."""
    named: dict[str, str] = {}
    for passage in passages(spec):
        levels = {found.group(1) or found.group(2) for found in _LEVEL.finditer(passage.plain)}
        if passage.field == "title" and len(levels) == 1:
            named[passage.language] = levels.pop()
    if len(set(named.values())) > 1:
        shown = "、".join(f"{language}はレベル{level}" for language, level in named.items())
        yield Finding(
            "level-differs",
            "title",
            f"言語によって、件名の警戒レベルが違います({shown})。",
            "どれが正しいか確かめて、そろえてください。",
        )


def _mixed_up(pair: Confusable, text: str) -> list[str]:
    wrong = re.escape(pair.wrong)
    if not pair.after:
        return re.findall(wrong, text)
    before = "|".join(map(re.escape, pair.after))
    pattern = rf"(?:{before})(?:の|を|等の|等を|などの|などを)?{wrong}"
    return re.findall(pattern, text)

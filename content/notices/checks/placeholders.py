"""Gaps of a template that nobody filled in: ○○地区, ×月×日, TBD, 未定."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.notices.checks.finding import Finding, passages, quoted
from content.notices.notices import NoticeSpec

_NUMERAL = "一二三四五六七八九十百千〇"
_GAPS = re.compile(
    # Twice or more: no bullet and no mark of a table is written so.
    r"[○〇◯]{2,}|[×✕✖]{2,}|[xX]{3,}|[●△▲□■◇]{2,}(?=[^\s●△▲□■◇])|[＊*]{2,}(?=[月日時区川])"
    # Once before what it counts or names; 二〇二六年 is a year.
    rf"|(?<![{_NUMERAL}])[○〇◯×△](?=[月日時分年名回人歳円町区川駅]|地区|小学校|中学校)"
    r"|\{\{.*?\}\}|<<.*?>>|\[(?:日時|場所|地区|氏名|名前)\]"
    r"|\bTBD\b|\bTBC\b|\bTODO\b|(?:ここに|ココに).{0,8}(?:入力|記入|書)"
)
# 未定 in a sentence says something; as what stands behind a label it is a gap.
_UNDECIDED = re.compile(r"(?m)(?:[:：]|日時|時間|場所|会場)[ 　]*[（(]?未定[)）]?[ 　]*$|[（(【]未定[)）】]")


def find_gaps(text: str) -> list[str]:
    """What still has to be filled in, in order."""
    return [found.group().strip() for found in _GAPS.finditer(text)] + [
        "未定" for _ in _UNDECIDED.finditer(text)
    ]


def check_placeholders(spec: NoticeSpec) -> Iterator[Finding]:
    """One finding for each title or body in which gaps are left."""
    for passage in passages(spec):
        gaps = find_gaps(passage.text)
        if gaps:
            yield Finding(
                "placeholder",
                passage.field,
                f"{passage.where}に書きかけの所が残っています:{quoted(_in_place(passage.text, gaps))}",
                "本当の地名や日時に書きかえてください。",
                passage.language,
            )


def _in_place(text: str, gaps: list[str]) -> list[str]:
    """Each gap with what follows it, so that a person finds it."""
    shown, start = [], 0
    for gap in gaps:
        place = text.find(gap, start)
        if place < 0:
            place = text.find(gap)
        shown.append(text[place : place + len(gap) + 4].splitlines()[0].strip())
        start = place + len(gap)
    return shown

"""Whether the words fit the target: another template's title, districts that the target leaves out, everyone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from content.notices.checks.finding import Finding, quoted
from content.notices.chosen import read_rules
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeKind, TargetKind
from content.town import Template, Town


def check_aim(spec: NoticeSpec, town: Town) -> Iterator[Finding]:
    """What the words say against what was chosen beside them."""
    yield from _template(spec, town)
    yield from _areas(spec, town)
    # A correction goes to those who got the original, whoever that was.
    if spec.target.kind == TargetKind.EVERYONE and spec.kind == NoticeKind.ORIGINAL:
        yield Finding(
            "everyone",
            "target",
            "登録者全員に送ります。分野を選んでいない登録者にも届きます。",
            "命にかかわるとき以外は、分野や配信対象を選んでください。",
        )


def _template(spec: NoticeSpec, town: Town) -> Iterator[Finding]:
    """The title begins like the one of a template that was made for something else."""
    title = _fold(spec.texts.get("ja", ("", ""))[0])
    like = [item for item in town.templates if _made_from(title, item)]
    if like and not any(item.category == spec.category and item.urgency == spec.urgency for item in like):
        item = like[0]
        category = town.category[item.category].name() if item.category in town.category else item.category
        urgency = {"urgent": "緊急", "routine": "通常"}[item.urgency]
        yield Finding(
            "template-differs",
            "category",
            f"件名はひな形「{item.name}」のものですが、分野か緊急度がひな形(「{category}」・{urgency})と違います。",
            "ひな形を取り違えていないか確かめてください。",
        )


def _made_from(title: str, template: Template) -> bool:
    """The fixed beginning of the template's title stands in front; a short one could be anybody's."""
    fixed = re.split(r"○|\{\{", _fold(template.texts["ja"].title))[0]
    return len(fixed) >= 5 and title.startswith(fixed)


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _areas(spec: NoticeSpec, town: Town) -> Iterator[Finding]:
    """「○○地区」 is named, and of all that are named the segment has none."""
    if spec.target.kind != TargetKind.SEGMENT:
        return
    own = read_rules(spec.target.key)
    segment = town.segment.get(spec.target.key)
    rules = own if own is not None else segment.rules if segment else ()
    chosen = [key for rule in rules if rule.field == "area" for key in rule.any_of]
    if not chosen:
        return
    words = "\n".join(spec.texts.get("ja", ()))
    # The longer name first: 東船岡地区 names no 船岡地区.
    named = []
    for area in sorted(town.areas, key=lambda item: -len(item.name())):
        if f"{area.name()}地区" in words:
            named.append(area)
            words = words.replace(f"{area.name()}地区", "")
    if named and not {area.key for area in named} & set(chosen):
        inside = "、".join(town.area[key].name() for key in chosen if key in town.area)
        yield Finding(
            "area-differs",
            "target",
            f"本文にある{quoted([f'{area.name()}地区' for area in named])}は、宛先に入っていません(宛先は {inside})。",
            "宛先か、本文の地区名を直してください。",
        )

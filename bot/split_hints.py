"""What somebody is asked whose choice the town split: she has every part of it until she drops those that she does not want."""

from __future__ import annotations

from datetime import date, timedelta

from bot.line.words import words
from content.register.subscribers import Preferences
from content.town import Town

# Who has kept every part for so long wants them all.
ASKED_FOR = timedelta(days=365)
# By language: {name} was split into {parts}.
WORDS = {
    "ja": "「{name}」は、{parts}に分かれました。今は、分かれたものがすべて届きます。いらないものがあれば、選択を外してください。",
    "ja-easy": "「{name}」は {parts}に 分（わ）かれました。今（いま）は ぜんぶ 来（き）ます。いらない ものが あれば、えらぶのを やめてください。",
    "en": 'The town split "{name}" into {parts}. You now get all of them. If there is one that you do not need, deselect it.',
}


def split_hints(town: Town, kind: str, chosen: Preferences, today: date) -> list[str]:
    """In her language, for each split of "category" or "area" of which she still has every part."""
    language = chosen.language if chosen.language in WORDS else "ja"
    mine = chosen.categories if kind == "category" else chosen.areas
    found = []
    for key, item in town.choosable(kind).items():
        if not item.split_into or not item.is_over(today) or item.changed_on is None:
            continue
        parts = town.heirs(kind, key, today)
        if today - item.changed_on <= ASKED_FOR and mine.issuperset(parts):
            names = words(language).join.join(town.choosable(kind)[part].name(language) for part in parts)
            found.append(WORDS[language].format(name=item.name(language), parts=names))
    return found

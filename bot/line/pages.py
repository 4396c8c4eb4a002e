"""The pages of the settings as messages: categories, areas, birth months, summary, language, help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from bot.language_names import language_name
from bot.line import bubbles, choices
from bot.line.answer_words import answer_words
from bot.line.bubbles import FlexElement, Message
from bot.line.leaving_words import leaving_words
from bot.line.postbacks import data
from bot.line.wishes import Wish
from bot.line.words import (
    LANGUAGE_HINT,
    LANGUAGE_TITLE,
    Words,
    month_words,
    words,
)
from bot.split_hints import split_hints
from content.clock import today_jst
from content.register.states import Pace
from content.register.subscribers import Preferences
from content.town import Category, Named, Town

# With more rows the button below them is off the screen of a phone.
ROWS_PER_PAGE = 6
NAME_LIMIT = 28
Row = TypeVar("Row", bound=Named)


def page(step: str, town: Town, preferences: Preferences, today: date, number: int = 0) -> Message:
    """The page of a step; an unknown step is the first one."""
    match step:
        case "areas" if town.open_areas:
            return areas(town, preferences, number)
        case "birth" if choices.asks_birth_month(town, preferences):
            return birth(town, preferences, today)
        case "summary":
            return summary(town, preferences)
        case "language":
            return language(town, preferences)
    return categories(town, preferences, number)


def categories(town: Town, preferences: Preferences, number: int = 0) -> Message:
    speech, language = words(preferences.language), preferences.language
    shown, number, more = _rows_of_page(choices.chosen_freely(town), number)
    rows = [_category_row(item, preferences, speech) for item in shown]
    always = speech.join.join(_label(town.category[key], language) for key in town.always_categories)
    notes = [speech.always_note.format(always=always)] if always else []
    return _list_page(
        "categories",
        speech.categories,
        [speech.categories_hint, *notes, *split_hints(town, "category", preferences, today_jst())],
        rows,
        more,
        number,
        town,
        preferences,
    )


def areas(town: Town, preferences: Preferences, number: int = 0) -> Message:
    speech = words(preferences.language)
    shown, number, more = _rows_of_page(choices.offered_areas(town), number)
    rows = [
        _switch("area", item, item.name(preferences.language), item.key in preferences.areas, speech)
        for item in shown
    ]
    hints = [speech.areas_hint, *split_hints(town, "area", preferences, today_jst())]
    return _list_page("areas", speech.areas, hints, rows, more, number, town, preferences)


def birth(town: Town, preferences: Preferences, today: date) -> Message:
    """Optional: the birth months of the children."""
    speech = words(preferences.language)
    first, last = choices.birth_range(today)
    picker = bubbles.date_picker(
        speech.birth_pick,
        data("birth", "add"),
        first=first.isoformat(),
        start=choices.birth_start(today).isoformat(),
        last=last.isoformat(),
    )
    clear = bubbles.button(speech.birth_clear, bubbles.postback(speech.birth_clear, data("birth", "clear")))
    months = _months(preferences)
    return bubbles.bubble(
        speech.birth,
        [bubbles.paragraph(speech.birth_hint), bubbles.field(speech.birth, months or speech.none)],
        [
            bubbles.button(speech.birth_pick, picker),
            *([clear] if months else []),
            _next_button("birth", town, preferences),
        ],
    )


def summary(town: Town, preferences: Preferences) -> Message:
    """What is registered, and how to change it."""
    speech, language = words(preferences.language), preferences.language
    chosen = [
        _label(item, language) + (f" ({speech.always})" if item.always else "")
        for item in choices.offered_categories(town)
        if item.always or item.key in preferences.categories
    ]
    places = [item.name(language) for item in town.areas if item.key in preferences.areas]
    months = _months(preferences)
    stop, less = answer_words(language).stop, leaving_words(language)
    return bubbles.bubble(
        speech.summary,
        [
            bubbles.field(speech.categories, "\n".join(chosen) or speech.none),
            *([bubbles.field(speech.areas, "\n".join(places) or speech.no_area)] if town.areas else []),
            *([bubbles.field(speech.birth, months)] if months else []),
            bubbles.field(speech.language, language_name(language)),
            *([bubbles.field(less.pace, less.morning)] if preferences.pace == Pace.MORNING else []),
        ],
        bubbles.grid(
            [
                page_button(speech.change, "categories", strong=True),
                bubbles.button(stop, bubbles.postback(stop, data("ask", Wish.STOP))),
            ]
        ),
        alt=f"{speech.summary}{speech.colon}{speech.join.join([*chosen, *places])}",
    )


def language(town: Town, preferences: Preferences) -> Message:
    """Readable in whatever language; each is named in its own words."""
    rows = [
        bubbles.switch(
            language_name(item),
            words(item).chosen if item == preferences.language else words(item).not_chosen,
            bubbles.postback(language_name(item), data("language", item)),
            on=item == preferences.language,
        )
        for item in town.languages
    ]
    return bubbles.bubble(LANGUAGE_TITLE, [bubbles.paragraph(LANGUAGE_HINT), *rows], [])


def changed(town: Town, preferences: Preferences, verb: str, key: str) -> list[Message]:
    """One line for one tap, with the ways on below it: the whole card again would push everything away."""
    speech, answers, language = (
        words(preferences.language),
        answer_words(preferences.language),
        preferences.language,
    )
    items: Sequence[Named] = town.areas if verb == "area" else choices.offered_categories(town)
    item = next(found for found in items if found.key == key)
    is_on = key in (preferences.areas if verb == "area" else preferences.categories)
    line = (answers.picked if is_on else answers.dropped).format(name=item.name(language))
    step = "areas" if verb == "area" else "categories"
    back = data(verb, "off" if is_on else "on", key)
    listed = choices.offered_areas(town) if verb == "area" else choices.chosen_freely(town)
    return bubbles.with_quick_replies(
        [bubbles.text_message(line)],
        [
            _next_action(step, town, preferences),
            bubbles.postback(answers.take_back, back),
            bubbles.postback(answers.see_list, data("show", step, page_number(listed, key))),
            bubbles.postback(speech.summary, data("show", "summary")),
        ],
    )


def ask_birth(preferences: Preferences, year_month: str) -> Message:
    """Whether a child of this month is meant."""
    speech = words(preferences.language)
    yes = bubbles.postback(speech.birth_yes, data("birth", "yes", year_month))
    no = bubbles.postback(speech.birth_no, data("show", "birth"))
    return bubbles.bubble(
        speech.birth,
        [bubbles.paragraph(speech.birth_ask.format(month=month_words(preferences.language, year_month)))],
        bubbles.grid(
            [bubbles.button(speech.birth_yes, yes, strong=True), bubbles.button(speech.birth_no, no)]
        ),
    )


def page_number(items: Sequence[Named], key: str) -> int:
    """The page of a list on which a key stands."""
    return next((index // ROWS_PER_PAGE for index, item in enumerate(items) if item.key == key), 0)


def _list_page(
    step: str,
    title: str,
    hints: list[str],
    rows: list[FlexElement],
    more: bool,
    number: int,
    town: Town,
    preferences: Preferences,
) -> Message:
    speech = words(preferences.language)
    turning = []
    if number:
        turning.append(page_button(speech.earlier, step, number - 1))
    if more:
        turning.append(page_button(speech.later, step, number + 1))
    card = bubbles.bubble(
        f"{speech.settings}{speech.colon}{title}",
        [*map(bubbles.note, hints), *rows],
        [*bubbles.grid(turning), _next_button(step, town, preferences)],
    )
    return bubbles.with_quick_replies([card], [_next_action(step, town, preferences)])[0]


def _category_row(item: Category, preferences: Preferences, speech: Words) -> FlexElement:
    name = _label(item, preferences.language)
    return _switch("category", item, name, item.key in preferences.categories, speech)


def _switch(verb: str, item: Named, shown: str, on: bool, speech: Words) -> FlexElement:
    wish = speech.drop if on else speech.choose
    return bubbles.switch(
        shown,
        speech.chosen if on else "",
        bubbles.postback(wish.format(name=_short(shown)), data(verb, "off" if on else "on", item.key)),
        on=on,
    )


def _rows_of_page(items: Sequence[Row], number: int) -> tuple[Sequence[Row], int, bool]:
    """The rows of a page, its number within bounds, and whether more follow."""
    last = max(0, (len(items) - 1) // ROWS_PER_PAGE)
    number = min(max(0, number), last)
    return items[number * ROWS_PER_PAGE : (number + 1) * ROWS_PER_PAGE], number, number < last


def _next_button(step: str, town: Town, preferences: Preferences) -> FlexElement:
    action = _next_action(step, town, preferences)
    return bubbles.button(str(action["label"]), action, strong=True)


def _next_action(step: str, town: Town, preferences: Preferences) -> FlexElement:
    speech = words(preferences.language)
    following = choices.step_after(step, town, preferences)
    names = {"areas": speech.areas, "birth": speech.birth, "summary": speech.summary_next}
    return bubbles.postback(speech.next.format(name=names[following]), data("show", following))


def page_button(label: str, step: str, number: int = 0, *, strong: bool = False) -> FlexElement:
    target = data("show", step, number) if number else data("show", step)
    return bubbles.button(label, bubbles.postback(label, target), strong=strong)


def language_button() -> FlexElement:
    return bubbles.button(LANGUAGE_TITLE, bubbles.postback(LANGUAGE_TITLE, data("show", "language")))


def _months(preferences: Preferences) -> str:
    shown = [month_words(preferences.language, item) for item in sorted(preferences.birth_months)]
    return words(preferences.language).join.join(shown)


def _label(item: Category, language: str) -> str:
    return f"{item.icon} {item.name(language)}".strip()


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1] + "…"

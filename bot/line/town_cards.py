"""What the town knows, as cards: evacuation sites, doctors on duty, the latest notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.line import bubbles
from bot.line.answer_words import AnswerWords, answer_words
from bot.line.bubbles import FlexElement, Message
from bot.line.knowledge import TownKnowledge, days_on_duty
from bot.line.moments import day_words, moment_words
from bot.line.postbacks import data
from bot.line.wishes import Wish
from bot.line.words import office_name
from content.clock import today_jst
from content.notices.calendars import WordCalendar
from content.notices.notices import Notice
from content.notices.shelters import Nearby, nearest, of_area
from content.town import Town

SITES = 5
NOTICES = 10
PER_PAGE = 5
AREAS = 11
# Fewer digits are no number that can be dialled.
SHORTEST_PHONE = 3


def ask_where(town: Town, language: str, said: str = "") -> list[Message]:
    """The way to the nearest sites; `said` stands above when something has to be explained first."""
    speech = answer_words(language)
    areas = [
        bubbles.postback(item.name(language), data("ask", Wish.SHELTERS, item.key))
        for item in town.areas[:AREAS]
    ]
    text = bubbles.text_message("\n\n".join(filter(None, (said, speech.where))))
    return bubbles.with_quick_replies([text], [bubbles.place(speech.send_place), *areas])


def sites_near(
    town: Town, language: str, knowledge: TownKnowledge, latitude: float, longitude: float
) -> list[Message]:
    speech = answer_words(language)
    if not knowledge.shelters:
        return [_no_shelters(town, language)]
    found = nearest(knowledge.shelters, latitude, longitude, SITES)
    if not found:
        return ask_where(town, language, speech.elsewhere.format(town=town.name_in(language)))
    return _sites(town, language, knowledge, found)


def sites_of_area(town: Town, language: str, knowledge: TownKnowledge, area: str) -> list[Message]:
    speech = answer_words(language)
    if not knowledge.shelters:
        return [_no_shelters(town, language)]
    found = of_area(knowledge.shelters, area)[: bubbles.MOST_BUBBLES]
    if not found:
        name = town.area[area].name(language) if area in town.area else area
        return ask_where(town, language, speech.none_in_area.format(area=name))
    return _sites(town, language, knowledge, found)


def where_to(town: Town, language: str, knowledge: TownKnowledge) -> list[Message]:
    """The question where somebody is, unless there is nothing to find."""
    if not knowledge.shelters:
        return [_no_shelters(town, language)]
    return ask_where(town, language)


def doctors(town: Town, language: str, knowledge: TownKnowledge) -> list[Message]:
    """Who is on duty today and next; says when the list has none or has run out."""
    speech, today = answer_words(language), today_jst()
    asking = {"office": office_name(town, language), "phone": town.phone}
    if not knowledge.doctors:
        return [bubbles.text_message(speech.no_doctors.format(**asking))]
    return [_on_duty(item, language, speech, today, asking) for item in knowledge.doctors[:3]]


def latest_notices(town: Town, language: str, knowledge: TownKnowledge, page: int) -> list[Message]:
    """The last ten that are public, five at a time."""
    speech = answer_words(language)
    notices = knowledge.notices[:NOTICES]
    shown = notices[page * PER_PAGE : (page + 1) * PER_PAGE]
    if not shown:
        return [bubbles.text_message(speech.no_notices)]
    rows = notice_rows(town, language, knowledge, shown)
    has_more = len(notices) > (page + 1) * PER_PAGE
    more = bubbles.button(speech.more, bubbles.postback(speech.more, data("ask", Wish.RECENT, page + 1)))
    return [bubbles.bubble(speech.recent, rows, [more] if has_more else [])]


def notice_rows(
    town: Town, language: str, knowledge: TownKnowledge, notices: Sequence[Notice]
) -> list[FlexElement]:
    """Each with its day and topic, to press for the whole text in her language."""
    rows = []
    for item in notices:
        title = item.spec.texts.get(language, item.spec.texts["ja"])[0]
        category = town.category.get(item.spec.category)
        topic = f"{category.icon} {category.name(language)}".strip() if category else ""
        at = moment_words(language, item.fired_at or item.created_at)
        address = f"{knowledge.notice_url(item.public_id)}#{language}"
        rows.append(bubbles.row(title, f"{at} {topic}", bubbles.link(answer_words(language).read, address)))
    return rows


def _no_shelters(town: Town, language: str) -> Message:
    asking = {"office": office_name(town, language), "phone": town.phone}
    return bubbles.text_message(answer_words(language).no_shelters.format(**asking))


def _sites(town: Town, language: str, knowledge: TownKnowledge, found: Sequence[Nearby]) -> list[Message]:
    speech = answer_words(language)
    cards = [_site(one, language, knowledge, speech) for one in found]
    names = "、".join(one.shelter.name(language) for one in found)
    messages = [
        bubbles.text_message(speech.designated),
        bubbles.carousel(cards, alt=f"{speech.shelters}: {names}"),
    ]
    again = bubbles.postback(speech.by_area, data("ask", Wish.SHELTERS))
    return bubbles.with_quick_replies(messages, [bubbles.place(speech.send_place), again])


def _site(one: Nearby, language: str, knowledge: TownKnowledge, speech: AnswerWords) -> Message:
    site, opening = one.shelter, knowledge.openings.get(one.shelter.key)
    state = (
        speech.opening[opening.state].format(at=moment_words(language, opening.changed_at))
        if opening
        else speech.opening_unknown
    )
    hazards = "、".join(speech.hazards[item] for item in site.hazards)
    facts = [
        _distance(one.km, speech),
        site.address,
        speech.suits.format(hazards=hazards) if hazards else "",
        speech.staying if site.for_staying else "",
        speech.capacity.format(number=f"{site.capacity:,}") if site.capacity else "",
        site.note,
    ]
    actions = []
    if site.latitude is not None and site.longitude is not None:
        actions.append(bubbles.link(speech.map, map_address(site.latitude, site.longitude)))
    if len(bubbles.dialled(site.phone)) >= SHORTEST_PHONE:
        actions.append(bubbles.call(speech.phone, site.phone))
    return bubbles.bubble(
        site.name(language),
        [bubbles.strong(state), *(bubbles.note(fact) for fact in facts if fact)],
        [bubbles.button(str(action["label"]), action) for action in actions],
    )


def map_address(latitude: float, longitude: float) -> str:
    """A page that every phone opens in its own map."""
    return f"https://www.google.com/maps/search/?api=1&query={latitude:.6f},{longitude:.6f}"


def _distance(km: float | None, speech: AnswerWords) -> str:
    if km is None:
        return ""
    if km < 1:
        return speech.distance_m.format(number=max(10, int(round(km * 1000, -1))))
    return speech.distance_km.format(number=f"{km:.1f}")


def _on_duty(
    calendar: WordCalendar, language: str, speech: AnswerWords, today: date, asking: dict[str, str]
) -> Message:
    now, following = days_on_duty(calendar, today)
    rows: list[FlexElement] = []
    calls: list[FlexElement] = []
    for day, when in ((now, speech.today), (following, speech.next_day)):
        if day is None:
            continue
        words = calendar.days[day]
        rows.append(bubbles.field(f"{when} {day_words(language, day)}", "\n".join(words.values())))
        numbers = [word for word in words.values() if _is_phone(word)]
        calls += [bubbles.call(f"{when}: {number}", number) for number in numbers[:1]]
    if now is None:
        rows.insert(0, bubbles.note(speech.no_doctor_today))
    if now is None and following is None:
        last = max(calendar.days, default="")
        ended = speech.doctors_end.format(day=day_words(language, last), **asking) if last else ""
        rows = [bubbles.paragraph(ended or speech.no_doctors.format(**asking))]
    elif following is None:
        last = max(calendar.days)
        rows.append(bubbles.note(speech.doctors_end.format(day=day_words(language, last), **asking)))
    return bubbles.bubble(
        calendar.name if language == "ja" else speech.doctor,
        rows,
        [bubbles.button(str(action["label"]), action) for action in calls],
    )


def _is_phone(text: str) -> bool:
    digits = bubbles.dialled(text)
    return len(digits) >= 9 and len(text) - len(digits) <= 6

"""What the chat answers for itself: the menu, help, emergencies, questions often asked, a topic, a friend's link."""

from __future__ import annotations

from bot.line import bubbles
from bot.line.answer_words import AnswerWords, answer_words
from bot.line.bubbles import FlexElement, Message
from bot.line.knowledge import TownKnowledge
from bot.line.postbacks import data
from bot.line.town_cards import notice_rows
from bot.line.wishes import Wish
from bot.line.words import LANGUAGE_TITLE, office_name, words
from content.notices.faq import FaqEntry
from content.register.subscribers import Preferences
from content.town import Town

OF_TOPIC = 3
QUESTIONS = 6
FIRE, POLICE = "119", "110"


def menu(town: Town, language: str, settings_link: str = "") -> Message:
    """Everything that can be asked for, as buttons; and the page of settings where the town has one inside LINE."""
    label = words(language).settings_page
    opening = [bubbles.button(label, bubbles.link(label, settings_link))] if settings_link else []
    return bubbles.bubble(
        answer_words(language).menu_title, [*bubbles.grid(_menu_buttons(town, language)), *opening], []
    )


def help_card(town: Town, language: str, said: str = "") -> Message:
    """For what the service does not understand: somebody may be crying for help, so those numbers stand first."""
    speech = answer_words(language)
    said_first = [bubbles.paragraph(said)] if said else []
    return bubbles.bubble(
        words(language).help_title,
        [
            bubbles.paragraph(words(language).emergency),
            *said_first,
            *bubbles.grid(_menu_buttons(town, language)),
        ],
        [],
        alt=f"{words(language).emergency} {said or speech.not_understood}",
    )


def short_line(town: Town, language: str, said: str) -> list[Message]:
    """Instead of one more card."""
    return bubbles.with_quick_replies([bubbles.text_message(said)], quick_menu(town, language))


def emergency(town: Town, language: str) -> Message:
    """The two numbers, to press."""
    speech = answer_words(language)
    return bubbles.bubble(
        speech.emergency_title,
        [bubbles.paragraph(words(language).emergency), bubbles.strong(speech.not_from_here)],
        [
            bubbles.button(speech.call_119, bubbles.call(speech.call_119, FIRE), strong=True),
            bubbles.button(speech.call_110, bubbles.call(speech.call_110, POLICE), strong=True),
            bubbles.button(speech.shelters, _ask(speech.shelters, Wish.SHELTERS)),
        ],
        alt=f"{words(language).emergency} {speech.not_from_here}",
    )


def greeting(town: Town, language: str) -> list[Message]:
    return short_line(town, language, answer_words(language).greeting)


def contact(town: Town, language: str) -> Message:
    """Whom to call."""
    fixed = words(language)
    label = fixed.call.format(office=office_name(town, language))
    call = bubbles.button(label, bubbles.call(label, town.phone), strong=True)
    return bubbles.bubble(
        answer_words(language).contact,
        [bubbles.paragraph(fixed.no_enquiries.format(office=office_name(town, language), phone=town.phone))],
        [call] if bubbles.dialled(town.phone) else [],
    )


def questions(town: Town, language: str, knowledge: TownKnowledge) -> list[Message]:
    """What is asked most, to press."""
    speech = answer_words(language)
    if not knowledge.questions:
        said = (
            speech.no_questions
            + "\n"
            + speech.by_phone.format(office=office_name(town, language), phone=town.phone)
        )
        return short_line(town, language, said)
    rows = [
        bubbles.row(
            item.words(language).question,
            "",
            bubbles.postback(item.words(language).question, data("ask", Wish.FAQ, item.key)),
        )
        for item in knowledge.questions[:QUESTIONS]
    ]
    return [bubbles.bubble(speech.faq, rows, [])]


def answer(town: Town, language: str, entry: FaqEntry) -> list[Message]:
    """The answer of an entry, and whom to ask for more."""
    speech, found = answer_words(language), entry.words(language)
    more = speech.by_phone.format(office=office_name(town, language), phone=town.phone)
    card = bubbles.bubble(
        found.question,
        [bubbles.paragraph(found.answer), bubbles.note(more)],
        _links(found.answer, speech),
        alt=f"{found.question} {found.answer}",
    )
    return bubbles.with_quick_replies([card], quick_menu(town, language))


def topic(town: Town, preferences: Preferences, knowledge: TownKnowledge, key: str) -> list[Message]:
    """A topic that somebody named: its latest notices, and the switch for it."""
    language = preferences.language
    speech, fixed, category = answer_words(language), words(language), town.category[key]
    name = f"{category.icon} {category.name(language)}".strip()
    is_on = key in preferences.categories or category.always
    latest = [item for item in knowledge.notices if item.spec.category == key][:OF_TOPIC]
    said = (speech.topic_on if is_on else speech.topic_off).format(name=category.name(language))
    buttons = []
    if not category.always:
        label = (fixed.drop if is_on else fixed.choose).format(name=category.name(language))
        wish = "off" if is_on else "on"
        buttons.append(
            bubbles.button(label, bubbles.postback(label, data("category", wish, key)), strong=not is_on)
        )
    rows = notice_rows(town, language, knowledge, latest) or [bubbles.note(speech.no_notices)]
    more = bubbles.note(speech.by_phone.format(office=office_name(town, language), phone=town.phone))
    card = bubbles.bubble(name, [bubbles.paragraph(said), *rows, more], buttons)
    return bubbles.with_quick_replies([card], quick_menu(town, language))


def share(town: Town, language: str, knowledge: TownKnowledge) -> list[Message]:
    """The link to add the account, and its QR code where a phone can fetch the picture."""
    speech = answer_words(language)
    if not knowledge.friend_link:
        return short_line(town, language, speech.share_unknown)
    text = speech.share_text.format(town=town.name_in(language), link=knowledge.friend_link)
    messages = [bubbles.text_message(text)]
    if knowledge.friend_picture.startswith("https://"):
        messages.append(bubbles.image(knowledge.friend_picture))
    return messages


def quick_menu(town: Town, language: str) -> list[FlexElement]:
    """The ways on below a short answer."""
    speech = answer_words(language)
    return [
        _ask(speech.menu, Wish.MENU),
        _ask(speech.shelters, Wish.SHELTERS),
        _ask(speech.faq, Wish.FAQ),
        *([bubbles.call(speech.contact, town.phone)] if bubbles.dialled(town.phone) else []),
    ]


def _menu_buttons(town: Town, language: str) -> list[FlexElement]:
    speech, fixed = answer_words(language), words(language)
    wishes = (
        (speech.shelters, Wish.SHELTERS),
        (speech.doctor, Wish.DOCTOR),
        (speech.recent, Wish.RECENT),
        (speech.faq, Wish.FAQ),
        (speech.share, Wish.SHARE),
    )
    call = bubbles.button(speech.contact, bubbles.call(speech.contact, town.phone))
    return [
        bubbles.button(
            fixed.settings, bubbles.postback(fixed.settings, data("show", "categories")), strong=True
        ),
        bubbles.button(fixed.summary, bubbles.postback(fixed.summary, data("show", "summary"))),
        *(bubbles.button(label, _ask(label, wish)) for label, wish in wishes),
        bubbles.button(speech.stop, _ask(speech.stop, Wish.STOP)),
        bubbles.button(LANGUAGE_TITLE, bubbles.postback(LANGUAGE_TITLE, data("show", "language"))),
        *([call] if bubbles.dialled(town.phone) else []),
    ]


def _ask(label: str, wish: Wish) -> FlexElement:
    return bubbles.postback(label, data("ask", wish))


def _links(text: str, speech: AnswerWords) -> list[FlexElement]:
    """The first address and number in an answer, to press."""
    addresses = bubbles.WEB_ADDRESS.findall(text)
    numbers = bubbles.PHONE_NUMBER.findall(text)
    actions = [bubbles.link(speech.read, address) for address in addresses[:1]]
    actions += [bubbles.call(f"{speech.phone} {number}", number) for number in numbers[:1]]
    return [bubbles.button(str(action["label"]), action) for action in actions]

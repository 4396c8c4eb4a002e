"""Urgent notices of a life-critical category in the Common Alerting Protocol (CAP 1.2, OASIS 2010), for machines.

An alert is frozen when its notice goes out: identifier and time come from the notice and never change, so that an Update
or a Cancel can name what it speaks of (`references`, CAP 1.2 §3.2.1).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from bot.outlets.current import areas_of
from bot.outlets.feeds import add, as_xml
from channels import rendering
from channels.attached import place_text
from channels.channel import Announcement
from content.clock import DAY, iso
from content.notices.notices import Notice
from content.notices.states import NoticeKind
from content.town import Mode, Town, Urgency

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
STATUS = {Mode.LIVE: "Actual", Mode.DRILL: "Exercise", Mode.TEST: "Test"}
MESSAGE = {NoticeKind.ORIGINAL: "Alert", NoticeKind.CORRECTION: "Update", NoticeKind.WITHDRAWAL: "Cancel"}
# 警戒レベル of the title → severity, certainty and what to do (5 緊急安全確保, 4 避難指示, 3 高齢者等避難: 避難情報に関する
# ガイドライン, 内閣府); what it does not say is not made up.
LEVELS = {
    "5": ("Extreme", "Observed", "Shelter"),
    "4": ("Severe", "Likely", "Evacuate"),
    "3": ("Moderate", "Possible", "Prepare"),
}
UNKNOWN = ("Unknown", "Unknown", "")
LEVEL = re.compile(r"レベル\s*([345])")
# Of a notice that has no end of its own.
LASTS = DAY


def is_alert(town: Town, root: Notice) -> bool:
    """Whether the chain that this notice began is told to machines."""
    category = town.category.get(root.spec.category)
    return root.spec.urgency == Urgency.URGENT and category is not None and category.always


def expires_at(found: Notice) -> int:
    return found.spec.expires or (found.fired_at or 0) + LASTS


def identifier(town: Town, found: Notice) -> str:
    """Without blanks, commas, < and &, as CAP asks for."""
    return f"{town.code}.{found.public_id}"


def alert(town: Town, chain: Sequence[Notice], announced: Announcement) -> bytes:
    """The last notice of the chain, which names all before it. Its signature is added by bot.outlets.signing."""
    found, before = chain[-1], chain[:-1]
    root = Element("alert", {"xmlns": NAMESPACE})
    add(root, "identifier", identifier(town, found))
    add(root, "sender", _sender(town))
    add(root, "sent", _time(found.fired_at or 0))
    add(root, "status", STATUS[Mode(found.spec.mode)])
    add(root, "msgType", MESSAGE[found.kind])
    add(root, "scope", "Public")
    if before:
        add(root, "references", " ".join(_reference(town, item) for item in before))
    for text in announced.texts:
        _info(root, town, found, announced, text.language)
    return as_xml(root)


def _info(root: Element, town: Town, found: Notice, announced: Announcement, language: str) -> None:
    severity, certainty, response = _level(found.title)
    info = add(root, "info")
    add(info, "language", "ja-x-easy" if language == "ja-easy" else language)
    add(info, "category", "Safety")
    add(info, "event", announced.category_names.get(language) or announced.category)
    if response and found.kind != NoticeKind.WITHDRAWAL:
        add(info, "responseType", response)
    add(info, "urgency", "Past" if found.kind == NoticeKind.WITHDRAWAL else "Immediate")
    add(info, "severity", severity)
    add(info, "certainty", certainty)
    add(info, "expires", _time(expires_at(found)))
    add(info, "senderName", announced.town_names.get(language) or announced.town)
    add(info, "headline", rendering.heading(announced, language))
    add(info, "description", rendering.body(announced, language))
    if announced.place:
        add(info, "instruction", place_text(announced.place, language))
    add(info, "web", announced.url)
    add(info, "contact", announced.contacts.get(language) or announced.contact)
    keys = areas_of(town, found)
    area = add(info, "area")
    names = "・".join(town.area[key].name(language) for key in keys)
    add(area, "areaDesc", " ".join(filter(None, (f"{town.prefecture}{town.name}", names))))
    _geocode(area, "全国地方公共団体コード", town.code)
    for key in keys:
        _geocode(area, "area", key)


def _geocode(area: Element, name: str, value: str) -> None:
    made = add(area, "geocode")
    add(made, "valueName", name)
    add(made, "value", value)


def _level(title: str) -> tuple[str, str, str]:
    said = LEVEL.search(unicodedata.normalize("NFKC", title))
    return LEVELS[said[1]] if said else UNKNOWN


def _sender(town: Town) -> str:
    return f"lgcode:{town.code}"


def _reference(town: Town, found: Notice) -> str:
    return f"{_sender(town)},{identifier(town, found)},{_time(found.fired_at or 0)}"


def _time(at: int) -> str:
    """Without parts of a second and never with Z (CAP 1.2 §3.3.2)."""
    whole = iso(at // 1000 * 1000)
    assert whole is not None
    return whole.replace(".000", "")

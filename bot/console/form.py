"""The form in which a notice is written: from the browser's fields to a notice spec and back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.accounts import missing_settings
from bot.console.attached_fields import AttachedFields, attached_from, attached_problems, read_attached
from bot.console.attached_fields import fields_of as attached_fields_of
from bot.console.chosen_fields import ChosenFields, chosen_of, chosen_problems, read_chosen, rules_from
from bot.console.gap_fields import DISTRICTS, filled, gap_problems
from bot.console.repeat import RepeatFields, fields_of, read_repeat, read_rule
from bot.console.words import account_words
from bot.forms import Fields
from bot.posting import missing_of
from bot.service import Service
from channels.rendering import clean
from content.clock import from_datetime, to_jst
from content.gaps import gaps_of
from content.notices.chosen import read_rules, write_rules
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.notices.states import TargetKind
from content.town import Mode, Town, Urgency
from scheduler.checks import Problem
from scheduler.words import CHANNEL_NAMES, URGENCY_NAMES

FORM_KEYS = uuid.UUID("8f4f7e0e-1c0f-4a47-9d9e-0a3c2f6f1c55")
# As the form calls a segment that has no name.
CHOSEN = "chosen"
WHEN = ("now", "at", "repeat")


@dataclass(frozen=True, slots=True)
class NoticeForm:
    """The fields as typed. `texts` maps each language of the town to (title, body); times are local.

    `when` is now, at or repeat; the fields of the other two do not count.
    """

    submission_key: str
    texts: dict[str, tuple[str, str]]
    channels: tuple[str, ...]
    category: str = ""
    urgency: str = Urgency.ROUTINE
    mode: str = Mode.LIVE
    target: str = TargetKind.SUBSCRIBED
    segment: str = ""
    group: str = ""
    when: str = "now"
    at: str = ""
    expires: str = ""
    repeat: RepeatFields = field(default_factory=RepeatFields)
    chosen: ChosenFields = field(default_factory=ChosenFields)
    gaps: Mapping[tuple[str, str], str] = field(default_factory=dict)
    template: str = ""
    # The version of the draft that is being changed, "" for a new one.
    version: str = ""
    calendar: str = ""
    attached: AttachedFields = field(default_factory=AttachedFields)


def blank_form(service: Service, urgency: str, template_key: str) -> NoticeForm:
    """A new form, filled from a template of the town when there is one of that key."""
    form = NoticeForm(
        submission_key=str(uuid.uuid4()),
        texts=dict.fromkeys(service.town.languages, ("", "")),
        channels=usable_channels(service),
        urgency=Urgency.URGENT if urgency == Urgency.URGENT else Urgency.ROUTINE,
    )
    return with_template(service.town, form, template_key)


def with_template(town: Town, form: NoticeForm, key: str) -> NoticeForm:
    """The same form with the words and choices of a template; as it is when there is none of that key."""
    template = town.template.get(key)
    if template is None or template.closed:
        return form
    texts = template_texts(town, key)
    return replace(
        form,
        texts=texts,
        category=template.category,
        urgency=template.urgency,
        mode=template.shelf,
        # Words that name districts are for those districts.
        target=CHOSEN if DISTRICTS in gaps_of(texts) and town.areas else form.target,
        template=key,
    )


def template_texts(town: Town, key: str) -> dict[str, tuple[str, str]]:
    """The words of a template in every language of the town; empty ones when there is none of that key."""
    words = town.template[key].texts if key in town.template else {}
    return {tag: (words[tag].title, words[tag].body) if tag in words else ("", "") for tag in town.languages}


def form_of(town: Town, spec: NoticeSpec) -> NoticeForm:
    """A stored draft, for changing it."""
    kind, key = spec.target.kind, spec.target.key
    rules = read_rules(key) if kind == TargetKind.SEGMENT else None
    if rules is not None:
        kind, key = CHOSEN, ""
    return NoticeForm(
        submission_key=str(uuid.uuid4()),
        texts={tag: spec.texts.get(tag, ("", "")) for tag in town.languages},
        channels=spec.channels,
        category=spec.category,
        urgency=spec.urgency,
        mode=spec.mode,
        target=kind,
        segment=key if kind == TargetKind.SEGMENT else "",
        group=key if kind == TargetKind.GROUP else "",
        when="repeat" if spec.rule else ("now" if spec.at is None else "at"),
        at=_typed_time(spec.at),
        expires=_typed_time(spec.expires),
        repeat=fields_of(spec.rule) if spec.rule else RepeatFields(),
        chosen=(chosen_of(rules) if rules else None) or ChosenFields(),
        calendar=spec.calendar,
        attached=attached_fields_of(spec.attached),
    )


def copy_of(town: Town, spec: NoticeSpec) -> NoticeForm:
    """A notice as a new one: its words and choices, but neither its time nor what it corrected."""
    return replace(form_of(town, replace(spec, at=None, expires=None, rule=None)), calendar="")


def read_form(town: Town, fields: Fields) -> NoticeForm:
    """What the browser sent."""

    def text(name: str) -> str:
        return clean(fields.get(name, "")).strip()

    return NoticeForm(
        submission_key=form_key(text("submission_key")),
        texts={tag: (text(f"title.{tag}"), text(f"body.{tag}")) for tag in town.languages},
        channels=tuple(dict.fromkeys(fields.getall("channels", []))),
        category=text("category"),
        urgency=text("urgency"),
        mode=text("mode"),
        target=text("target"),
        segment=text("segment"),
        group=text("group"),
        when=text("when"),
        at=text("at"),
        expires=text("expires"),
        repeat=read_repeat(fields, text),
        chosen=read_chosen(fields, text),
        gaps={
            (name.split(".")[1], name.split(".", 2)[2]): text(name)
            for name in fields
            if name.startswith("gap.") and name.count(".") > 1
        },
        template=text("template"),
        version=text("version"),
        calendar=text("calendar"),
        attached=read_attached(town.languages, fields, text),
    )


def form_key(sent: str) -> str:
    """A UUID as our forms have it. Anything else becomes one, always the same, so that nobody chooses a key."""
    try:
        return str(uuid.UUID(sent))
    except ValueError:
        return str(uuid.uuid5(FORM_KEYS, sent) if sent else uuid.uuid4())


def to_spec(town: Town, form: NoticeForm) -> NoticeSpec:
    """The spec that the fields ask for; what cannot be read is left out, see `form_problems`."""
    texts = filled(town, form.texts, form.gaps, form.chosen.areas)
    keys: dict[str, str] = {TargetKind.SEGMENT: form.segment, TargetKind.GROUP: form.group}
    key = keys.get(form.target, "")
    return NoticeSpec(
        category=form.category,
        urgency=form.urgency,
        texts={tag: words for tag, words in texts.items() if tag == "ja" or any(words)},
        channels=form.channels,
        mode=form.mode,
        target=_target(form, key),
        at=_read_time(form.at) if form.when == "at" else None,
        expires=None if form.when == "repeat" else _read_time(form.expires),
        rule=read_rule(form.repeat)[0] if form.when == "repeat" else None,
        calendar=form.calendar if form.when == "repeat" else "",
        attached=attached_from(form.attached),
    )


def _target(form: NoticeForm, key: str) -> Target:
    if form.target == CHOSEN:
        return Target(TargetKind.SEGMENT, write_rules(rules_from(form.chosen)))
    return Target(form.target, key)


def form_problems(service: Service, form: NoticeForm, columns: tuple[str, ...] = ()) -> list[Problem]:
    """What is wrong with the fields themselves, before the draft is checked. `columns` are those of its calendar."""
    problems = gap_problems(filled(service.town, form.texts, form.gaps, form.chosen.areas), columns)
    problems += attached_problems(form.attached)
    problems += chosen_problems(form.chosen, counts=form.target == CHOSEN)
    if not form.category:
        problems.append(Problem("category", "分野を一覧から選んでください。"))
    if form.urgency not in URGENCY_NAMES:
        problems.append(Problem("urgency", "「緊急」か「通常」を選んでください。"))
    if form.target == TargetKind.SEGMENT and not form.segment:
        problems.append(Problem("segment", "配信対象を一覧から選んでください。"))
    if form.target == TargetKind.GROUP and not form.group:
        problems.append(Problem("group", "グループを一覧から選んでください。"))
    problems += _when_problems(form)
    unset = unset_channels(service)
    for channel in form.channels:
        if channel in unset:
            problems.append(
                Problem(
                    "channels", f"{CHANNEL_NAMES[channel]} は設定されていないため使えません。{unset[channel]}"
                )
            )
    return problems


def _when_problems(form: NoticeForm) -> list[Problem]:
    if form.when not in WHEN:
        return [Problem("when", "「すぐに」「日時を指定」「くり返し」のどれかを選んでください。")]
    if form.when == "repeat":
        return read_rule(form.repeat)[1]
    problems = []
    if form.when == "now" and form.at:
        # Without this, a time typed beside the wrong choice would go out at once.
        problems.append(
            Problem("when", "配信日時が入っています。「日時を指定」を選ぶか、配信日時を空にしてください。")
        )
    if form.when == "at" and not form.at:
        problems.append(
            Problem("at", "配信日時を入れてください。すぐに送るときは「すぐに」を選んでください。")
        )
    for name, label, typed in (("at", "配信日時", form.at), ("expires", "有効期限", form.expires)):
        if typed and _read_time(typed) is None:
            problems.append(
                Problem(name, f"{label}を読み取れません。2026-04-07T15:00 のように書いてください。")
            )
    return problems


def usable_channels(service: Service) -> tuple[str, ...]:
    unset = unset_channels(service)
    return tuple(channel for channel in service.town.channels if channel not in unset)


def unset_channels(service: Service) -> Mapping[str, str]:
    """Channels of the town that lack a setting, each with the remedy."""
    missing = missing_settings(service.settings, service.town)
    found: dict[str, str] = {}
    for channel in service.town.channels:
        names = [name for name in missing if name.startswith(f"KAIRANBAN_{channel.upper()}__")]
        # Sending needs no secret: that one checks what LINE sends to us.
        if any(not name.endswith("__CHANNEL_SECRET") for name in names):
            found[channel] = f"管理者に、{CHANNEL_NAMES[channel]}の接続の設定を頼んでください。"
    for key in missing_of(service.settings, service.town.accounts):
        channel = service.town.account[key].channel
        found[channel] = f"管理者に、{account_words(service.town, key)}の接続の設定を頼んでください。"
    return found


def placeholders(form_texts: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """(language, "title" or "body") of every text in which a template's ○○ still stands."""
    return [
        (tag, part)
        for tag, words in form_texts.items()
        for part, text in zip(("title", "body"), words, strict=True)
        if "○" in text or "〇〇" in text
    ]


def _typed_time(at: int | None) -> str:
    return "" if at is None else f"{to_jst(at):%Y-%m-%dT%H:%M}"


def _read_time(value: str) -> int | None:
    if not value:
        return None
    try:
        return from_datetime(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None

"""What a person types for a category, a segment, a group or a department: its key, or its name in any language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from content.choosable import Named
from content.notices.notices import NoticeSpec
from content.notices.states import TargetKind
from content.register import office_cells
from content.town import Town

SHORTEST = 2


def key_among(items: Iterable[Named], given: str) -> str:
    """What is neither a key nor a name stays as it was typed, for whoever checks it to name."""
    return key_in({item.key: item.names for item in items}, given)


def key_in(names: Mapping[str, Mapping[str, str]], given: str) -> str:
    """A beginning of two letters and more is enough where one alone begins so: 災害 for 災害・避難."""
    found = office_cells.key(given, office_cells.by_name(names))
    if found in names:
        return found
    begin = [
        key
        for key, in_languages in names.items()
        if any(name.casefold().startswith(found.casefold()) for name in in_languages.values())
    ]
    return begin[0] if len(found) >= SHORTEST and len(begin) == 1 else given


def with_keys(town: Town, spec: NoticeSpec) -> NoticeSpec:
    """The same notice, with keys where names were typed."""
    target = spec.target
    if target.kind == TargetKind.SEGMENT:
        target = replace(target, key=key_among(town.segments, target.key))
    elif target.kind == TargetKind.GROUP:
        target = replace(target, key=key_among(town.groups, target.key))
    return replace(spec, category=key_among(town.categories, spec.category), target=target)

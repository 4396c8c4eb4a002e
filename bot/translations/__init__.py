"""Languages beside Japanese, やさしい日本語 and English: one TOML file each in this folder, named after the tag (vi.toml).

`kairanban config language` prints the English words in that form, to be translated. A file has every word and every
{slot} of the English ones and no other; until it is whole the service does not start.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot import group_joining, letters, reading, split_hints
from bot.line import answer_words, inviting, leaving_words, words
from bot.resident import settings_words
from channels import attached, digest, rendering
from content.town import TownProfileError

HERE = Path(__file__).parent
ENGLISH = "en"
SLOT = re.compile(r"\{[^}]*\}")
# What a file holds → the table of a language; its English entry gives the shape.
TABLES: dict[str, dict[str, Any]] = {
    "invitation": inviting.WORDS,
    "read_thanks": reading.THANKS,
    "read_not_needed": reading.NOT_NEEDED,
    "notice": rendering.WORDINGS,
    "attached": attached.WORDS,
    "digest": digest.WORDS,
    "chat": words.WORDS,
    "answers": answer_words.ANSWER_WORDS,
    "leaving": leaving_words.LEAVING_WORDS,
    "settings": settings_words.WORDS,
    "letters": letters.WORDS,
    "groups": group_joining.ANSWERS,
    "split": split_hints.WORDS,
}


class BadTranslation(TownProfileError):
    """A file cannot be used; the message names it, the place in it and the remedy."""


def take_in(folder: Path = HERE) -> list[str]:
    """Add the languages of a folder to the tables; their tags. Raises BadTranslation, and then adds none of them."""
    found = {path.stem: _read_file(path) for path in sorted(folder.glob("*.toml"))}
    for tag, tables in found.items():
        for name, entry in tables.items():
            TABLES[name][tag] = entry
    return list(found)


def template() -> str:
    """The English words as a file of this folder."""
    return "".join(_lines("", {name: table[ENGLISH] for name, table in TABLES.items()}))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTranslation(f"{path.name}: {error}") from None
    shape = {name: table[ENGLISH] for name, table in TABLES.items()}
    read: dict[str, Any] = _read(shape, content, path.name)
    return read


def _read(shape: Any, value: Any, where: str) -> Any:
    if isinstance(shape, str):
        if not isinstance(value, str) or sorted(SLOT.findall(value)) != sorted(SLOT.findall(shape)):
            wanted = " ".join(SLOT.findall(shape))
            raise BadTranslation(
                f"{where}: text{f' with {wanted}' if wanted else ' without slots'} is wanted"
            )
        return value
    wanted_parts = _parts(shape)
    if not isinstance(value, dict) or value.keys() != wanted_parts.keys():
        given = value.keys() if isinstance(value, dict) else set()
        missing = sorted(wanted_parts.keys() - given)
        more = sorted(given - wanted_parts.keys())
        raise BadTranslation(
            f"{where}: missing: {', '.join(missing) or '-'}; not known: {', '.join(more) or '-'}"
        )
    parts = {name: _read(part, value[name], f"{where}: {name}") for name, part in wanted_parts.items()}
    if dataclasses.is_dataclass(shape):
        return dataclasses.replace(shape, **parts)  # type: ignore[type-var]
    return {key: parts[str(key)] for key in shape}


def _parts(shape: Any) -> dict[str, Any]:
    """Name → part of a mapping or a dataclass."""
    if isinstance(shape, Mapping):
        return {str(key): part for key, part in shape.items()}
    return {item.name: getattr(shape, item.name) for item in dataclasses.fields(shape)}


def _lines(heading: str, shape: Any) -> Iterator[str]:
    parts = _parts(shape)
    for name, part in parts.items():
        if isinstance(part, str):
            yield f"{name} = {json.dumps(part, ensure_ascii=False)}\n"
    for name, part in parts.items():
        if not isinstance(part, str):
            inner = f"{heading}.{name}" if heading else name
            yield f"\n[{inner}]\n"
            yield from _lines(inner, part)

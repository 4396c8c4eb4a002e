"""A notice for systems that take files: data broadcasting, the town's own paper, by a mapping file (TOML).

`[text]` has a `layout`, `[xml]` a `root` and `elements`; both take an `encoding`, `[text]` also a `width` in half-width columns. In them
`{title}`, `{body}`, `{category}` and so on are filled in; `{title.en}` in another language.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, indent, tostring

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.outlets.current import Current
from bot.outlets.feeds import add
from channels import rendering
from content import clock

FIELD = re.compile(r"\{([^{}]*)\}")
ELEMENT = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
Encoding = Literal["utf-8", "cp932", "euc_jp"]


class MappingRefused(ValueError):
    """The mapping file cannot be used, or the notice does not fit into it; the message says what to change."""


class TextMapping(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: str = Field(max_length=10_000)
    encoding: Encoding = "utf-8"
    width: int = Field(0, ge=0, le=1000)
    line_end: Literal["lf", "crlf"] = "lf"


class XmlMapping(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    root: str = Field(pattern=ELEMENT)
    elements: dict[str, str] = Field(min_length=1, max_length=100)
    encoding: Encoding = "utf-8"

    @model_validator(mode="after")
    def _are_elements(self) -> XmlMapping:
        wrong = [name for name in self.elements if not re.match(ELEMENT, name)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no name of an element")
        return self


class Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: TextMapping | None = None
    xml: XmlMapping | None = None


# Where the town gives no file of its own.
USUAL = Mapping(
    text=TextMapping(layout="{category}\n{title}\n\n{body}\n\n{place}\n{contact}\n{sent}\n"),
    xml=XmlMapping(
        root="notice",
        elements={
            "id": "{id}",
            "category": "{category}",
            "title": "{title}",
            "body": "{body}",
            "sent": "{sent}",
            "expires": "{expires}",
            "url": "{url}",
        },
    ),
)


def read_mapping(path: Path) -> Mapping:
    """Raises MappingRefused, naming the field."""
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingRefused(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise MappingRefused(f"{path}: {where}: {problem['msg']}") from error


def as_text(mapping: Mapping, item: Current) -> bytes:
    """Raises MappingRefused."""
    wanted = mapping.text
    if wanted is None:
        raise MappingRefused("the mapping file has no [text]")
    filled = _filled(wanted.layout, item)
    # What a notice does not have leaves no hole.
    lines = re.sub(r"\n{3,}", "\n\n", filled).splitlines()
    if wanted.width:
        lines = [piece for line in lines for piece in wrapped(line, wanted.width)]
    end = "\r\n" if wanted.line_end == "crlf" else "\n"
    return _encoded(end.join([*lines, ""]), wanted.encoding)


def as_xml(mapping: Mapping, item: Current) -> bytes:
    """Raises MappingRefused."""
    wanted = mapping.xml
    if wanted is None:
        raise MappingRefused("the mapping file has no [xml]")
    root = Element(wanted.root)
    for name, layout in wanted.elements.items():
        add(root, name, _filled(layout, item))
    indent(root)
    # What the encoding cannot say is written as a number, which every reader of XML turns back.
    return bytes(tostring(root, encoding=_named(wanted.encoding), xml_declaration=True))


def wrapped(line: str, width: int) -> list[str]:
    """Lines of at most so many half-width columns; what a person sees as one character stays together."""
    rows, row, used = [], "", 0
    for char in regex.findall(r"\X", line):
        wide = max(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in char)
        if row and used + wide > width:
            rows.append(row)
            row, used = "", 0
        row, used = row + char, used + wide
    return [*rows, row]


def values(item: Current) -> dict[str, str]:
    """Every name that a mapping may use for this notice."""
    spec, announced = item.notice.spec, item.announced
    event = spec.attached.event
    found = {
        "id": item.notice.public_id,
        "url": item.url,
        "category": announced.category_names.get("ja", announced.category),
        "urgency": spec.urgency,
        "mode": spec.mode,
        "kind": item.notice.kind,
        "sent": clock.words(item.sent),
        "expires": clock.words(spec.expires) if spec.expires else "",
        "place": announced.place.name if announced.place else "",
        "starts": clock.words(event.starts) if event else "",
        "ends": clock.words(event.ends) if event and event.ends else "",
        "contact": announced.contact,
        "title": item.title(),
        "body": rendering.body(announced, "ja"),
    }
    for text in announced.texts:
        found[f"title.{text.language}"] = item.title(text.language)
        found[f"body.{text.language}"] = rendering.body(announced, text.language)
    return found


def _filled(layout: str, item: Current) -> str:
    known = values(item)

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name in known:
            return known[name]
        if name.partition(".")[0] in ("title", "body"):
            return ""
        raise MappingRefused(f"{{{name}}} is nothing that a notice has; there are {', '.join(sorted(known))}")

    return FIELD.sub(put, layout)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise MappingRefused(
            f"「{error.object[error.start : error.end]}」 cannot be written in {encoding}: "
            'change the words, or set encoding = "utf-8"'
        ) from error


def _named(encoding: str) -> str:
    return {"cp932": "Shift_JIS", "euc_jp": "EUC-JP"}.get(encoding, "utf-8")

"""Links and telephone numbers in the words of a notice: what a finger can open, and exactly where it stands.

Only what the writer wrote: nothing is completed or guessed, and the sign that ends a sentence is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Between ASCII signs alone: Japanese has no space behind a link.
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
_LINK = re.compile(
    rf"(?<![a-z0-9])https?://{_HOST}(?::[0-9]{{1,5}})?(?![\w@:.-]*@)(?:[/?#][!-~]*)?", re.I | re.A
)
# Never at the end of a link that stands in a sentence, nor inside one.
_NOT_IN_LINKS = re.compile(r"[\"<>\\^`{|}]")
_SENTENCE_END = ".,;:!?'*_~"
# One character for one, so that places stay the same.
_PLAIN = str.maketrans("０１２３４５６７８９（）－−‐‑–—―ー　＋＃", "0123456789()-------- +#")
_NUMBER = re.compile(
    r"(?:(?<![\w.+/@=&?%#-])|(?<=\btel))(?:"
    r"(?P<abroad>\+81[ -]?\(?0?\)?[ -]?[1-9][0-9]{0,3}[ -]?[0-9]{1,4}[ -]?[0-9]{3,4})"
    r"|(?P<inland>(?:\(0[1-9][0-9]{0,3}\)|0[1-9][0-9]{0,3})[ -]?(?:\([0-9]{1,4}\)|[0-9]{1,4})[ -]?[0-9]{3,4})"
    r"|(?P<short>1(?:10|18|19|71|77|88|89))"
    r")(?![0-9]|-[0-9]|[.,:/][0-9])",
    re.A | re.I,
)
# Separators that people write between figures; a number without any must stand alone.
_GROUPED = re.compile(r"[()-]")
_ELEVEN = re.compile(r"0[5-9]0[1-9]|0800")
# A machine answers there.
_FAX = re.compile(r"(?:fax|ファックス|ファクス|ファクシミリ)[^0-9]{0,4}$", re.I)
# Three figures are a telephone number only where the words say so.
_SAYS_CALL = re.compile(r"☎|電話|番へ|番に|通報|ダイヤル|tel|call|dial", re.I)


@dataclass(frozen=True, slots=True)
class Tap:
    """`text[start:end]` opens `uri`, which is http(s): or tel:."""

    start: int
    end: int
    uri: str

    @property
    def is_call(self) -> bool:
        return self.uri.startswith("tel:")


def find_taps(text: str) -> list[Tap]:
    """In the order of the text; they never overlap."""
    links = list(_links(text))
    inside = [range(link.start, link.end) for link in links]
    calls = [call for call in _calls(text) if not any(call.start in place for place in inside)]
    return sorted([*links, *calls], key=lambda tap: tap.start)


def _links(text: str) -> Iterator[Tap]:
    for found in _LINK.finditer(text):
        link = _NOT_IN_LINKS.split(found.group(), maxsplit=1)[0]
        link = _without_sentence_end(link)
        yield Tap(found.start(), found.start() + len(link), link)


def _without_sentence_end(link: str) -> str:
    while link:
        last = link[-1]
        unopened = (last == ")" and link.count(")") > link.count("(")) or (
            last == "]" and link.count("]") > link.count("[")
        )
        if last not in _SENTENCE_END and not unopened:
            break
        link = link[:-1]
    return link


def _calls(text: str) -> Iterator[Tap]:
    plain = text.translate(_PLAIN)
    for found in _NUMBER.finditer(plain):
        written, start, end = found.group(), found.start(), found.end()
        digits = re.sub(r"\D", "", written)
        if _FAX.search(plain[max(0, start - 12) : start]):
            continue
        if found["abroad"]:
            inland = "0" + digits.removeprefix("81").removeprefix("0")
            if _can_be_dialled(inland):
                yield Tap(start, end, f"tel:+81{inland[1:]}")
        elif found["short"]:
            if _SAYS_CALL.search(plain[max(0, start - 8) : end + 5]):
                yield Tap(start, end, f"tel:{digits}")
        elif _can_be_dialled(digits) and _is_one_number(written):
            yield Tap(start, end, f"tel:{digits}")


def _is_one_number(written: str) -> bool:
    """Figures between blanks alone are several."""
    return written.isdigit() or bool(_GROUPED.search(written))


def _can_be_dialled(digits: str) -> bool:
    """Eleven figures behind 050 to 090 and 0800, ten for all others."""
    return len(digits) == (11 if _ELEVEN.match(digits) else 10)

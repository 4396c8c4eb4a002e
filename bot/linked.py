"""Links and telephone numbers in the words of a notice become things to tap on; everything is escaped."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# Ends where prose goes on: Japanese has no space behind an address.
ADDRESS = r"https?://[!-~]*[\w/#=&~%-]"
NUMBER = r"(?<![\d-])(?:0\d{1,4}-\d{1,4}-\d{3,4}|0\d{9,10}|1(?:10|18|19|71))(?![\d-])"
# Three digits are a telephone number only where the words say so.
SHORT = re.compile(r"(?:☎|電話|番へ|通報|Tel|TEL|call|dial)")
TAPPED = re.compile(rf"(?P<address>{ADDRESS})|(?P<number>{NUMBER})", re.ASCII)


def linked(text: str) -> Markup:
    parts, done = [], 0
    for found in TAPPED.finditer(text):
        parts += [escape(text[done : found.start()]), _link(found, text)]
        done = found.end()
    return Markup("").join([*parts, escape(text[done:])])


def _link(found: re.Match[str], text: str) -> Markup:
    words = found[0]
    if found["address"]:
        return Markup('<a href="{0}" rel="noopener nofollow">{0}</a>').format(words)
    around = text[max(0, found.start() - 8) : found.end() + 5]
    if len(words) == 3 and not SHORT.search(around):
        return escape(words)
    return Markup('<a href="tel:{}">{}</a>').format(words.replace("-", ""), words)

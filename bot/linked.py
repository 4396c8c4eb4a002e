"""Links and telephone numbers in the words of a notice become things to tap on; everything is escaped."""

from __future__ import annotations

from markupsafe import Markup, escape

from channels.tappable import find_taps


def linked(text: str) -> Markup:
    parts, done = [], 0
    for tap in find_taps(text):
        kind = Markup("") if tap.is_call else Markup(' rel="noopener nofollow"')
        parts += [
            escape(text[done : tap.start]),
            Markup('<a href="{}"{}>{}</a>').format(tap.uri, kind, text[tap.start : tap.end]),
        ]
        done = tap.end
    return Markup("").join([*parts, escape(text[done:])])

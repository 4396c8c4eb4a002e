"""A notice as posts: heading and text cut to what a service takes, with the marks on every part.

The link stands in the first part, which is what everybody sees. What needs more parts than an account may
use ends in the last one with the remark that the rest is on the page.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.attached import place_text
from channels.channel import Announcement, CannotRender
from channels.posting.splitting import split
from channels.rendering import body, check_body, check_title, heading, mark_words, mode_note, reference

# Longer than any town writes; a limit so that nobody waits for the cutting.
BODY_LIMIT = 20_000
MOST_PARTS = 20
REST = {
    "ja": "…(続きは最初の投稿のリンク先)",
    "ja-easy": "…(つづきは さいしょの リンクを 見(み)て ください)",
    "en": "… (continued: see the link in the first post)",
}

# Whether a service takes a text.
Fits = Callable[[str], bool]


def check_words(announcement: Announcement, language: str, service: str) -> None:
    """Raises CannotRender."""
    check_title(announcement, language)
    check_body(announcement, language, BODY_LIMIT, service)


def whole_text(announcement: Announcement, language: str) -> str:
    """What the posts say together, without the link."""
    paragraphs = (
        heading(announcement, language),
        reference(announcement, language),
        mode_note(announcement, language),
        body(announcement, language),
        place_text(announcement.place, language) if announcement.place else "",
    )
    return "\n\n".join(filter(None, paragraphs))


def post_texts(
    announcement: Announcement,
    language: str,
    *,
    service: str,
    fits: Fits,
    parts: int,
    with_link: bool = True,
) -> tuple[str, ...]:
    """One text a post, `parts` at the most. Raises CannotRender.

    Without a link only as long as everything fits.
    """
    check_words(announcement, language, service)
    text = whole_text(announcement, language)
    link = announcement.url if with_link else ""
    alone = f"{text}\n\n{link}" if link else text
    if fits(alone):
        return (alone,)
    if parts == 1:
        return (_shortened(text, announcement.url, language, service, fits),)
    mark = mark_words(announcement, language)
    number = f"({parts}/{parts})"
    first_end = f"\n\n{link}\n{number}" if link else f"\n{number}"
    pieces = split(
        text, lambda piece: fits(f"{mark}{piece}\n{number}"), lambda piece: fits(piece + first_end)
    )
    if len(pieces) > parts:
        if not announcement.url:
            raise _too_long(language, service, parts)
        if not link:
            return post_texts(announcement, language, service=service, fits=fits, parts=parts)
        rest = REST.get(language, REST["en"])
        last = split(pieces[parts - 1], lambda piece: fits(f"{mark}{piece}{rest}\n{number}"))[0]
        pieces = [*pieces[: parts - 1], last.rstrip() + rest]
    of = len(pieces)
    first = f"{pieces[0].strip()}\n\n{link}" if link else pieces[0].strip()
    return (
        f"{first}\n(1/{of})",
        *(f"{mark}{piece.strip()}\n({place}/{of})" for place, piece in enumerate(pieces[1:], start=2)),
    )


def _shortened(text: str, link: str, language: str, service: str, fits: Fits) -> str:
    if not link:
        raise _too_long(language, service, 1)
    return split(text, lambda piece: fits(f"{piece}…\n\n{link}"))[0].rstrip() + f"…\n\n{link}"


def _too_long(language: str, service: str, parts: int) -> CannotRender:
    which = "" if language == "ja" else f"[{language}] "
    message = (
        f"{which}本文が長すぎて、{service}の投稿{parts}件に収まりません。"
        "短くするか、公開ページのある宛先にしてください(続きをリンク先に任せられます)。"
    )
    return CannotRender("body", message, language)

"""How a message will look, for a person to read before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from channels.attached import ShownPicture


@dataclass(frozen=True, slots=True)
class Preview:
    """The words as `prepare` produces them; `notes` are small words around them.

    `announced` is what the locked screen shows, `buttons` what can be tapped on below the words, `after` what
    follows the words and differs for each recipient, `data` the message as a machine reads it. `posts`: the words
    are shown as these posts.
    """

    channel: str
    language: str
    headline: str
    body: str
    notes: tuple[str, ...] = ()
    announced: str = ""
    buttons: tuple[str, ...] = ()
    pictures: tuple[ShownPicture, ...] = ()
    after: str = ""
    data: str = ""
    posts: tuple[str, ...] = ()

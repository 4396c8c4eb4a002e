"""「読みました」 in a mail: each reader's own link before the one that stops the mails, where the notice asks for it."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from channels.mail.messages import build_template, fill
from tests.channels.announcements import LANGUAGES, notice

READ, STOP = "https://town.example.jp/n/abc/read/7.mark", "https://town.example.jp/unsubscribe/7.mark"


def parts_of(language: str, *, asks_read: bool) -> list[str]:
    template = build_template(
        notice(asks_read=asks_read),
        language,
        "町 <notice@example.jp>",
        "notices.example.jp",
        "https://town.example.jp/preferences",
    )
    source = fill(
        template, to="a@example.jp", message_id="<1@example.jp>", unsubscribe_url=STOP, read_url=READ
    )
    mail = message_from_bytes(source, policy=policy.default)
    return [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_part_of_a_mail_has_the_link_once_and_before_the_end(language: str) -> None:
    parts = parts_of(language, asks_read=True)
    assert len(parts) == 2
    for text in parts:
        assert text.count(READ) == 1 and text.index(READ) < text.rindex(STOP)
    assert not any(READ in text for text in parts_of(language, asks_read=False))

"""Posts on screen: where a notice stands, and what became of it there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.console.words import account_words
from content.ledger.posts import ShownPost
from content.ledger.states import PostState
from content.town import Town

WORDS: dict[str, str] = {
    PostState.BEGUN: "準備の途中",
    PostState.OUT: "出ています",
    PostState.MARKED: "「訂正しました」に書きかえました",
    PostState.DELETED: "消しました",
    PostState.GONE: "投稿先で、すでに消されていました",
    PostState.LEFT: "投稿先の決まりで、変えられません。投稿先の画面で消してください",
}


@dataclass(frozen=True, slots=True)
class PostRow:
    """`number` counts from 1; `is_bad`: somebody has to act at the service."""

    name: str
    number: int
    url: str
    word: str
    is_bad: bool


def post_row(town: Town, item: ShownPost) -> PostRow:
    # What a service answers is not to be trusted with more than a link.
    url = item.url if item.url.startswith(("https://", "http://")) else ""
    return PostRow(
        account_words(town, item.account), item.part + 1, url, WORDS[item.state], item.state == PostState.LEFT
    )

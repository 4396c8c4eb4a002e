"""Questions that residents often ask (よくある質問), with their answers, and how often each was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field, field_validator
from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata
from content.town import Key, ProfileModel

QUESTION_LIMIT = 120
ANSWER_LIMIT = 1_000
KEYWORD_LIMIT = 40
MOST_KEYWORDS = 30
MOST_ENTRIES = 300

faq_asked = Table(
    "faq_asked",
    metadata,
    Column("key", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, server_default="0"),
)


class FaqWords(ProfileModel):
    """The entry in one language."""

    question: str = Field(min_length=1, max_length=QUESTION_LIMIT)
    answer: str = Field(min_length=1, max_length=ANSWER_LIMIT)


class FaqEntry(ProfileModel):
    """`texts` maps language to the words, at least "ja"; `keywords` lead to it when somebody writes one."""

    key: Key
    texts: Mapping[str, FaqWords]
    keywords: tuple[str, ...] = ()
    closed: bool = False

    @field_validator("texts")
    @classmethod
    def _has_japanese(cls, texts: Mapping[str, FaqWords]) -> Mapping[str, FaqWords]:
        if "ja" not in texts:
            raise ValueError("ja is required")
        return texts

    def words(self, language: str) -> FaqWords:
        """In `language`, else in Japanese."""
        return self.texts.get(language) or self.texts["ja"]


async def count_asked(connection: AsyncConnection, key: str) -> None:
    """Once more, without a word about who."""
    await connection.execute(
        insert_unless_known(connection, faq_asked)
        .values(key=key, number=1)
        .on_conflict_do_update(index_elements=["key"], set_={"number": faq_asked.c.number + 1})
    )


async def asked(connection: AsyncConnection) -> dict[str, int]:
    """How often each was asked, by key."""
    return {row.key: int(row.number) for row in await connection.execute(select(faq_asked))}


def by_demand(entries: Sequence[FaqEntry], numbers: Mapping[str, int]) -> list[FaqEntry]:
    """What is asked most stands first; the closed ones are left out."""
    return sorted(
        (item for item in entries if not item.closed), key=lambda item: (-numbers.get(item.key, 0), item.key)
    )

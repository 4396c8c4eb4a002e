"""A resident joins a group by its code, in the chat or on the web: the same act, answered in her language."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.records import town_now
from content.register.invitations import JoinOutcome, join_by_code
from content.register.states import Route
from content.town import Town

ANSWERS = {
    "ja": {
        JoinOutcome.JOINED: "「{group}」に入りました。このグループあてのお知らせが届きます。",
        JoinOutcome.ALREADY: "「{group}」には、もう入っています。",
        JoinOutcome.WRONG: "この招待コードは使えません。もう一度確かめるか、コードを受け取った所に聞いてください。",
        JoinOutcome.TOO_MANY: "今日は、これ以上試せません。明日もう一度試すか、コードを受け取った所に聞いてください。",
    },
    "ja-easy": {
        JoinOutcome.JOINED: "「{group}」に はいりました。この グループの お知(し)らせが とどきます。",
        JoinOutcome.ALREADY: "「{group}」には もう はいって います。",
        JoinOutcome.WRONG: "この コードは つかえません。もういちど みてください。わからない ときは、コードを くれた 人(ひと)に きいてください。",
        JoinOutcome.TOO_MANY: "きょうは もう できません。あした もういちど してください。",
    },
    "en": {
        JoinOutcome.JOINED: "You joined “{group}”. You will receive its notices.",
        JoinOutcome.ALREADY: "You already belong to “{group}”.",
        JoinOutcome.WRONG: "This code cannot be used. Check it, or ask whoever gave it to you.",
        JoinOutcome.TOO_MANY: "No more tries today. Try again tomorrow, or ask whoever gave you the code.",
    },
}


@dataclass(frozen=True, slots=True)
class Joined:
    """Whether she belongs to the group now, and what she is told."""

    belongs: bool
    answer: str


async def join_group(
    connection: AsyncConnection,
    town: Town,
    subscriber_id: int,
    code: str,
    *,
    language: str,
    route: Route,
    at: int,
) -> Joined:
    """Groups that staff made a moment ago count too."""
    groups = (await town_now(connection, town)).group
    found = await join_by_code(connection, subscriber_id, code, list(groups), route=route, at=at)
    name = groups[found.group].name(language) if found.group in groups else ""
    answer = ANSWERS.get(language, ANSWERS["en"])[found.outcome].format(group=name)
    return Joined(found.outcome in (JoinOutcome.JOINED, JoinOutcome.ALREADY), answer)

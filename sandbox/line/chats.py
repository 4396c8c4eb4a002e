"""Groups and rooms: chats of several people in which the bot takes part. Messaging API reference, #group, #chat-room."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

CHAT_ID = re.compile(r"[CR][0-9a-f]{32}")
KEPT = 200
KINDS = {"group": "C", "room": "R"}


@dataclass(slots=True)
class Chat:
    """`kind` is group or room; `members` are ids of people, the bot is not among them. `history` as on a phone."""

    chat_id: str
    kind: str
    name: str = ""
    members: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    # False after the bot has left or was removed.
    has_bot: bool = True

    @property
    def source(self) -> dict[str, str]:
        """As events name it."""
        return {"type": self.kind, f"{self.kind}Id": self.chat_id}

    def remember(self, entries: list[dict[str, Any]]) -> None:
        self.history += entries
        del self.history[:-KEPT]

    def public(self) -> dict[str, Any]:
        return {
            "chatId": self.chat_id,
            "kind": self.kind,
            "name": self.name,
            "members": self.members,
            "hasBot": self.has_bot,
            "history": self.history,
        }


def chat_id_in(source: dict[str, Any]) -> str:
    """Of the group or room that an event comes from, "" for a person's own chat."""
    return str(source.get("groupId") or source.get("roomId") or "")


def new_chat(chat_id: str) -> Chat:
    """One of which nothing is known but its id."""
    kind = next(kind for kind, letter in KINDS.items() if chat_id.startswith(letter))
    return Chat(chat_id, kind)

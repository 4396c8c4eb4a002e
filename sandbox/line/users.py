"""The residents' LINE accounts as one channel sees them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.line.ids import USER_ID

STATES = ("friend", "blocked", "none", "deleted", "noConsent")
REACHABLE = frozenset(("friend", "noConsent"))
HISTORY_LIMIT = 200
# A person who wrote in the 1:1 chat without adding the account can be answered by push for this
# long. LINE Messaging API reference, #send-push-message ("Conditions").
WROTE_WINDOW_MS = 7 * 24 * 3600 * 1000

_FAMILY = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤")
_GIVEN = ("陽菜", "蓮", "結衣", "翔太", "さくら", "健一", "和子", "茂", "恵子", "大輔", "美咲", "浩")


@dataclass(slots=True)
class User:
    """One account. `state` is one of STATES; times are milliseconds since the epoch."""

    index: int
    user_id: str
    display_name: str
    language: str = "ja"
    state: str = "friend"
    followed_at: int | None = None
    blocked_at: int | None = None
    last_message_at: int | None = None
    linked_menu_id: str | None = None
    muted: bool = False
    unread: int = 0
    history: list[dict[str, Any]] | None = None

    def remember(self, entries: Sequence[dict[str, Any]]) -> None:
        """Add chat entries; only the newest HISTORY_LIMIT stay."""
        if self.history is None:
            self.history = list(entries)
            return
        self.history.extend(entries)
        if len(self.history) > HISTORY_LIMIT:
            del self.history[:-HISTORY_LIMIT]

    def wrote_lately(self, now_ms: int) -> bool:
        """Whether a push reaches this person although not a friend."""
        return self.last_message_at is not None and now_ms - self.last_message_at <= WROTE_WINDOW_MS

    def public(self) -> dict[str, Any]:
        """The fields that the control API shows."""
        return {
            "userId": self.user_id,
            "displayName": self.display_name,
            "language": self.language,
            "state": self.state,
            "muted": self.muted,
            "unread": self.unread,
            "linkedRichMenuId": self.linked_menu_id,
            "followedAt": self.followed_at,
            "blockedAt": self.blocked_at,
            "lastMessageAt": self.last_message_at,
        }


class Users:
    """All accounts of a channel, by id and in order of creation."""

    def __init__(self) -> None:
        self.by_id: dict[str, User] = {}
        self.all: list[User] = []

    def __len__(self) -> int:
        return len(self.all)

    def get(self, user_id: str) -> User | None:
        """The account with this id, if the channel knows it."""
        return self.by_id.get(user_id)

    def add(self, user_id: str, display_name: str, language: str, state: str, now_ms: int) -> User:
        """Add an account, or bring an existing one into this state."""
        user = self.by_id.get(user_id)
        if user is None:
            user = User(len(self.all), user_id, display_name, language, state)
            self.by_id[user_id] = user
            self.all.append(user)
        user.display_name, user.language, user.state = display_name, language, state
        user.followed_at = now_ms if state in REACHABLE else user.followed_at
        return user

    def states(self) -> Counter[str]:
        """How many accounts are in each state."""
        return Counter(user.state for user in self.all)

    def search(self, text: str) -> Iterable[User]:
        """Accounts whose id or name contains `text`; all of them for ""."""
        wanted = text.casefold()
        return (u for u in self.all if wanted in u.display_name.casefold() or wanted in u.user_id.casefold())


def add_many(users: Users, count: int, seed: int, now_ms: int, **mix: Any) -> list[User]:
    """Add `count` made-up accounts; the same seed gives the same people.

    `mix`: `friendRatio` (default: the rest), `blockedRatio` (0), `deletedRatio` (0), and `languages`,
    a list of tags or a mapping of tag to weight (all "ja").
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose, protects nothing
    tags, weights = _languages(mix.get("languages"))
    blocked = float(mix.get("blockedRatio", 0))
    deleted = blocked + float(mix.get("deletedRatio", 0))
    friend = deleted + float(mix.get("friendRatio", 1 - deleted))
    languages = rng.choices(tags, weights, k=count)
    made = []
    for language in languages:
        draw = rng.random()
        state = "blocked" if draw < blocked else "deleted" if draw < deleted else "none"
        state = "friend" if deleted <= draw < friend else state
        name = f"{rng.choice(_FAMILY)} {rng.choice(_GIVEN)}"
        made.append(users.add(f"U{rng.getrandbits(128):032x}", name, language, state, now_ms))
    return made


def add_listed(users: Users, listed: Mapping[str, Any], now_ms: int) -> list[User]:
    """Add the accounts of `userIds` with their optional `displayNames`, `language` and `state`.

    Raises ValueError for a malformed id, an unknown state or a list of names of another length.
    """
    ids = [str(user_id) for user_id in listed["userIds"]]
    names = [str(name) for name in listed.get("displayNames") or []] or [f"利用者{i[1:5]}" for i in ids]
    state = listed.get("state", "friend")
    if state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}")
    if len(names) != len(ids):
        raise ValueError("displayNames must be as long as userIds")
    if not all(USER_ID.match(user_id) for user_id in ids):
        raise ValueError("a userId is U and 32 lower-case hex digits")
    language = str(listed.get("language", "ja"))
    return [users.add(i, name, language, state, now_ms) for i, name in zip(ids, names, strict=True)]


def _languages(languages: Any) -> tuple[list[str], list[float]]:
    if isinstance(languages, Mapping) and languages:
        return list(languages), [float(weight) for weight in languages.values()]
    tags = [str(tag) for tag in languages] if languages else ["ja"]
    return tags, [1.0] * len(tags)

"""A resident's phone on the LINE stand-in, worked by its control API as a finger would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from aiohttp import ClientSession

MAX_WAIT = 10.0


class Phone:
    """One resident. Raises LookupError when a button that should be there is not."""

    def __init__(self, session: ClientSession, line_url: str, user_id: str) -> None:
        self._session = session
        self._line_url = line_url
        self.user_id = user_id

    async def do(self, kind: str, **details: Any) -> None:
        """An action of the person; returns once the service has answered the webhook."""
        url = f"{self._line_url}/_sandbox/users/{self.user_id}/actions?wait=1"
        async with self._session.post(url, json={"type": kind, **details}) as answer:
            answer.raise_for_status()

    async def messages(self) -> list[dict[str, Any]]:
        """What the service wrote, oldest first, as LINE message objects."""
        url = f"{self._line_url}/_sandbox/phone/{self.user_id}/state.json"
        async with self._session.get(url) as answer:
            answer.raise_for_status()
            state = await answer.json()
        return [entry["object"] for entry in state["messages"] if entry["from"] == "bot"]

    async def act_and_read(self, kind: str, **details: Any) -> list[dict[str, Any]]:
        """Act, and wait for what the service answers to it."""
        before = len(await self.messages())
        await self.do(kind, **details)
        deadline = asyncio.get_running_loop().time() + MAX_WAIT
        while asyncio.get_running_loop().time() < deadline:
            messages = await self.messages()
            if len(messages) > before:
                return messages[before:]
            await asyncio.sleep(0.05)
        raise LookupError(f"no answer to {kind} within {MAX_WAIT:.0f} s")

    async def tap(self, words: str) -> list[dict[str, Any]]:
        """Press the newest button whose label holds the words, and read the answer."""
        for message in reversed(await self.messages()):
            for action in actions(message):
                if words in action.get("label", ""):
                    return await self.act_and_read("tapButton", action=action)
        raise LookupError(f"no button 「{words}」")


def actions(part: Any) -> Iterator[dict[str, Any]]:
    """Every action object inside a message, in reading order."""
    if isinstance(part, dict):
        action = part.get("action")
        if isinstance(action, dict) and "type" in action:
            yield action
        for value in part.values():
            yield from actions(value)
    elif isinstance(part, list):
        for value in part:
            yield from actions(value)


def all_text(part: Any) -> str:
    """Every word of a message that a person can see."""
    if isinstance(part, dict):
        own = [str(part[name]) for name in ("text", "altText", "label") if isinstance(part.get(name), str)]
        return " ".join(own + [all_text(value) for value in part.values() if isinstance(value, dict | list)])
    if isinstance(part, list):
        return " ".join(all_text(value) for value in part)
    return ""

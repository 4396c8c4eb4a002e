"""Requests in the SDK's models, and its errors as plain data."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.sandbox.line.line_town import TOKEN, Town, text


@asynccontextmanager
async def sdk_for(town: Town, token: str = TOKEN) -> AsyncIterator[Any]:
    """The SDK's messaging API. Imported here: the SDK takes more than a second to load."""
    from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, Configuration

    async with AsyncApiClient(Configuration(host=town.origin, access_token=token)) as client:
        yield AsyncMessagingApi(client)


def multicast(to: list[str], *messages: dict[str, Any], **more: Any) -> Any:
    from linebot.v3.messaging import MulticastRequest

    return MulticastRequest.from_dict({"to": to, "messages": list(messages) or [text()], **more})


def push(to: str, *messages: dict[str, Any], **more: Any) -> Any:
    from linebot.v3.messaging import PushMessageRequest

    return PushMessageRequest.from_dict({"to": to, "messages": list(messages) or [text()], **more})


def broadcast(*messages: dict[str, Any]) -> Any:
    from linebot.v3.messaging import BroadcastRequest

    return BroadcastRequest.from_dict({"messages": list(messages) or [text()]})


def reply(token: str, *messages: dict[str, Any]) -> Any:
    from linebot.v3.messaging import ReplyMessageRequest

    return ReplyMessageRequest.from_dict({"replyToken": token, "messages": list(messages) or [text()]})


@dataclass
class Refusal:
    """What LINE answered instead of 2xx."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


async def refusal(request: Awaitable[Any]) -> Refusal:
    """The error of a request that must fail."""
    from linebot.v3.messaging import ApiException

    try:
        await request
    except ApiException as error:
        headers = {name.lower(): value for name, value in error.headers.items()}
        return Refusal(error.status, json.loads(error.body or "{}"), headers)
    raise AssertionError("the request was accepted")

"""LINE: a notice to up to 500 friends per multicast, or to every friend by one broadcast.

The messages are built and checked once per notice and language; per batch only the ids are spliced in.
Source: Messaging API reference, "Send multicast message", "Send broadcast message", "Retrying an API request".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.channel import (
    Announcement,
    BatchRefused,
    ChannelError,
    Deferred,
    Part,
    Preview,
    Quota,
    Recipient,
    Refusal,
    TemporaryFailure,
    always,
)
from channels.line.answers import InvalidRequest, check
from channels.line.api import LineApi, encode
from channels.line.messages import alt_text, build_broadcast, build_messages
from channels.reasons import Reason
from channels.rendering import body, category_name, heading, mode_note

BATCH_SIZE = 500
# Enough for 200 multicasts a second when each takes 160 ms over the Internet.
CONCURRENCY = 32
MULTICAST = "/v2/bot/message/multicast"
BROADCAST = "/v2/bot/message/broadcast"
VALIDATE = "/v2/bot/message/validate/multicast"
# So many bad ids of one notice, from all over its batches, and no good list between them: these are ids of another
# account, and asking on would be abuse.
HOPELESS = 50


@dataclass(slots=True)
class LinePrepared:
    """The `messages` array as UTF-8 JSON, ready to be spliced; and how many ids LINE has refused one by one."""

    messages: bytes = field(repr=False)
    refused_in_a_row: int = 0


class LineChannel:
    """The channel "line", bound to one LINE official account.

    `api_base` is LINE's origin or a sandbox's, `token` the channel access token, `concurrency` multicasts
    in flight, `rate` multicasts per second (LINE allows 200), `timeout` seconds for one call.
    """

    name = "line"
    idempotent = True

    def __init__(
        self,
        *,
        api_base: str,
        token: str,
        concurrency: int = CONCURRENCY,
        rate: float | None = 200,
        batch_size: int = BATCH_SIZE,
        timeout: float = 10.0,
    ) -> None:
        self.batch_size = min(batch_size, BATCH_SIZE)
        self.concurrency = concurrency
        self.rate = rate
        self._api = LineApi(api_base, api_base, token, timeout=timeout, connections=concurrency + 2)

    def prepare(self, announcement: Announcement, language: str) -> LinePrepared:
        """The messages in `language`, built by LINE's own models. Raises CannotRender."""
        return LinePrepared(encode(build_messages(announcement, language)))

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """The words that the phone shows; the note is the text of the notification. Raises CannotRender."""
        build_messages(announcement, language)
        notes = (category_name(announcement, language), alt_text(announcement, language))
        words = "\n\n".join(filter(None, (mode_note(announcement, language), body(announcement, language))))
        return Preview(self.name, language, heading(announcement, language), words, notes)

    async def send(
        self,
        prepared: LinePrepared,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
    ) -> AsyncIterator[Part]:
        """Multicast to the batch. Usually one request and one Part.

        LINE refuses a whole multicast (400) when it dislikes one id, and tells nobody. Then the first half is
        deferred, to a batch with a key of its own, and the second half is asked again, until the bad id stands
        alone. Nothing goes out before the ledger knows who is left under `retry_key`: a key that LINE refused
        is unused, and so each recipient is only ever named under one key that LINE may have accepted.
        """
        rest = recipients
        while rest and may_go_on():
            # A refusal that is mistaken is seldom repeated.
            if await self._accepted(prepared, rest, retry_key) or await self._accepted(
                prepared, rest, retry_key
            ):
                prepared.refused_in_a_row = 0
                yield Part(len(rest))
                return
            if len(rest) == 1:
                prepared.refused_in_a_row += 1
                yield Part(1, (Refusal(rest[0].subscriber_id, Reason.INVALID_RECIPIENT),))
                return
            if prepared.refused_in_a_row >= HOPELESS:
                raise _foreign_ids()
            half = len(rest) // 2
            yield Part(half, deferred=tuple(map(_narrowing, rest[:half])), apart=True)
            rest = rest[half:]

    async def broadcast(self, announcement: Announcement, retry_key: str) -> None:
        """Send to every friend of the account, in all languages of the notice at once."""
        messages = encode(build_broadcast(announcement))
        content = b'{"messages":' + messages + b',"notificationDisabled":false}'
        try:
            check(await self._api.post(BROADCAST, content, {"X-Line-Retry-Key": retry_key}))
        except InvalidRequest:
            raise _invalid_message() from None

    async def quota(self) -> Quota:
        """This month's limit and use of the account."""
        return await self._api.quota()

    async def reply(self, reply_token: str, messages: Sequence[dict[str, Any]]) -> None:
        """Answer one event; see LineApi.reply."""
        await self._api.reply(reply_token, messages)

    async def close(self) -> None:
        """Let connections go."""
        await self._api.close()

    async def _accepted(self, prepared: LinePrepared, recipients: Sequence[Recipient], key: str) -> bool:
        """True when LINE took the request, False when one of the ids is at fault; raises everything else."""
        ids = json.dumps([recipient.address for recipient in recipients]).encode()
        content = b'{"to":' + ids + b',"messages":' + prepared.messages + b',"notificationDisabled":false}'
        try:
            check(await self._api.post(MULTICAST, content, {"X-Line-Retry-Key": key}))
        except InvalidRequest as error:
            if error.about_messages or not (
                error.about_recipients or await self._messages_are_valid(prepared)
            ):
                raise _invalid_message() from None
            return False
        except BatchRefused as error:
            if error.reason != Reason.NOT_FOUND:
                raise
            # LINE has this address; something between us has not, and may soon be mended.
            raise TemporaryFailure(
                Reason.NOT_FOUND, "LINEのAPIに届きません。接続先の設定を確かめてください。"
            ) from None
        return True

    async def _messages_are_valid(self, prepared: LinePrepared) -> bool:
        """LINE's own opinion of the words, asked before blaming recipients one by one for a faulty text."""
        answer = await self._api.post(VALIDATE, b'{"messages":' + prepared.messages + b"}")
        try:
            check(answer)
        except InvalidRequest:
            return False
        except ChannelError:
            # No opinion to be had (an outage of the check alone): the ids remain the likelier fault.
            return True
        return True


def _narrowing(recipient: Recipient) -> Deferred:
    return Deferred(recipient.subscriber_id, Reason.NARROWING, retry_after=0.0, growing=False)


def _foreign_ids() -> BatchRefused:
    message = "LINEが宛先のIDを続けて断りました。IDが別のアカウントのものでないか確認してください。"
    return BatchRefused(Reason.FOREIGN_RECIPIENTS, message)


def _invalid_message() -> BatchRefused:
    return BatchRefused(
        Reason.INVALID_MESSAGE, "LINEがお知らせの内容を受け付けませんでした。内容を確認してください。"
    )

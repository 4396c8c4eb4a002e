"""Sending to LINE: multicasts of a batch, broadcasts, and what is left of the month's messages.

Per batch only the ids are spliced into messages that are ready.
Source: Messaging API reference, "Send multicast message", "Send broadcast message", "Retrying an API request".
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from channels.channel import (
    Announcement,
    BatchRefused,
    Channel,
    ChannelError,
    Deferred,
    Part,
    Quota,
    Recipient,
    Refusal,
    TemporaryFailure,
    UnknownOutcome,
    always,
)
from channels.line.answers import InvalidRequest, check
from channels.line.api import LineApi, encode
from channels.line.messages import build_broadcast
from channels.reasons import Reason

MULTICAST = "/v2/bot/message/multicast"
BROADCAST = "/v2/bot/message/broadcast"
VALIDATE = "/v2/bot/message/validate/multicast"
# So many bad ids of one notice, from all over its batches, and no good list between them: these are ids of another
# account, and asking on would be abuse.
HOPELESS = 50
# Seconds after which LINE's no to a list is believed that it may have accepted before.
BELIEVED_AFTER = 60.0


@dataclass(slots=True)
class LinePrepared:
    """The `messages` array as UTF-8 JSON, ready to be spliced; and how many ids LINE has refused one by one."""

    messages: bytes = field(repr=False)
    silent: bool = False
    refused_in_a_row: int = 0


class LineSession:
    """A channel "line" opened for sending, over connections of `api`."""

    def __init__(self, channel: Channel, api: LineApi) -> None:
        self.channel = channel
        self._api = api
        # Since when (monotonic seconds) LINE refuses a list that it may have accepted, by retry key.
        self._refused_since: dict[str, float] = {}

    async def send(
        self,
        prepared: LinePrepared,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
        """Multicast to the batch. Usually one request and one Part.

        LINE refuses a whole multicast (400) when it dislikes one id, and tells nobody. Then the first half is
        deferred, to a batch with a key of its own, and the second half is asked again, until the bad id stands
        alone. Nothing goes out before the ledger knows who is left under `retry_key`: a key that LINE refused
        is unused, and so each recipient is only ever named under one key that LINE may have accepted. Where an
        answer to this key was lost (`maybe_sent`), its no must last before it counts: a mistaken one would send
        to everybody again under other keys.
        """
        rest = recipients
        while rest and may_go_on():
            # A refusal that is mistaken is seldom repeated.
            if await self._accepted(prepared, rest, retry_key) or await self._accepted(
                prepared, rest, retry_key
            ):
                prepared.refused_in_a_row = 0
                self._refused_since.pop(retry_key, None)
                yield Part(len(rest))
                return
            if maybe_sent:
                self._insist_on_lasting(retry_key)
                maybe_sent = False
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

    async def probe(self) -> float | None:
        """By asking about the account itself."""
        return await self._api.own_clock_ahead()

    async def quota(self) -> Quota:
        """This month's limit and use of the account."""
        return await self._api.quota()

    async def close(self) -> None:
        """Let connections go."""
        await self._api.close()

    async def _accepted(self, prepared: LinePrepared, recipients: Sequence[Recipient], key: str) -> bool:
        """True when LINE took the request, False when one of the ids is at fault; raises everything else."""
        ids = json.dumps([recipient.address for recipient in recipients]).encode()
        end = b',"notificationDisabled":true}' if prepared.silent else b',"notificationDisabled":false}'
        content = b'{"to":' + ids + b',"messages":' + prepared.messages + end
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

    def _insist_on_lasting(self, retry_key: str) -> None:
        """Raises UnknownOutcome until LINE has refused this key for long enough; then it was never accepted."""
        now = monotonic()
        if now - self._refused_since.setdefault(retry_key, now) < BELIEVED_AFTER:
            raise UnknownOutcome(
                Reason.NO_ANSWER, "LINEが受け付けたかもしれない宛先を断りました。時間をおいて確かめます。"
            )
        del self._refused_since[retry_key]

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

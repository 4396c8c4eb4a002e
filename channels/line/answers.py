"""What an answer of the LINE platform means for the ledger: the one place that reads its status codes.

Source: Messaging API reference, "Status codes", "Error responses" and "Retrying an API request".
Messages may change without notice, so only the status decides; the text is read for one thing alone,
to tell the two kinds of 429 apart.
"""

from __future__ import annotations

import json
from typing import Any

from channels.channel import (
    AccountStopped,
    BatchRefused,
    ChannelError,
    DeliveryStopped,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.http import HttpAnswer
from channels.reasons import Reason


class InvalidRequest(BatchRefused):
    """LINE found the request itself wrong (400) and gave it to nobody. `properties` name the places."""

    def __init__(self, properties: tuple[str, ...], complaint: str) -> None:
        super().__init__(Reason.INVALID_REQUEST, "LINEが内容を受け付けませんでした（400）。")
        self.properties = properties
        self._complaint = complaint

    @property
    def about_messages(self) -> bool:
        """The words are wrong, not the recipients."""
        return any(place.startswith("messages") for place in self.properties)

    @property
    def about_recipients(self) -> bool:
        """LINE names the list of recipients."""
        return any(place.startswith("to") for place in self.properties) or "to[" in self._complaint


def check(answer: HttpAnswer) -> None:
    """Return when LINE accepted the request, now or earlier under the same retry key; else raise what it means.

    Somebody between us and LINE (a portal that wants a login, a proxy) may answer too, even 200: that says
    nothing about the request. LINE's own answers all carry a request id ("Response headers").
    """
    status = answer.status
    if status < 500 and "x-line-request-id" not in answer.headers:
        raise _foreign(status)
    if 200 <= status < 300:
        if not is_json(answer):
            raise _foreign(status)
        return
    if status == 409 and answer.headers.get("x-line-accepted-request-id"):
        return
    raise _error(answer)


def is_json(answer: HttpAnswer) -> bool:
    """Whether the body is a JSON object, as every success of LINE's is (an empty one where nothing is told)."""
    return not answer.body or answer.body.lstrip()[:1] == b"{"


def decode(answer: HttpAnswer) -> dict[str, Any]:
    """The JSON object of an answer, {} when it is none."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _foreign(status: int) -> ChannelError:
    if 300 <= status < 400:
        return TemporaryFailure(Reason.REDIRECTED, f"LINEのAPIから転送の応答がありました（{status}）。")
    return UnknownOutcome(
        Reason.FOREIGN_ANSWER,
        f"LINEではない相手から応答がありました（{status}）。通信の途中を確かめてください。",
    )


def _error(answer: HttpAnswer) -> ChannelError:
    status = answer.status
    if status >= 500:
        return UnknownOutcome(Reason.SERVER_ERROR, f"LINEのサーバーでエラーが起きました（{status}）。")
    if status == 409:
        return UnknownOutcome(
            Reason.CONFLICT, "同じ再送キーについて、LINEから確認できない応答がありました（409）。"
        )
    if status == 429:
        return _too_many(answer)
    if status in (401, 403):
        return AccountStopped(
            Reason.CREDENTIALS,
            f"LINEのチャネルアクセストークンが使えません（{status}）。発行し直してください。",
        )
    if status == 400:
        return _invalid(answer)
    if 300 <= status < 400:
        return TemporaryFailure(Reason.REDIRECTED, f"LINEのAPIから転送の応答がありました（{status}）。")
    reason = {404: Reason.NOT_FOUND, 413: Reason.TOO_LARGE}.get(status, Reason.INVALID_REQUEST)
    return BatchRefused(reason, f"LINEが要求を断りました（{status}）。")


def _too_many(answer: HttpAnswer) -> ChannelError:
    if "monthly limit" in str(decode(answer).get("message", "")):
        return DeliveryStopped(
            Reason.QUOTA, "LINEの今月の配信数の上限に達しました。プランを確認してください。"
        )
    return TemporaryFailure(Reason.RATE, "LINEへの要求が多すぎます。間をあけて送ります。", answer.retry_after)


def _invalid(answer: HttpAnswer) -> InvalidRequest:
    content = decode(answer)
    details = content.get("details")
    entries = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    places = tuple(str(entry.get("property", "")) for entry in entries)
    return InvalidRequest(places, str(content.get("message", "")))

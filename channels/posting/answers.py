"""What the answers of services mean that are the same at most of them: the status codes of HTTP.

What a service says by a code of its own, in the body, its own file knows.
"""

from __future__ import annotations

import json
from typing import Any

from channels.channel import (
    AccountStopped,
    BatchRefused,
    ChannelError,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.http import HttpAnswer
from channels.reasons import Reason

NOT_AUTHORISED, FORBIDDEN, GONE, TOO_MANY = 401, 403, 410, 429


def decode(answer: HttpAnswer) -> dict[str, Any]:
    """The JSON object of an answer, {} when it is none."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def text_of(content: Any, *path: str) -> str:
    """The text or number at this place of a JSON object, "" when there is none."""
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return str(content) if isinstance(content, str | int) and not isinstance(content, bool) else ""


def is_success(answer: HttpAnswer) -> bool:
    return 200 <= answer.status < 300


def failure(answer: HttpAnswer, service: str) -> ChannelError:
    """What an answer that is no success means for the post that was asked for."""
    status = answer.status
    if status >= 500:
        return UnknownOutcome(Reason.SERVER_ERROR, f"{service}のサーバーでエラーが起きました({status})。")
    if status == TOO_MANY:
        message = f"{service}が間をあけるよう求めています(429)。"
        return TemporaryFailure(Reason.RATE, message, answer.retry_after)
    if status == NOT_AUTHORISED:
        return AccountStopped(Reason.POST_TOKEN, f"{service}のアクセストークンが使えません(401)。")
    if status == FORBIDDEN:
        return AccountStopped(Reason.POST_ACCOUNT, f"{service}のアカウントが使えません(403)。")
    if 300 <= status < 400:
        return TemporaryFailure(Reason.REDIRECTED, f"{service}から転送の応答がありました({status})。")
    return BatchRefused(Reason.POST_REFUSED, f"{service}が投稿を受け付けませんでした({status})。")


def unreadable(service: str) -> UnknownOutcome:
    """A success without what was asked for: somebody else may have answered, so nothing is known."""
    return UnknownOutcome(Reason.FOREIGN_ANSWER, f"{service}らしくない応答がありました。")

"""What Meta's services say by codes of their own, in an object `error` that may come with any status.

Sources: developers.facebook.com, "Graph API: Handle errors", "Instagram Platform: Error codes", "Threads API: Error
codes".
"""

from __future__ import annotations

from channels.channel import (
    AccountStopped,
    BatchRefused,
    ChannelError,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.http import HttpAnswer
from channels.posting.answers import decode, failure, is_success, text_of
from channels.reasons import Reason

TOKEN = {"102", "190", "463", "467"}
# No permission, the app still in review, blocked for a while, the account restricted or to be confirmed.
ACCOUNT = {"3", "10", "200", "283", "299", "368", "459", "464", "2207050", "2207051"}
TOO_MANY = {"4", "9", "17", "32", "80001", "80002", "613"}
ITS_FAULT = {"1", "2"}
DUPLICATE = {"506"}
IMAGE = {"324", "352", "9004", "36000", "36001", "36003"}
NOT_THERE = {"100", "803"}
# Seconds: these limits count hours.
LONG = 900.0


def problem_in(answer: HttpAnswer, label: str) -> ChannelError | None:
    """None when the answer is a success."""
    content = decode(answer).get("error")
    if content is None:
        return None if is_success(answer) else failure(answer, label)
    if not isinstance(content, dict):
        if not is_success(answer):
            return failure(answer, label)
        return UnknownOutcome(Reason.UNREADABLE, f"{label}が、成功と言いながらエラーを返しました。")
    code, detail = text_of(content, "code"), text_of(content, "error_subcode")
    if code in TOKEN:
        return AccountStopped(Reason.POST_TOKEN, f"{label}のアクセストークンが使えません(コード{code})。")
    if code in ACCOUNT or detail in ACCOUNT:
        return AccountStopped(Reason.POST_ACCOUNT, f"{label}のアカウントが使えません(コード{code})。")
    if code in TOO_MANY:
        return TemporaryFailure(Reason.RATE, f"{label}が間をあけるよう求めています(コード{code})。", LONG)
    if code in DUPLICATE:
        return BatchRefused(Reason.POST_DUPLICATE, f"{label}が、同じ文の投稿がすでにあると断りました。")
    if code in IMAGE:
        return BatchRefused(Reason.IMAGE_REFUSED, f"{label}が画像を受け付けませんでした(コード{code})。")
    if code in ITS_FAULT or not code:
        return UnknownOutcome(Reason.SERVER_ERROR, f"{label}のサーバーでエラーが起きました(コード{code})。")
    if not is_success(answer) and answer.status not in (400, 404):
        return failure(answer, label)
    return BatchRefused(Reason.POST_REFUSED, f"{label}が投稿を受け付けませんでした(コード{code})。")


def is_gone(answer: HttpAnswer) -> bool:
    """Whether what was spoken of is not there (any more)."""
    content = decode(answer).get("error")
    return text_of(content, "code") in NOT_THERE and text_of(content, "error_subcode") in ("", "33")

"""What each reply of a mail server means: for one recipient, for their domain, for the rest of the batch."""

from __future__ import annotations

from channels.channel import (
    AccountStopped,
    BatchRefused,
    ChannelError,
    Deferred,
    Refusal,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.mail.smtp_errand import Reply, Stage
from channels.reasons import Reason

CONTENT_REFUSED = Reason.CONTENT_REFUSED
# RFC 3463: "System not accepting network messages".
SYSTEM_CLOSED = "4.3.2"
# Seconds until the next try of a mail that was put off for no reason of its own, and so many in a row end a batch.
SOFT_WAIT = 1.0
IN_A_ROW = 5
# Seconds until the first new try; greylisting servers want to see somebody who waits, urgent notices cannot wait long.
MAX_WAIT = {True: 20.0, False: 60.0}


def judge(
    stage: Stage, reply: Reply, subscriber_id: int, *, urgent: bool
) -> Refusal | Deferred | ChannelError:
    """The outcome for this recipient, or the error that ends the batch."""
    detail = reply.status or str(reply.code)
    if reply.code in (530, 535):
        return AccountStopped(
            Reason.AUTHENTICATION, "メールサーバーがログインを求めています。設定を直してください。"
        )
    if reply.status == SYSTEM_CLOSED:
        return busy(detail)
    if speaks_for_server(stage, reply):
        # Perhaps of this mail alone: a relay that scores, or that counts. Only several in a row mean all mails.
        reason = Reason.SERVER_BUSY if reply.temporary else Reason.SENDER_REFUSED
        return Deferred(subscriber_id, reason, detail, SOFT_WAIT)
    if reply.temporary:
        return Deferred(subscriber_id, Reason.TEMPORARILY_REFUSED, detail, MAX_WAIT[urgent])
    if stage == "recipient" or _about_mailbox(reply):
        return Refusal(subscriber_id, _refusal_reason(reply), detail)
    return Refusal(subscriber_id, CONTENT_REFUSED, detail)


def speaks_for_domain(reply: Reply) -> bool:
    """Whether a temporary reply to RCPT is trouble of the domain rather than of one mailbox."""
    return reply.temporary and not reply.greylisted and not _about_mailbox(reply)


def speaks_for_server(stage: Stage, reply: Reply) -> bool:
    """Whether a reply may mean any mail, whoever it is for: a no to the sender, or a "later" to a content."""
    if stage == "sender":
        return True
    return stage == "content" and reply.temporary and not (reply.greylisted or _about_mailbox(reply))


def refused_in_a_row(reply: Reply) -> ChannelError:
    """The server says it to every mail, so the others need not be tried now."""
    detail = reply.status or str(reply.code)
    if reply.temporary:
        return busy(detail)
    message = f"メールサーバーが差出人を受け付けません（{detail}）。差出人の設定を確かめてください。"
    return AccountStopped(Reason.SENDER_REFUSED, message)


def content_refused_for_all(detail: str) -> BatchRefused:
    """Nobody takes this content."""
    return BatchRefused(CONTENT_REFUSED, f"メールサーバーがこのメールの内容を受け付けません（{detail}）。")


def too_large(size: int, limit: int) -> BatchRefused:
    """The server told its limit (RFC 1870), so no mail needs to be tried."""
    return BatchRefused(
        Reason.MAIL_TOO_LARGE,
        f"メールが大きすぎます（{size} バイト、メールサーバーの上限は {limit} バイト）。本文を短くするか、"
        "メールサーバーの上限を上げてください。",
    )


def connection_lost() -> TemporaryFailure:
    """Nothing was under way that the server could have taken."""
    return TemporaryFailure(Reason.CONNECTION_LOST, "メールサーバーとの接続が途中で切れました。")


def no_answer() -> UnknownOutcome:
    """A content was sent and not answered."""
    return UnknownOutcome(
        Reason.NO_ANSWER, "メールの送信後に応答が途切れました。受け付けられたかどうか分かりません。"
    )


def busy(detail: str) -> TemporaryFailure:
    """The server takes nothing now."""
    return TemporaryFailure(Reason.SERVER_BUSY, f"メールサーバーが今は受け付けません（{detail}）。")


def _about_mailbox(reply: Reply) -> bool:
    """RFC 3463: x.1 and x.2 speak of one address or mailbox, even when said only after the content."""
    return reply.status[1:4] in (".1.", ".2.")


def _refusal_reason(reply: Reply) -> Reason:
    unknown = reply.status.startswith("5.1.") or (reply.code == 550 and not reply.status)
    return Reason.MAILBOX_UNKNOWN if unknown else Reason.REFUSED

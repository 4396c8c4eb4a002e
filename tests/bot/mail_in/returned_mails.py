"""Mails that come back, as mail servers and carriers write them; the words are made for these tests."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP


def report(
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 User unknown",
    *,
    recipient: str = "hanako@example.com",
    action: str = "failed",
) -> bytes:
    """A report of a failure in the form of RFC 3464."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@example.com>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nThis is the mail system at host mx.example.com.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {diagnostic}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: user unknown, mailbox full\r\n\r\nours\r\n--b--\r\n"
    ).encode()


def plain(
    text: str, *, sender: str = "MAILER-DAEMON@docomo.ne.jp", subject: str = "", charset: str = "utf-8"
) -> bytes:
    """A mail in plain words."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"] = sender, subject or "failure notice"
    mail.set_content(text, charset=charset)
    return mail.as_bytes()


def complaint(original: str = "", stop_link: str = "", kind: str = "abuse") -> bytes:
    """A complaint in the form of RFC 5965."""
    sender = f"Original-Mail-From: <{original}>\r\n" if original else ""
    link = f"List-Unsubscribe: <{stop_link}>\r\n" if stop_link else ""
    return (
        "From: fbl@example.com\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\n\r\nThis is a report of a complaint.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: test/1\r\n"
        f"Version: 1\r\n{sender}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{link}Subject: a notice\r\n\r\nwords\r\n--b--\r\n"
    ).encode()

"""What a member of staff is told of a notice that waits, in words, and how it goes out: by mail or by LINE.

What speaks to the outside is imported when there is a note to send: most commands send none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import NAMESPACE_URL, uuid5

from bot.accounts import line_api
from bot.settings import Settings
from content.clock import words
from content.staff.notes import NoteKind
from content.town import Town
from scheduler.town_context import StaffNote

SUBJECTS = {
    NoteKind.SUBMITTED: "承認のお願い",
    NoteKind.RETURNED: "差し戻されました",
    NoteKind.APPROVED: "承認されました",
    NoteKind.REVIEW: "送った後の確認のお願い",
}
LATE = "【至急】送った後の確認の期限を過ぎています"


def note_sender(settings: Settings, town: Town) -> Callable[[StaffNote], Awaitable[None]] | None:
    """None when the settings name neither a mail server nor LINE."""
    has_mail = bool(settings.mail.smtp_url.get_secret_value())
    has_line = bool(settings.line.channel_token.get_secret_value())
    if not (has_mail or has_line):
        return None

    async def send(note: StaffNote) -> None:
        subject, body = note_words(settings.public_url, town, note)
        if note.channel == "mail":
            await _mail(settings, note.address, subject, body)
        else:
            # Bound to the page: notes of another database have other keys.
            key = uuid5(NAMESPACE_URL, f"{settings.public_url}/note/{note.id}")
            await _line(settings, note.address, f"{subject}\n\n{body}", str(key))

    return send


def note_words(public_url: str, town: Town, note: StaffNote) -> tuple[str, str]:
    """Subject and body; the notice's title, never its text."""
    subject = LATE if note.late else SUBJECTS[note.kind]
    page = f"{public_url}/console/notices/{note.notice_id}"
    return (
        f"{subject}:{note.title}({town.name} お知らせ配信)",
        f"お知らせ第{note.notice_id}号「{note.title}」\n\n{_what(note)}\n\n{page}\n\n"
        "このメッセージは、あなたが「試し送り先」に登録した宛先に送っています。",
    )


def _what(note: StaffNote) -> str:
    if note.kind == NoteKind.SUBMITTED:
        return f"{note.by} が承認を依頼しています。内容を確かめて、承認するか、差し戻してください。"
    if note.kind == NoteKind.RETURNED:
        return f"{note.by} が差し戻しました。\n理由:{note.remark}\n\n直してから、もう一度承認を依頼してください。"
    if note.kind == NoteKind.APPROVED:
        return f"{note.by} が承認しました。配信の状況は次のページで確かめられます。"
    until = words(note.until or 0)
    asked = f"緊急のお知らせを、{note.by} がひとりで送りました。"
    if note.late:
        return f"{asked}{until} までに要る確認が、まだ済んでいません。すぐに内容を見て「確認した」を押してください。"
    return f"{asked}{until} までに内容を見て「確認した」を押してください。"


async def _mail(settings: Settings, address: str, subject: str, body: str) -> None:
    from channels.mail.plain import send_plain

    await send_plain(
        settings.mail.smtp_url.get_secret_value(),
        sender=settings.mail.sender,
        to=[address],
        subject=subject,
        body=body,
    )


async def _line(settings: Settings, address: str, text: str, retry_key: str) -> None:
    api = line_api(settings)
    try:
        await api.push(address, text, retry_key)
    finally:
        await api.close()

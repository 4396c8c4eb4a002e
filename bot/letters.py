"""The letter to somebody who asked with a mail address: in her language, with one link that only she gets.

What speaks to the mail server is imported when there is a letter to send: most commands send none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.settings import Settings
from content.register.mail_requests import MailPurpose, MailRequest
from content.register.states import Route
from content.town import Town

PATHS = {MailPurpose.JOIN: "subscribe", MailPurpose.SETTINGS: "preferences"}


@dataclass(frozen=True, slots=True)
class _Words:
    """`{town}` and `{link}` are filled in."""

    subject: str
    body: str


JAPANESE = {
    MailPurpose.JOIN: _Words(
        "【{town}】お知らせメールの登録を確認してください",
        "{town}のお知らせメールに申し込みをいただきました。\n"
        "登録はまだ終わっていません。48時間以内に次のページを開き、「登録する」を押してください。\n\n{link}\n\n"
        "心当たりがないときは、何もしないでください。登録されず、アドレスは48時間後に消えます。",
    ),
    MailPurpose.SETTINGS: _Words(
        "【{town}】お知らせの設定のページ",
        "お知らせの設定のページをお送りします。このアドレスは登録済みです。\n"
        "次のページを1時間以内に開いてください。1回だけ使えます。\n\n{link}\n\n"
        "心当たりがないときは、何もしないでください。設定は変わりません。",
    ),
}
EASY = {
    MailPurpose.JOIN: _Words(
        "【{town}】お知(し)らせメールの 登録(とうろく)",
        "{town}の お知(し)らせメールの 申(もう)し込(こ)みを うけました。\n"
        "まだ おわって いません。2日(ふつか)のうちに つぎの ページを ひらいて、「登録(とうろく)する」を おしてください。\n\n{link}\n\n"
        "わからないメールのときは、なにも しないで ください。なにも かわりません。",
    ),
    MailPurpose.SETTINGS: _Words(
        "【{town}】お知(し)らせの 設定(せってい)",
        "お知(し)らせの 設定(せってい)の ページです。\n"
        "1時間(じかん)のうちに つぎの ページを ひらいて ください。1回(かい)だけ つかえます。\n\n{link}\n\n"
        "わからないメールのときは、なにも しないで ください。なにも かわりません。",
    ),
}
ENGLISH = {
    MailPurpose.JOIN: _Words(
        "[{town}] Please confirm your email address",
        "You asked to receive notices from {town} by email.\n"
        'You are not registered yet. Open this page within 48 hours and press "Register".\n\n{link}\n\n'
        "If you did not ask for this, do nothing. You will not be registered, and the address is deleted after 48 hours.",
    ),
    MailPurpose.SETTINGS: _Words(
        "[{town}] Your notice settings",
        "Here is the page with your notice settings. This address is already registered.\n"
        "Open it within one hour. The link works once.\n\n{link}\n\n"
        "If you did not ask for this, do nothing. Nothing changes.",
    ),
}
WORDS = {"ja": JAPANESE, "ja-easy": EASY, "en": ENGLISH}


def letter_sender(settings: Settings, town: Town) -> Callable[[MailRequest], Awaitable[None]] | None:
    """None when the settings name no mail server."""
    if not settings.mail.smtp_url.get_secret_value():
        return None

    async def send(request: MailRequest) -> None:
        from channels.mail.messages import quote_address
        from channels.mail.plain import send_plain

        subject, body = letter(settings.public_url, town, request)
        await send_plain(
            settings.mail.smtp_url.get_secret_value(),
            sender=settings.mail.sender,
            to=[quote_address(request.address) or request.address],
            subject=subject,
            body=body,
        )

    return send


def letter(public_url: str, town: Town, request: MailRequest) -> tuple[str, str]:
    """Subject and text; in Japanese and English for an empty mail, which says nothing of its writer."""
    if request.route == Route.MAIL and request.language == "ja":
        return _both(public_url, town, request)
    language = request.language if request.language in WORDS else "en"
    words = WORDS[language][request.purpose]
    name = town.name_in(language)
    link = f"{public_url}/{PATHS[request.purpose]}/{request.token}"
    foot = f"-- \n{name} {town.office}\n{town.phone}\n"
    return words.subject.format(town=name), f"{words.body.format(town=name, link=link)}\n\n{foot}"


def _both(public_url: str, town: Town, request: MailRequest) -> tuple[str, str]:
    by_web = replace(request, route=Route.WEB)
    subject, japanese = letter(public_url, town, by_web)
    _, english = letter(public_url, town, replace(by_web, language="en"))
    return subject, f"{japanese}\n{english}"

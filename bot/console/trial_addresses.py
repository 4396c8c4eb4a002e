"""試し送り先: a member's own addresses, each confirmed by a code before anything is sent there.

A mail address by the link in a mail (opening it changes nothing, the button on its page does), a LINE by typing
the code to the town's account. A webhook reads no codes: an administrator adds it, with its secret.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

import structlog
from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.form import usable_channels
from bot.console.words import account_words, channel_words
from bot.errors import error_page
from bot.forms import read_fields
from bot.pages import page, redirect, service_of
from bot.same_site import comes_from_here
from bot.service import Service
from content.clock import now_ms
from content.register import trial_addresses, trial_requests
from content.register.addresses import BadAddress
from content.register.trial_addresses import MOST_ON_ACCOUNT, AddressRefused
from scheduler import trial_addressing

log = structlog.get_logger(__name__)

PAGE = "/console/account/trial-addresses"
CONFIRM = "/console/trial-address"
# Seconds that the mail server may take while somebody waits for the page.
MAIL_WITHIN = 10.0
NOTES = {
    "mailed": "確認のメールを送りました。24時間以内に、メールの中のリンクを開いて「登録する」を押してください。",
    "removed": "試し送り先を消しました。",
    "added": "試し送り先に登録しました。",
}
BAD = {
    "mail": "メールアドレスは name@example.jp の形で入力してください。まだ何も登録していません。",
    "webhook": "WebhookのURLは https://example.jp/hook の形で入力してください。まだ何も登録していません。",
}
NOT_MAILED = (
    "確認のメールを送れませんでした。アドレスに間違いがないか確かめ、少し待ってからもう一度行ってください。"
)


async def show_addresses(staff_request: StaffRequest) -> web.Response:
    return await _page(staff_request)


async def ask_line(staff_request: StaffRequest) -> web.Response:
    """The code is on this page once; she types it to the town's account."""
    try:
        code = await trial_addressing.ask(staff_request.service.context, staff_request.staff, "line")
    except (AddressRefused, LookupError) as error:
        return await _page(staff_request, _words(error, "line"))
    return await _page(staff_request, code=f"{code[:4]} {code[4:]}")


async def ask_mail(staff_request: StaffRequest) -> web.Response:
    service = staff_request.service
    plain = (await read_fields(staff_request.request)).get("address", "").strip()
    try:
        code = await trial_addressing.ask(service.context, staff_request.staff, "mail", plain)
    except (AddressRefused, BadAddress, LookupError) as error:
        return await _page(staff_request, _words(error, "mail"), typed=plain)
    try:
        await _mail(service, plain, code)
    except Exception as error:
        # The message of a mail server could repeat the address.
        log.warning("trial_mail_not_sent", error=type(error).__name__)
        return await _page(staff_request, NOT_MAILED, typed=plain)
    return redirect(f"{PAGE}?note=mailed")


async def add_webhook(staff_request: StaffRequest) -> web.Response:
    """Its secret is shown once, for the receiver."""
    url = (await read_fields(staff_request.request)).get("url", "").strip()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    try:
        await trial_addressing.add_webhook(
            staff_request.service.context, staff_request.staff, f"{url} {secret}"
        )
    except (AddressRefused, BadAddress, LookupError) as error:
        return await _page(staff_request, _words(error, "webhook"), typed_url=url)
    return await _page(staff_request, secret=secret)


async def remove(staff_request: StaffRequest) -> web.Response:
    sent = (await read_fields(staff_request.request)).get("id", "")
    number = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else 0
    removed = await trial_addressing.remove(staff_request.service.context, staff_request.staff, number)
    return redirect(f"{PAGE}?note=removed" if removed else PAGE)


async def show_confirm(request: web.Request) -> web.Response:
    """Open to whoever has the link, like the page for a password: the mail is read on a phone without a session."""
    service, code = service_of(request), request.match_info["code"]
    async with service.database.read() as connection:
        found = await trial_requests.find(connection, service.keys, code, "mail", at=now_ms())
    state = "ask" if found else "over"
    return page(request, "console/trial_confirm.html", status=200 if found else 404, state=state)


async def confirm(request: web.Request) -> web.Response:
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    try:
        async with service.database.write() as connection:
            found = await trial_addressing.confirm(
                connection, service.keys, request.match_info["code"], "mail", at=now_ms()
            )
    except AddressRefused as refused:
        return page(request, "console/trial_confirm.html", status=422, state="refused", message=str(refused))
    state = "done" if found else "over"
    return page(request, "console/trial_confirm.html", status=200 if found else 404, state=state)


async def _mail(service: Service, to: str, code: str) -> None:
    from channels.mail.plain import send_plain

    town, settings = service.town, service.settings
    await send_plain(
        settings.mail.smtp_url.get_secret_value(),
        sender=settings.mail.sender,
        to=[to],
        subject=f"試し送り先の確認({town.name} お知らせ配信)",
        body=(
            f"{town.name}のお知らせ配信で、このメールアドレスを職員の試し送り先に登録する手続きがありました。\n"
            "登録するときは、24時間以内に次のページを開いて「登録する」を押してください。\n\n"
            f"{settings.public_url}{CONFIRM}/{code}\n\n"
            "心当たりがないときは、何もしないでください。登録されません。\n"
            f"問い合わせ: {town.office} {town.phone}\n"
        ),
        timeout=MAIL_WITHIN,
    )


def _words(error: Exception, channel: str) -> str:
    if isinstance(error, AddressRefused):
        return str(error)
    if isinstance(error, LookupError):
        return f"{channel_words(channel)}は、この町では使っていません。"
    return BAD.get(channel, BAD["mail"])


async def _page(staff_request: StaffRequest, error: str = "", **values: Any) -> web.Response:
    service, member = staff_request.service, staff_request.staff
    async with service.database.read() as connection:
        own = await trial_addresses.of_staff(connection, service.keys, member.id)
        waiting = await trial_requests.waiting_of(connection, member.id, at=now_ms())
    shown: dict[str, Any] = {"code": "", "secret": "", "typed": "", "typed_url": "", **values}
    return staff_request.page(
        "console/trial_addresses.html",
        status=422 if error else 200,
        own=own,
        waiting=[(account_words(service.town, account), until) for account, until in waiting],
        channels=usable_channels(service),
        error=error,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
        channel_name=channel_words,
        most=MOST_ON_ACCOUNT,
        **shown,
    )

"""Pages for what went wrong: what it means and what to do next, and a log line without anyone's data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.api.problems import problem_of_status
from bot.door.headers import API, MACHINE_PATHS
from bot.logs import where
from bot.pages import page

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# What a refusal says beside its page.
KEPT = ("Allow", "Retry-After")
TEXTS = {
    400: (
        "送られた内容を読み取れません",
        "前の画面に戻って再読み込みし、もう一度送ってください。まだ何も保存・送信されていません。",
        "What was sent cannot be read. Go back, reload and send it again.",
    ),
    403: (
        "この操作はできません",
        "あなたの権限では開けない画面か、できない操作です。必要なときは、管理者に権限の変更を頼んでください。",
        "You are not allowed to do this.",
    ),
    404: (
        "ページが見つかりません",
        "アドレスが違うか、公開が終わったページです。アドレスをもう一度確かめてください。",
        "This page does not exist, or it is no longer public.",
    ),
    405: (
        "この方法では開けません",
        "前の画面に戻って、ボタンを押し直してください。",
        "This address cannot be opened in this way.",
    ),
    413: (
        "送られた内容が大きすぎます",
        "文章を短くして(画像は小さくして)、もう一度送ってください。まだ何も保存・送信されていません。",
        "What you sent is too large.",
    ),
    415: (
        "この形式では受け取れません",
        "ブラウザーで前の画面に戻って再読み込みし、もう一度送ってください。まだ何も保存・送信されていません。",
        "This service reads plain forms in UTF-8 only. Go back, reload and send it again.",
    ),
    500: (
        "画面を表示できませんでした",
        "サービスの内部で問題が起きました。少し待って、もう一度開いてください。"
        "続くときは管理者に時刻を伝えてください。承認済みのお知らせの配信は、この画面と関係なく続いています。",
        "Something went wrong on our side. Please try again in a moment.",
    ),
}


@web.middleware
async def error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns errors into pages; what nobody expected is logged and becomes a 500."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status >= 400 and request.path.startswith(API):
            return problem_of_status(error.status, _kept(error))
        if error.status < 400 or _is_machine(request):
            raise
        response = error_page(request, error.status)
        response.headers.update(_kept(error))
        return response
    except Exception as error:
        log.error(
            "request_failed",
            method=request.method,
            route=_route(request),
            error=type(error).__name__,
            where=where(error.__traceback__),
        )
        if request.path.startswith(API):
            return problem_of_status(500)
        if _is_machine(request):
            return web.Response(status=500, text="internal error")
        return error_page(request, 500)


def error_page(request: web.Request, status: int) -> web.Response:
    title, remedy, english = TEXTS.get(status) or TEXTS[404 if status < 500 else 500]
    return message_page(request, status, title, remedy, english)


def message_page(
    request: web.Request,
    status: int,
    title: str,
    remedy: str,
    english: str,
    *,
    is_console: bool | None = None,
) -> web.Response:
    """One heading, one remedy, and the way back; as a page of the console when that is where it was asked for."""
    if is_console is None:
        is_console = request.path.startswith("/console")
    return page(
        request,
        "error.html",
        status=status,
        title=title,
        remedy=remedy,
        english=english,
        back="/console/" if is_console else "/",
        is_console=is_console,
    )


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {name: error.headers[name] for name in KEPT if name in error.headers}


def _is_machine(request: web.Request) -> bool:
    return request.path.startswith(MACHINE_PATHS)


def _route(request: web.Request) -> str:
    # The pattern, not the path: a path may carry an unsubscribe token.
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""

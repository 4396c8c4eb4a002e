"""What the door itself answers, when a request does not get as far as the pages behind it."""

from __future__ import annotations

from aiohttp import web

from bot.api.problems import problem_of_status
from bot.door.headers import API, HEADERS, MACHINE_PATHS, SERVER

AGAIN = "少し待って、もう一度開いてください。お知らせの配信は、この画面と関係なく続いています。"
TEXTS = {
    400: (
        "送られた内容を読み取れません",
        "アドレスをもう一度確かめて、開き直してください。",
        "The request cannot be read.",
    ),
    405: (
        "この方法では開けません",
        "前の画面に戻って、ボタンを押し直してください。",
        "This address cannot be opened in this way.",
    ),
    408: (
        "通信に時間がかかりすぎました",
        "電波のよい所で、もう一度送ってください。まだ何も保存・送信されていません。",
        "It took too long to receive what you sent. Please send it again.",
    ),
    413: (
        "送られた内容が大きすぎます",
        "文章を短くして(画像は小さくして)、もう一度送ってください。まだ何も保存・送信されていません。",
        "What you sent is too large.",
    ),
    415: (
        "この形式では受け取れません",
        "ブラウザーで前の画面に戻って再読み込みし、もう一度送ってください。まだ何も保存・送信されていません。",
        "This service does not read packed content. Go back, reload and send it again.",
    ),
    500: (
        "画面を表示できませんでした",
        AGAIN,
        "Something went wrong on our side. Please try again in a moment.",
    ),
    503: ("ただいま混み合っています", AGAIN, "Many people are here right now. Please try again in a moment."),
    504: ("応答に時間がかかっています", AGAIN, "It takes longer than usual. Please try again in a moment."),
}
PAGE = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/kairanban.css">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{remedy}</p>
<p lang="en">{english}</p>
</main>
</body>
</html>
"""


def refusal(status: int, path: str = "") -> web.Response:
    """A page for people, JSON for what calls our interface, one line for other machines. The connection ends where its rest cannot be trusted."""
    title, remedy, english = TEXTS[status]
    if path.startswith(API):
        answer = problem_of_status(status)
    elif path.startswith(MACHINE_PATHS):
        answer = web.Response(status=status, text=f"{english}\n")
    else:
        text = PAGE.format(title=title, remedy=remedy, english=english)
        answer = web.Response(status=status, text=text, content_type="text/html")
    answer.headers.update(HEADERS)
    answer.headers["Server"] = SERVER
    if status == 405:
        answer.headers["Allow"] = "GET, HEAD, POST"
    if status in (503, 504):
        answer.headers["Retry-After"] = "5"
    if status in (400, 408, 413, 415):
        answer.force_close()
    return answer

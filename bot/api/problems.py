"""Refusals that a program can read: application/problem+json (RFC 9457), with every field and its remedy."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

PROBLEM = "application/problem+json"
TYPE = "urn:kairanban:problem:"
# name → status, title, what to do when nothing better is known.
KNOWN = {
    "unreadable": (400, "The request cannot be read", "JSON(UTF-8)として読めません。"),
    "no-key": (
        400,
        "Idempotency-Key is missing",
        "Idempotency-Key を、1〜255文字の英数字と記号で付けてください。例: UUID。同じお知らせを送り直すときは同じ値にします。",
    ),
    "unknown-token": (
        401,
        "Unknown or ended key",
        "接続キーがないか、終わっています。Authorization: Bearer の後に接続キーを書いてください。",
    ),
    "wrong-place": (403, "Not from this address", "この接続元からは使えない接続キーです。"),
    "not-allowed": (403, "Not allowed", "この接続キーに、この分野でのこの操作は許されていません。"),
    "not-found": (404, "Not found", "ありません。アドレスと番号を確かめてください。"),
    "no-such-way": (405, "Method not allowed", "この方法では呼べません。"),
    "too-late": (408, "Too slow", "送られるのに時間がかかりすぎました。もう一度送ってください。"),
    "too-large": (413, "Too large", "大きすぎます。短くしてください。"),
    "no-json": (
        415,
        "Not JSON",
        "Content-Type: application/json、文字コードUTF-8、圧縮なしで送ってください。",
    ),
    "refused": (
        422,
        "The notice cannot be sent",
        "このままでは送れません。problems のとおりに直してください。",
    ),
    "questioned": (
        422,
        "Findings want a yes",
        "確かめてほしい指摘があります。直すか、確かめて accept にコードを書いてください。",
    ),
    "key-reused": (
        422,
        "Idempotency-Key belongs to another request",
        "この Idempotency-Key は、ほかの内容で使われています。新しい値にしてください。",
    ),
    "too-many": (429, "Too many requests", "回数の上限に達しました。Retry-After の秒数だけ待ってください。"),
    "broken": (
        500,
        "Internal error",
        "内部で問題が起きました。同じ Idempotency-Key で、もう一度送ってください。",
    ),
    "busy": (503, "Busy", "混み合っています。同じ Idempotency-Key で、少し待って送り直してください。"),
    "no-answer": (
        504,
        "No answer in time",
        "時間内に終わりませんでした。同じ Idempotency-Key で送り直してください。",
    ),
}
BY_STATUS = {status: name for name, (status, _, _) in reversed(KNOWN.items())}


def problem_body(name: str, detail: str = "", **more: Any) -> dict[str, Any]:
    status, title, usual = KNOWN[name]
    return {"type": TYPE + name, "title": title, "status": status, "detail": detail or usual, **more}


def problem(
    name: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    body = problem_body(name, detail, **more)
    return web.Response(
        status=body["status"],
        text=json.dumps(body, ensure_ascii=False) + "\n",
        content_type=PROBLEM,
        headers=headers,
    )


def problem_of_status(status: int, headers: dict[str, str] | None = None) -> web.Response:
    """For what never came as far as a handler."""
    name = BY_STATUS.get(status) or ("unreadable" if status < 500 else "broken")
    return problem(name, headers=headers)

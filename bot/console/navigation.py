"""The main menu: every page that there is and that this member of staff may open."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from content.staff.members import Staff


@dataclass(frozen=True, slots=True)
class MenuItem:
    """`current` is the page itself or one below it."""

    href: str
    label: str
    current: bool = False


# Shown as soon as there is a page under the address. (address, word, permission)
PAGES = (
    ("/console/", "ホーム", "see"),
    ("/console/waiting", "承認待ち", "write"),
    ("/console/notices", "お知らせ", "see"),
    ("/console/calendar", "予定表", "see"),
    ("/console/segments", "配信対象", "see"),
    ("/console/templates", "ひな形", "see"),
    ("/console/groups", "グループ", "see"),
    ("/console/shelters", "避難場所", "see"),
    ("/console/faq", "よくある質問", "see"),
    ("/console/displays", "表示板", "see"),
    ("/console/accounts", "配信手段", "see"),
    ("/console/unreachable", "届かない方", "see"),
    ("/console/reports", "報告", "see"),
    ("/console/plans", "計画", "see"),
    ("/console/self-tests", "自己点検", "see"),
    ("/console/alarms", "警報", "see"),
    ("/console/audit", "操作の記録", "administer"),
    ("/console/people", "職員", "administer"),
    ("/console/machines", "機械からの投稿", "administer"),
    ("/console/settings", "設定", "administer"),
    ("/console/maintenance", "保守モード", "administer"),
    ("/console/account", "自分の設定", "see"),
)


def menu(request: web.Request, staff: Staff) -> list[MenuItem]:
    known = {resource.canonical for resource in request.app.router.resources()}
    return [
        MenuItem(href, label, _is_current(href, request.path))
        for href, label, permission in PAGES
        if href in known and staff.may(permission)
    ]


def _is_current(href: str, path: str) -> bool:
    return path == href or (href != "/console/" and path.startswith(f"{href}/"))

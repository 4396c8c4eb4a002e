"""A file for a member of staff to save."""

from __future__ import annotations

from aiohttp import web


def download(body: bytes, content_type: str, name: str) -> web.Response:
    return web.Response(
        body=body,
        content_type=content_type,
        charset="utf-8" if content_type.startswith("text/") else None,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

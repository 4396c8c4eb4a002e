"""Calls with JSON to one service."""

from __future__ import annotations

import json
from collections.abc import Mapping

from channels.http import HttpAnswer, HttpClient


class JsonCalls:
    """`headers` go with every call."""

    def __init__(self, origin: str, headers: Mapping[str, str], timeout: float) -> None:
        self._origin = origin.rstrip("/")
        self._headers = {"User-Agent": "kairanban", **headers}
        self._http = HttpClient(timeout=timeout, connections=2)

    async def call(
        self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Raises what `channels.http` raises."""
        about = {**self._headers, **(headers or {})}
        body = None
        if content is not None:
            body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
            about["Content-Type"] = "application/json"
        return await self._http.request(method, self._origin + path, headers=about, body=body)

    async def close(self) -> None:
        await self._http.close()

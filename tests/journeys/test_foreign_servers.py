"""The service against servers that are not our stand-ins: nothing assumes our own sandbox.

The LINE side here records every request and answers as LINE documents; the mail side is a bare
aiosmtpd. Every request to LINE is checked against LINE's own OpenAPI description.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.channels.line_openapi import validate
from tests.journeys.deployment import SECRET, deployed, line_id, until, write_register

SCHEMAS = {
    "/v2/bot/message/multicast": "MulticastRequest",
    "/v2/bot/message/broadcast": "BroadcastRequest",
    "/v2/bot/message/reply": "ReplyMessageRequest",
}

pytestmark = pytest.mark.slow


class OtherLine:
    """Records requests; answers with LINE's documented success."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    async def handle(self, request: web.Request) -> web.Response:
        answer = await self._answer(request)
        # LINE names every answer; without that it might be a portal's.
        answer.headers["x-line-request-id"] = str(uuid.uuid4())
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.requests.append((request.path, json.loads(await request.read() or b"{}")))
        if request.path.startswith("/v2/bot/profile/"):
            return web.json_response(
                {"userId": request.path.rpartition("/")[2], "displayName": "x", "language": "ja"}
            )
        if request.path == "/v2/bot/message/reply":
            return web.json_response({"sentMessages": [{"id": "1", "quoteToken": "q"}]})
        return web.json_response({})

    def sent_to(self, path: str) -> list[dict[str, Any]]:
        return [body for sent, body in self.requests if sent == path]


class OtherMail:
    """A handler of aiosmtpd."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 2.0.0 ok"


@asynccontextmanager
async def other_servers() -> AsyncIterator[tuple[OtherLine, str, OtherMail, int]]:
    line, mail = OtherLine(), OtherMail()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", line.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mail), "127.0.0.1", 0)
    try:
        yield line, f"http://127.0.0.1:{runner.addresses[0][1]}", mail, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def test_the_service_runs_by_its_settings_alone(tmp_path: Path) -> None:
    async with (
        other_servers() as (line, line_url, mail, smtp_port),
        deployed(
            tmp_path,
            KAIRANBAN_LINE__API_BASE=line_url,
            KAIRANBAN_MAIL__SMTP_URL=f"smtp://127.0.0.1:{smtp_port}",
        ) as town,
    ):
        await town.init()
        write_register(tmp_path / "register.csv", line=1_200, mail=30)
        code, _, err = await town.run("subscribers", "import", str(tmp_path / "register.csv"))
        assert code == 0, err
        await town.serve()
        await _somebody_subscribes(town, line)
        shown = await town.json(
            *(
                "notice",
                "post",
                "--category",
                "saigai",
                "--title",
                "大雨警報",
                "--body",
                "川に近づかないでください",
            ),
            *("--urgent", "--channel", "line", "--channel", "mail", "--wait", "--json"),
        )
        await town.json(
            *("notice", "post", "--category", "saigai", "--title", "全員へ", "--body", "高台へ"),
            *("--urgent", "--everyone", "--accept", "everyone", "--accept", "too-short"),
            *("--channel", "line", "--wait", "--json"),
        )
        assert shown["channels"]["line"]["accepted"] == 1_201
        assert shown["channels"]["mail"]["accepted"] == 30
        multicasts = line.sent_to("/v2/bot/message/multicast")
        assert sorted(len(body["to"]) for body in multicasts) == [201, 500, 500]
        reached = [user for body in multicasts for user in body["to"]]
        assert len(set(reached)) == len(reached) == 1_201
        assert len(line.sent_to("/v2/bot/message/broadcast")) == 1
        assert sorted(envelope.rcpt_tos[0] for envelope in mail.envelopes) == sorted(
            f"m{number}@example.jp" for number in range(30)
        )
        assert {len(envelope.rcpt_tos) for envelope in mail.envelopes} == {1}
        for path, body in line.requests:
            if path in SCHEMAS:
                validate(SCHEMAS[path], body)


async def _somebody_subscribes(town: Any, line: OtherLine) -> None:
    """A follow by a hand-signed webhook, as LINE sends it."""
    event = {
        "type": "follow",
        "mode": "active",
        "timestamp": 1_790_000_000_000,
        "source": {"type": "user", "userId": line_id(999_999)},
        "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        "follow": {"isUnblocked": False},
    }
    body = json.dumps({"destination": line_id(0), "events": [event]}).encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    url = f"{town.web_url}/line/webhook"
    async with town.session.post(url, data=body, headers={"x-line-signature": "wrong"}) as answer:
        assert answer.status == 403
    for _ in range(2):
        async with town.session.post(url, data=body, headers={"x-line-signature": signature}) as answer:
            assert answer.status == 200

    async def greeted() -> bool:
        return bool(line.sent_to("/v2/bot/message/reply"))

    await until(greeted, "the greeting")
    text = json.dumps(line.sent_to("/v2/bot/message/reply"), ensure_ascii=False)
    assert re.search("柴田町", text)

"""A bot as somebody writes it with LINE's SDK for Python: it echoes, and does on POST /do what a test asks for."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    BroadcastRequest,
    Configuration,
    MessagingApi,
    MessagingApiBlob,
    MulticastRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    RichMenuRequest,
    TextMessage,
    ValidateMessageRequest,
)
from linebot.v3.webhook import WebhookParser
from linebot.v3.webhooks import (
    FollowEvent,
    ImageMessageContent,
    JoinEvent,
    MessageEvent,
    PostbackEvent,
    StickerMessageContent,
    TextMessageContent,
)

origin = os.environ["LINE_ORIGIN"]
client = ApiClient(Configuration(host=origin, access_token=os.environ["CHANNEL_TOKEN"]))
line, blob = MessagingApi(client), MessagingApiBlob(client)
parser = WebhookParser(os.environ["CHANNEL_SECRET"])

AREA = {
    "bounds": {"x": 0, "y": 0, "width": 800, "height": 270},
    "action": {"type": "postback", "data": "a=1", "displayText": "1"},
}
MENU = {
    "size": {"width": 800, "height": 270},
    "selected": True,
    "name": "menu",
    "chatBarText": "メニュー",
    "areas": [AREA],
}


def say(text: str, quote: str | None = None) -> TextMessage:
    return TextMessage(text=text, quoteToken=quote)


def answer(event: Any) -> TextMessage | None:
    if isinstance(event, FollowEvent):
        return say(f"ようこそ {line.get_profile(event.source.user_id).display_name}")
    if isinstance(event, JoinEvent):
        return say(f"{line.get_group_summary(event.source.group_id).group_name}のみなさん")
    if isinstance(event, PostbackEvent):
        return say(event.postback.data)
    if not isinstance(event, MessageEvent):
        return None
    message = event.message
    if isinstance(message, TextMessageContent):
        return say(message.text, message.quote_token)
    if isinstance(message, ImageMessageContent):
        return say(f"{len(blob.get_message_content(message.id))} bytes")
    if isinstance(message, StickerMessageContent):
        return say(f"{message.package_id}/{message.sticker_id}")
    return say(message.type)


def handle(event: Any) -> None:
    said = answer(event)
    if said is not None:
        line.reply_message(ReplyMessageRequest(replyToken=event.reply_token, messages=[said]))


def outcome(request: Callable[[], Any]) -> dict[str, Any]:
    try:
        response = request()
    except ApiException as error:
        accepted = error.headers.get("x-line-accepted-request-id")
        return {"status": error.status, "acceptedRequestId": accepted, "body": json.loads(error.body)}
    body = response.data.to_dict() if hasattr(response.data, "to_dict") else response.data
    return {
        "status": response.status_code,
        "requestId": response.headers.get("x-line-request-id"),
        "body": body,
    }


def push_twice(to: str) -> list[dict[str, Any]]:
    key = str(uuid.uuid4())
    wanted = PushMessageRequest(to=to, messages=[say("一度だけ")])
    return [outcome(lambda: line.push_message_with_http_info(wanted, x_line_retry_key=key)) for _ in range(2)]


def multicast(to: list[str]) -> list[dict[str, Any]]:
    wanted = MulticastRequest(to=to, messages=[say("みなさんへ")])
    return [outcome(lambda: line.multicast_with_http_info(wanted, x_line_retry_key=str(uuid.uuid4())))]


def broadcast() -> list[dict[str, Any]]:
    wanted = BroadcastRequest(messages=[say("全員へ")])
    return [outcome(lambda: line.broadcast_with_http_info(wanted, x_line_retry_key=str(uuid.uuid4())))]


def refused(to: str) -> list[dict[str, Any]]:
    return [outcome(lambda: line.push_message_with_http_info(PushMessageRequest(to=to, messages=[say("")])))]


def validate() -> list[dict[str, Any]]:
    return [
        outcome(lambda: line.validate_push_with_http_info(ValidateMessageRequest(messages=[say("よし")])))
    ]


def followers() -> list[str]:
    return list(line.get_followers(limit=1000).user_ids)


def menu(to: str) -> bool:
    made = line.create_rich_menu(RichMenuRequest.from_dict(MENU)).rich_menu_id
    picture = bytearray(Path(os.environ["PICTURE"]).read_bytes())
    blob.set_rich_menu_image(made, body=picture, _headers={"Content-Type": "image/png"})
    line.link_rich_menu_id_to_user(to, made)
    return bool(line.get_rich_menu_id_of_user(to).rich_menu_id == made)


TASKS: dict[str, Callable[..., Any]] = {
    "pushTwice": push_twice,
    "multicast": multicast,
    "broadcast": broadcast,
    "refused": refused,
    "validate": validate,
    "followers": followers,
    "menu": menu,
}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            status, result = self._serve(body)
        except Exception as error:
            status, result = 500, {"error": repr(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(result, ensure_ascii=False).encode())

    def _serve(self, body: str) -> tuple[int, Any]:
        if self.path == "/do":
            wanted = json.loads(body)
            return 200, TASKS[wanted.pop("what")](**wanted)
        try:
            events = parser.parse(body, self.headers.get("X-Line-Signature", ""))
        except InvalidSignatureError:
            return 401, {}
        for event in events:
            handle(event)
        return 200, {}

    def log_message(self, *_words: Any) -> None:
        """The port is all that is said."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()

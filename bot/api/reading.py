"""What a machine sent, read whole and strictly, or every mistake with its field and remedy."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bot.api.models import FIELDS, NewNotice
from bot.api.problems import problem
from bot.forms import read_body
from content.check_rules import CHECKS

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# What pydantic finds → the remedy.
REMEDIES = {
    "missing": "必ず書いてください。",
    "extra_forbidden": "この項目はありません。綴りを確かめてください。",
    "enum": "決められた値から選んでください。",
    "string_type": "文字列で書いてください。",
    "string_too_long": "長すぎます。",
    "list_type": "配列で書いてください。",
    "dict_type": "オブジェクトで書いてください。",
    "model_type": "オブジェクトで書いてください。",
    "too_long": "多すぎます。",
}
TIMES = "ISO 8601 の日時で書いてください。例: 2026-04-07T09:00:00+09:00"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and what makes it the same as another: its key and its body, byte for byte."""

    notice: NewNotice
    key_hash: bytes
    body_hash: bytes

    @property
    def submission_key(self) -> str:
        return f"machine:{self.key_hash.hex()}"


async def read_request(request: web.Request, machine_id: int) -> Asked | web.Response:
    """The response is the refusal."""
    key = request.headers.getall("Idempotency-Key", [])
    if len(key) != 1 or not IDEMPOTENCY_KEY.fullmatch(key[0]):
        return problem("no-key")
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        return problem("no-json")
    body = await read_body(request)
    try:
        notice = NewNotice.model_validate_json(body)
    except ValidationError as error:
        mistakes = [_mistake(item) for item in error.errors(include_url=False, include_input=False)]
        if any(item["code"] == "json_invalid" for item in mistakes):
            return problem("unreadable")
        return problem("refused", problems=mistakes)
    if unknown := sorted(set(notice.accept) - set(CHECKS)):
        said = f"「{unknown[0]}」という指摘のコードはありません。"
        return problem("refused", problems=[{"field": "accept", "code": "unknown-code", "message": said}])
    owned = hashlib.sha256(f"{machine_id}:{key[0]}".encode()).digest()
    return Asked(notice, owned, hashlib.sha256(body).digest())


def field_name(field: str, language: str) -> str:
    """What the checks call a field, as it is called in the request."""
    if field in ("title", "body"):
        return f"texts.{language}.{field}"
    return FIELDS.get(field, field)


def _mistake(item: Any) -> dict[str, str]:
    kind = str(item["type"])
    remedy = TIMES if kind.startswith("datetime") else REMEDIES.get(kind, "形が違います。")
    allowed = item.get("ctx", {}).get("expected")
    most = item.get("ctx", {}).get("max_length")
    more = f"({allowed})" if allowed else (f"({most}まで)" if most else "")
    # A name that the program made up may be as long as it likes.
    return {"field": ".".join(map(str, item["loc"]))[:200], "code": kind, "message": remedy + more}

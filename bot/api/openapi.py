"""The description of the machine interface (OpenAPI 3.1), made from the models that read and answer."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.models import NewNotice, NoticeJson, PostedJson, ProblemJson
from bot.api.problems import KNOWN, PROBLEM

REF = "#/components/schemas/{model}"
MODELS: tuple[type[BaseModel], ...] = (NewNotice, NoticeJson, PostedJson, ProblemJson)
EXAMPLE = {
    "category": "saigai",
    "mode": "drill",
    "texts": {
        "ja": {
            "title": "船岡地区の断水",
            "body": "船岡地区で、水道管の破損のため断水しています。給水車は船岡小学校に来ます。",
        }
    },
}
# What each request can be refused for; the statuses stand in problems.py.
POST_REFUSALS = (400, 401, 403, 413, 415, 422, 429, 503)
GET_REFUSALS = (401, 403, 404, 429, 503)


@cache
def description() -> dict[str, Any]:
    """As it is served at /api/v1/openapi.json."""
    _, schemas = models_json_schema([(model, "validation") for model in MODELS], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "回覧板 機械からの投稿",
            "version": version("kairanban"),
            "description": "お知らせを、管理画面やコマンドと同じ点検と上限で出します。",
        },
        "security": [{"token": []}],
        "paths": {
            "/api/v1/notices": {"post": _post()},
            "/api/v1/notices/{id}": {"get": _get()},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _post() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "このお知らせに固有の値。同じ値の同じ内容は、何度送っても1件で、同じ答えになる",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
    return {
        "operationId": "postNotice",
        "summary": "お知らせを出す",
        "parameters": [key],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(NewNotice), "example": EXAMPLE}},
        },
        "responses": {
            "201": {
                "description": "受け付けた。承認を待つものは waiting_for_approval が true",
                "headers": {"Location": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": _ref(PostedJson)}},
            },
            **_refusals(POST_REFUSALS),
        },
    }


def _get() -> dict[str, Any]:
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    return {
        "operationId": "showNotice",
        "summary": "お知らせと、その結果を見る",
        "parameters": [number],
        "responses": {
            "200": {
                "description": "いまの状態",
                "content": {"application/json": {"schema": _ref(NoticeJson)}},
            },
            **_refusals(GET_REFUSALS),
        },
    }


def _refusals(statuses: tuple[int, ...]) -> dict[str, Any]:
    return {
        str(status): {
            "description": " / ".join(title for code, title, _ in KNOWN.values() if code == status),
            "content": {PROBLEM: {"schema": _ref(ProblemJson)}},
        }
        for status in statuses
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}

"""The settings in force and where each comes from: for those who administer, read-only, secrets masked."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel, SecretStr

from bot.console.access import StaffRequest
from bot.settings import Settings

FILE = Path("kairanban.toml")


@dataclass(frozen=True, slots=True)
class SettingRow:
    name: str
    value: str
    source: str
    meaning: str


async def show_settings(staff_request: StaffRequest) -> web.Response:
    rows = list(setting_rows(staff_request.service.settings, os.environ, _file()))
    return staff_request.page("console/settings.html", rows=rows)


def setting_rows(
    settings: Settings, environ: Mapping[str, str], file: Mapping[str, Any]
) -> Iterator[SettingRow]:
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            section = file.get(name, {})
            for inner, inner_field in type(value).model_fields.items():
                key = inner_field.alias or inner
                source = _source(f"{name}__{key}", key in section, environ, inner in value.model_fields_set)
                yield _row(f"{name}__{key}", getattr(value, inner), source, inner_field.description)
        else:
            source = _source(name, name in file, environ, name in settings.model_fields_set)
            yield _row(name, value, source, field.description)


def _row(name: str, value: object, source: str, meaning: str | None) -> SettingRow:
    if isinstance(value, SecretStr):
        shown = "(秘密。設定されています)" if value.get_secret_value() else "(空)"
    else:
        shown = str(value) if value not in ("", None, {}) else "(空)"
    return SettingRow(f"KAIRANBAN_{name.upper()}", shown, source, meaning or "")


def _source(name: str, in_file: bool, environ: Mapping[str, str], is_set: bool) -> str:
    variable = f"KAIRANBAN_{name}".upper()
    section = variable.rpartition("__")[0]
    if any(key.upper() in (variable, section) for key in environ):
        return "環境変数"
    if in_file:
        return str(FILE)
    return "起動時の指定" if is_set else "既定値"


def _file() -> Mapping[str, Any]:
    """What stands in the file now; it is read at the start, so a later change is not in force yet."""
    try:
        return tomllib.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}

"""The settings page of the manual, made from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.settings import Settings

HEAD = """# 設定一覧 / Settings

この頁は `kairanban config reference` が作ります。手で直さないでください。

順に強い: コマンドの引数 > 環境変数 > 作業フォルダの `kairanban.toml` > 既定値。
入れ子は環境変数では `__` で区切り、TOML では表にします(`[line]` の `channel_token` など)。
`kairanban config show` が、いま効いている値を秘密を伏せて表示します。

| 環境変数 | 既定値 | 意味 |
|---|---|---|
"""


def reference() -> str:
    """Markdown with one row per setting."""
    return HEAD + "".join(f"| `{name}` | {default} | {meaning} |\n" for name, default, meaning in _rows())


def _rows() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner, inner_field in field.annotation.model_fields.items():
                yield _row(f"{name}__{inner_field.alias or inner}", inner_field)
            continue
        yield _row(name, field)
        for inner, inner_field in _of_each(field).items():
            yield _row(f"{name}__KEY__{inner}", inner_field)


def _of_each(field: FieldInfo) -> dict[str, FieldInfo]:
    """What each entry of a table with names of its own may hold."""
    for part in get_args(field.annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part.model_fields
    return {}


def _row(name: str, field: FieldInfo) -> tuple[str, str, str]:
    default = field.default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    shown = (
        "なし"
        if default in ("", {}) or field.is_required()
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )
    return f"KAIRANBAN_{name.upper()}", shown, field.description or ""

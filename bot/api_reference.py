"""The page of the machine interface in the manual, made from its description."""

from __future__ import annotations

import json
from typing import Any

from bot.api.openapi import EXAMPLE, description
from bot.api.problems import KNOWN, TYPE

HEAD = """# 機械からの投稿 / The machine interface

この頁は `kairanban config api` が作ります。手で直さないでください。

防災システムなどの機械が、HTTPでお知らせを出せます。点検、権限、上限は、管理画面やコマンドから出すときと同じです。
機械が読む説明(OpenAPI 3.1)は `/api/v1/openapi.json` にあります。

## 接続キー
管理者が、管理画面の「機械からの投稿」か `kairanban token add` で作ります。キーは1回だけ表示され、ハッシュだけが残ります。
キーには、名前、課、できること、分野、期限、1時間の上限、接続元のアドレスが付きます。

```sh
kairanban token add 水位計 --permission see --permission write --permission approve --permission send_urgent --category saigai
kairanban token list
kairanban token end 水位計
```

- 二人で承認する分野の通常のお知らせは、承認待ちに入り、職員が承認するまで送られません。
- 保守モードの間に届いたものは、緊急でも保留になり、職員が決めます。
- 登録者全員に送るには、キーに「登録者全員への配信」があり、`accept` に `everyone` が要ります。
- くり返しのお知らせ、訂正、取り消しは、職員が管理画面かコマンドで行います。

## 送る
"""
AFTER_EXAMPLE = """
同じ `Idempotency-Key` の同じ内容は、何度送っても1件で、いつも同じ答えです。答えが届かなかったら、同じ値で送り直してください。
同じ値で違う内容は断ります。断られたものは何も残さないので、直して同じ値で送れます。

点検([checks.md](checks.md))で確かめてほしいことがあれば 422 で返ります。直すか、確かめて `accept` にコードを書きます。
キーは人の代わりに「はい」と言うことになるので、`accept` をいつも付けておくことはしないでください。

結果は `GET /api/v1/notices/{id}` で見ます。`kairanban notice show --json` と同じです。
"""


def reference() -> str:
    """Markdown: the way in, an example, every field and every refusal."""
    schemas = description()["components"]["schemas"]
    example = json.dumps(EXAMPLE, ensure_ascii=False, indent=2)
    return (
        f"{HEAD}\n```sh\ncurl https://kairanban.example.jp/api/v1/notices \\\n"
        '  -H "Authorization: Bearer kairan_…" -H "Idempotency-Key: 0b9d2c1e-suii-17" \\\n'
        f"  -H 'Content-Type: application/json' --data-binary @- <<'END'\n{example}\nEND\n```\n"
        f"{AFTER_EXAMPLE}\n## 項目\n\n| 項目 | 必ず | 何を書くか |\n|---|---|---|\n"
        f"{''.join(_rows(schemas, 'NewNotice'))}\n## 断られるとき\n\n"
        "答えは `application/problem+json` です。`problems` に、項目、コード、直し方が並びます。何も変わっていません。\n\n"
        f"| 状態 | `type` | 意味 |\n|---|---|---|\n{''.join(_refusals())}"
    )


def _rows(schemas: dict[str, Any], model: str, prefix: str = "") -> list[str]:
    rows = []
    for name, field in schemas[model]["properties"].items():
        inner = _model_in(field)
        wanted = "はい" if name in schemas[model].get("required", ()) else ""
        said = field.get("description") or schemas.get(inner, {}).get("description", "")
        rows.append(f"| `{prefix}{name}` | {wanted} | {said} |\n")
        if inner and "properties" in schemas[inner]:
            rows += _rows(schemas, inner, f"{prefix}{name}.{'LANGUAGE.' if name == 'texts' else ''}")
    return rows


def _model_in(field: dict[str, Any]) -> str:
    values = field.get("additionalProperties")
    pointed = field if not isinstance(values, dict) else values
    return str(pointed.get("$ref", "")).rpartition("/")[2]


def _refusals() -> list[str]:
    return [f"| {status} | `{TYPE}{name}` | {said} |\n" for name, (status, _, said) in KNOWN.items()]

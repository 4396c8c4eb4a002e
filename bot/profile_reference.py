"""The page of the manual about the town profile, made from the profile's own models."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from content.accounts import Account
from content.check_rules import CheckRules, Confusable, Duty
from content.choosable import Area, Category, FormerName, Group
from content.office_hours import OfficeHours
from content.town import Annotation, Indicator, Segment, SegmentRule, Template, Town, Words

HEAD = """# 町の設定 / Town profile

この頁は `kairanban config profile` が作ります。手で直さないでください。

町が一度だけ決めることを書くTOMLファイルの項目です。[examples/shibata.toml](../examples/shibata.toml) を写して直し、`KAIRANBAN_TOWN`
で指します。知らない項目や値は、`kairanban config check` と起動のときに、項目の名前を挙げて断られます。「記号」は英小文字で始まる
英数字と `_` `-`(40文字まで)で、いちど使ったら意味を変えません。
"""
# Of fields that several tables have.
KEY = "記号"
NAMES = "ことばごとの名前。`ja` は必ず書く"
CHOOSABLE = {
    "key": KEY,
    "names": NAMES,
    "closed": "もう選べない(お知らせにも使えない)。数の記録は残る",
    "merged_into": "統合先の記号。選んでいた人は、統合先を選んだことになる",
    "split_into": "分割先の記号。選んでいた人は、分割先をすべて選んだことになり、選び直しを案内される",
    "changed_on": "統合・分割・終了の日",
    "former_names": "旧称([旧称](#旧称)の一覧)",
}
# Heading in TOML, model, what each field means.
TABLES: tuple[tuple[str, str, type[BaseModel], dict[str, str]], ...] = (
    (
        "町",
        "(一番上)",
        Town,
        {
            "code": "全国地方公共団体コード(6桁、検査数字を確かめます)。データベースに書かれ、ちがう町の設定では動きません",
            "name": "町の名前",
            "prefecture": "都道府県",
            "names": "ことばごとの町の名前",
            "office": "問い合わせ先(役場)の名前",
            "office_names": "ことばごとの問い合わせ先の名前",
            "phone": "問い合わせ先の電話番号",
            "population": "人口。宛先の件数が多すぎないかの点検に使います",
            "languages": "お知らせを書くことば。`ja` のほかは `bot/translations` に一つ足すと増やせます",
            "categories": "お知らせの種類。[お知らせの種類](#お知らせの種類)",
            "areas": "地区。[地区](#地区)",
            "groups": "招待コードで入る会員。[グループ](#グループ)",
            "segments": "名前を付けた配信対象。[配信対象](#配信対象)",
            "accounts": "送り出す口。[送り出す口](#送り出す口)",
            "templates": "お知らせのひな形。[ひな形](#ひな形)",
            "indicators": "計画の指標。[計画の指標](#計画の指標)",
            "checks": "送る前の点検。[点検](#点検)",
            "office_hours": "通常のお知らせを送ってよい時間。[開庁時間](#開庁時間)",
            "undo_seconds": "画面で承認してから送り始めるまでの秒数(0〜600)。この間は取り消せます",
            "quiet_hours": "自分で選んでいない人のおやすみ時間(`21-7`)。`none` でなし。命に関わる分野と緊急は別",
            "digest_at": "「朝のまとめ」を送る時刻",
            "self_test_at": "毎日の自己点検の時刻。空で行いません",
            "open_data_licence": "登録数を `/opendata` で公開するときのライセンス。空で公開しません",
            "public_performance": "送ったお知らせの数と届くまでの時間を `/performance` で公開する",
            "second_factor": "`senders` で、送れる職員に二つ目の確認(認証アプリかパスキー)を求めます",
        },
    ),
    (
        "お知らせの種類",
        "[[categories]]",
        Category,
        {
            **CHOOSABLE,
            "always": "命に関わる種類。だれにでも届き、外せません",
            "max_late_minutes": "予定からこの分数より遅れたら、送らずに職員の判断を待ちます",
            "icon": "ボタンに出す絵文字",
            "approval": "`two` で、書いた人とは別の人の承認が要ります",
        },
    ),
    (
        "地区",
        "[[areas]]",
        Area,
        {**CHOOSABLE, "reading": "読み(ひらがな)", "part": "画面で並べるときの見出し"},
    ),
    ("旧称", "former_names = [{ … }]", FormerName, {"name": "旧称", "until": "その名前だった最後の日"}),
    ("グループ", "[[groups]]", Group, {"key": KEY, "names": NAMES}),
    (
        "配信対象",
        "[[segments]]",
        Segment,
        {
            "key": KEY,
            "names": NAMES,
            "closed": "もう新しいお知らせに使わない",
            "rules": "条件。すべてに当てはまる登録だけに送ります([条件](#条件))。書かなければ、だれにも送りません",
        },
    ),
    (
        "条件",
        "[[segments.rules]]",
        SegmentRule,
        {
            "field": "何についての条件か",
            "any_of": "このどれかを選んだ登録",
            "none_of": "このどれも選んでいない登録",
            "children_aged": "送る日の満年齢の下と上(`[0, 2]`)",
            "unplaced": "`area` で、地区を選んでいない登録も含める",
        },
    ),
    (
        "送り出す口",
        "[[accounts]]",
        Account,
        {
            "key": f"{KEY}。合言葉は `kairanban.toml` の `[accounts.記号]` に書きます([sns.md](sns.md))",
            "channel": "配信手段",
            "mode": "`live` 本番、`drill` 訓練、`test` 試験の口",
            "also_carries": "本番の口から訓練や試験も送ってよいとき、その種別",
            "everyone": "`broadcast` で、「全員」のお知らせをLINEの一斉配信で送ります(登録が記録されていない友だちにも届く)",
            "topic": "投稿する口: 何の口か(公式、観光、図書館)",
            "categories": "投稿する口: 載せる種類の記号。書かなければすべて",
            "life_critical": "投稿する口: 命に関わるお知らせは `categories` になくても載せる",
            "language": "投稿する口: 話すことば",
            "parts": "投稿する口: 1件のお知らせに使う投稿の数の上限(1〜20)",
            "link": "投稿する口: 文がすべて収まるときもページへのリンクを付ける(Xでは費用がかかる)",
        },
    ),
    (
        "ひな形",
        "[[templates]]",
        Template,
        {
            "key": KEY,
            "name": "画面に出す名前",
            "category": "お知らせの種類の記号",
            "urgency": "`urgent` 緊急、`routine` 通常",
            "shelf": "`drill` で訓練のひな形",
            "department": "受け持つ課の記号",
            "closed": "もう使わない",
            "texts": "ことばごとの題と本文([文](#文))。`{{名前}}` は書くときに一度だけ尋ねる穴です",
        },
    ),
    ("文", "[templates.texts.ja]", Words, {"title": "題", "body": "本文"}),
    (
        "計画の指標",
        "[[indicators]]",
        Indicator,
        {
            "key": KEY,
            "name": "指標の名前",
            "plan": "計画の名前",
            "definition": "定義。報告とファイルに必ず載ります",
            "channels": "数える配信手段",
            "unit": "単位",
            "targets": "年度ごとの目標(`{ 2022 = 4500 }`)",
            "annotations": "月ごとの注([注](#注))",
            "invented": "デモの架空の値。報告に「架空の値」と出ます",
            "published": "`invented` のとき、公表された値の月(`2023-03`)",
        },
    ),
    ("注", "[[indicators.annotations]]", Annotation, {"month": "月(`2022-04`)", "text": "注の文"}),
    (
        "点検",
        "[checks]",
        CheckRules,
        {
            "levels": "点検ごとの重さ(記号は [checks.md](checks.md))。`off` で行いません",
            "abolished": "使わなくなった言葉と、今の言葉",
            "confusables": "まちがえやすい言葉([まちがえやすい言葉](#まちがえやすい言葉))",
            "duty": "職員がいる時間([勤務時間](#勤務時間))",
        },
    ),
    (
        "まちがえやすい言葉",
        "[[checks.confusables]]",
        Confusable,
        {"wrong": "まちがい", "right": "正しい言葉", "after": "この言葉のすぐ後なら、まちがいではない"},
    ),
    (
        "勤務時間",
        "[checks.duty]",
        Duty,
        {"opens": "始まり", "closes": "終わり", "weekdays": "曜日(月曜が0)"},
    ),
    ("開庁時間", "[office_hours]", OfficeHours, {"opens": "始まり", "closes": "終わり"}),
)


def reference() -> str:
    """Markdown: a table for each table of the file."""
    return HEAD + "".join(_section(*table) for table in TABLES)


def _section(name: str, heading: str, model: type[BaseModel], meanings: dict[str, str]) -> str:
    rows = "".join(_rows(model, meanings))
    return f"\n## {name}\n\n`{heading}`\n\n| 項目 | 値 | 既定値 | 意味 |\n|---|---|---|---|\n{rows}"


def _rows(model: type[BaseModel], meanings: dict[str, str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        shown = field.alias or name
        yield f"| `{shown}` | {_kind(field.annotation)} | {_default(field)} | {meanings[shown]} |\n"


def _kind(kind: Any) -> str:
    """What may stand there, in a word."""
    if get_origin(kind) is Literal:
        return " ".join(f"`{_plain(one)}`" for one in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return _kind(next(one for one in get_args(kind) if one is not type(None)))
    if get_origin(kind) is tuple:
        return "一覧"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " ".join(f"`{one}`" for one in kind)
    if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return "表"
    return {bool: "`true` `false`", int: "整数", date: "日付"}.get(kind, "文字")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "必ず書く"
    if field.default in ("", (), {}, None) or isinstance(field.default, BaseModel):
        return "なし"
    if isinstance(field.default, tuple):
        return f"`[{', '.join(str(_plain(one)) for one in field.default)}]`"
    return f"`{_plain(field.default)}`"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

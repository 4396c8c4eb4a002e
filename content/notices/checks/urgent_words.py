"""What an urgent notice should say: who, which hazard, where to, when and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.notices.checks.finding import Finding
from content.notices.notices import NoticeSpec
from content.town import Town, Urgency

_PARTS = {
    "だれが(地区や対象の方)": r"地区|地域|の方|の人|住民|町民|町内|全域|沿い|付近|丁目|高齢者|児童|保護者|利用者|みなさ|皆さ|皆様",
    "何が起きているか": r"川|洪水|氾濫|はんらん|浸水|大雨|豪雨|土砂|がけ|津波|地震|震度|火災|火事|噴火|台風|暴風|竜巻|大雪|"
    r"断水|停電|ガス|不審|クマ|熊|猪|イノシシ|ミサイル|行方不明|事件|事故|熱中症|食中毒|漏れ|通行止|凶器|強盗|感染",
    "どこへ(避難所など)": r"避難所|避難場所|高台|高い所|高いところ|建物|屋内|家|自宅|室内|階|小学校|中学校|公民館|センター|体育館|"
    r"安全な場所|危険な場所|離れ|近づか|通らない|外出",
    "いつ": r"今すぐ|いますぐ|直ちに|ただちに|至急|すぐに|早め|速やか|現在|本日|今日|今夜|明日|[0-9０-９]+[ 　]?[時日分]|発令しました|発生しました",
    "何をするか": r"避難|逃げ|にげ|離れ|移っ|移動|確保|控え|避け|ください|下さい|しない|通報|連絡|備え|注意|確認",
}
_FOUND = {part: re.compile(words) for part, words in _PARTS.items()}


def check_urgent_words(spec: NoticeSpec, town: Town) -> Iterator[Finding]:
    """Names the parts that are missing, in one note."""
    if spec.urgency != Urgency.URGENT or "ja" not in spec.texts:
        return
    text = "\n".join(spec.texts["ja"])
    names_an_area = any(area.name() in text for area in town.areas)
    missing = [
        part
        for index, (part, words) in enumerate(_FOUND.items())
        if not words.search(text) and not (index == 0 and names_an_area)
    ]
    if missing:
        yield Finding(
            "urgent-incomplete",
            "body",
            f"緊急のお知らせに、次のことが書かれていないようです:{'、'.join(missing)}",
            "急ぐときはそのまま送れます。分かっていることがあれば足してください。",
        )

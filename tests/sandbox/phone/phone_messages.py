"""Messages as a town sends them, for the phones of the tests."""

from typing import Any

ALERT_ALT = (
    "【警戒レベル4 避難指示】北区一〜三丁目 いますぐ にげてください。"
    "ひらく避難所: 第一小学校、北公民館。くわしくは役場 0254-22-3030 へ。"
)


def quick_reply(label: str, data: str) -> dict[str, Any]:
    action = {"type": "postback", "label": label, "data": data, "displayText": label}
    return {"type": "action", "action": action}


SAFETY_REPLIES = {
    "items": [
        quick_reply("無事です", "v1|safe|12"),
        quick_reply("助けが必要です", "v1|help|12"),
        quick_reply("家族に伝えました", "v1|told|12"),
    ]
}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def word(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, "wrap": True, **more}


def box(layout: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def row(term: str, value: str) -> dict[str, Any]:
    label = word(term, size="sm", color="#5a6570", flex=2)
    return box("baseline", label, word(value, size="sm", flex=5), spacing="sm")


def button(label: str, style: str, action: dict[str, Any] | None = None) -> dict[str, Any]:
    postback = {"type": "postback", "label": label, "data": f"v1|{style}", "displayText": label}
    return {"type": "button", "style": style, "height": "sm", "action": action or postback}


def alert() -> dict[str, Any]:
    """An evacuation order as a Flex bubble with quick replies."""
    head = box(
        "vertical",
        word("警戒レベル4", size="sm", color="#ffffff"),
        word("避難指示", size="xxl", weight="bold", color="#ffffff"),
        backgroundColor="#7a1fa2",
        paddingAll="lg",
    )
    body = box(
        "vertical",
        word("北区一〜三丁目", weight="bold", size="xl"),
        word("いますぐ にげてください。", size="md", margin="sm"),
        {"type": "separator", "margin": "lg"},
        row("発表", "4月21日(火) 10:02") | {"margin": "lg"},
        row("理由", "胎内川の水位が氾濫危険水位に達しました"),
        row("避難所", "第一小学校、北公民館"),
        spacing="sm",
    )
    map_link = {"type": "uri", "label": "避難所の地図", "uri": "https://example.jp/map"}
    foot = box(
        "vertical",
        button("避難しました", "primary"),
        button("避難所の地図", "secondary", map_link),
        spacing="sm",
    )
    bubble = {"type": "bubble", "header": head, "body": body, "footer": foot}
    return {"type": "flex", "altText": ALERT_ALT, "contents": bubble, "quickReply": SAFETY_REPLIES}


def event_card(title: str, when: str, *, rate: str) -> dict[str, Any]:
    stars = box(
        "baseline",
        {"type": "icon", "url": "/picture/star.svg", "size": "sm"},
        word(rate, size="sm", margin="sm", flex=0),
        word("無料", size="sm", align="end", color="#17603a", weight="bold"),
    )
    badge = box(
        "vertical",
        word("受付中", size="xs", color="#ffffff"),
        position="absolute",
        offsetTop="12px",
        offsetStart="12px",
        backgroundColor="#23497e",
        cornerRadius="xl",
        paddingAll="xs",
        paddingStart="md",
        paddingEnd="md",
    )
    picture = {
        "type": "image",
        "url": "/picture/hall.svg",
        "size": "full",
        "aspectRatio": "20:13",
        "aspectMode": "cover",
    }
    spans = [{"type": "span", "text": "申込: "}, {"type": "span", "text": "4月30日まで", "weight": "bold"}]
    body = box("vertical", word(title, weight="bold", size="lg"), stars, row("日時", when), spacing="md")
    body["contents"].append(word("", contents=spans, size="sm"))
    return {
        "type": "bubble",
        "size": "kilo",
        "hero": box("vertical", picture, badge),
        "body": body,
        "footer": _apply(title),
    }


def _apply(title: str) -> dict[str, Any]:
    return box("horizontal", button("申し込む", "link"), button("あとで", "link"))


def events() -> dict[str, Any]:
    cards = [
        event_card("親子ひろば", "5月9日(土) 10:00", rate="4.6"),
        event_card("春の防災訓練", "5月17日(日) 9:00", rate="4.1"),
    ]
    return {
        "type": "flex",
        "altText": "5月の行事が2件あります。",
        "contents": {"type": "carousel", "contents": cards},
    }


def unknown_part() -> dict[str, Any]:
    bubble = {"type": "bubble", "body": box("vertical", word("前"), {"type": "marquee", "text": "流れる"})}
    return {"type": "flex", "altText": "知らない部品", "contents": bubble}


def confirm() -> dict[str, Any]:
    actions = [
        {"type": "postback", "label": "はい", "data": "v1|yes", "displayText": "はい"},
        {"type": "message", "label": "いいえ", "text": "いいえ"},
    ]
    return {
        "type": "template",
        "altText": "登録を終わりますか",
        "template": {
            "type": "confirm",
            "text": "登録を終わりますか。設定は30日間のこります。",
            "actions": actions,
        },
    }


def pick_date() -> dict[str, Any]:
    action = {"type": "datetimepicker", "label": "予防接種の日", "data": "v1|date", "mode": "date"}
    return {
        "type": "template",
        "altText": "日付",
        "template": {
            "type": "buttons",
            "title": "予防接種",
            "text": "いつ受けましたか。",
            "actions": [action | {"initial": "2026-04-21"}],
        },
    }


_LABELS = ("防災・緊急", "お知らせ", "ごみ", "受信設定", "相談・電話", "ことば Language")


def rich_menu() -> dict[str, Any]:
    areas = []
    for index, label in enumerate(_LABELS):
        bounds = {"x": 833 * (index % 3), "y": 843 * (index // 3), "width": 833, "height": 843}
        areas.append(
            {
                "bounds": bounds,
                "action": {"type": "postback", "label": label, "data": f"v1|menu|{index}"},
            }
        )
    return {
        "richMenuId": "richmenu-1",
        "size": {"width": 2500, "height": 1686},
        "selected": True,
        "name": "基本",
        "chatBarText": "町のメニュー",
        "areas": areas,
        "imageUrl": "/picture/menu.svg",
    }

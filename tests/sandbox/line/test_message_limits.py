"""What LINE refuses, with the place and the reason. Limits: LINE Messaging API reference, #message-objects."""

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import PARENT, text

TOO_LONG = "Length must be between 0 and 5000"


async def push(town, *messages, **more):
    """A push without the SDK, which would refuse some of these itself."""
    body = {"to": PARENT, "messages": list(messages), **more}
    return await town.raw("POST", "/v2/bot/message/push", json=body)


async def details(town, *messages):
    status, body, _ = await push(town, *messages)
    assert status == 400
    return [(detail["property"], detail["message"]) for detail in body["details"]]


def flex(contents, alt="大雨"):
    return {"type": "flex", "altText": alt, "contents": contents}


def bubble(*contents, **more):
    return {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": list(contents)},
        **more,
    }


def words(length):
    return {"type": "text", "text": "あ" * length}


async def test_every_violation_is_reported_at_once_with_its_place(town):
    status, body, headers = await push(town, text(""), {"type": "smoke"})
    assert status == 400
    assert body["message"] == "The request body has 2 error(s)"
    assert body["details"][0] == {"message": "May not be empty", "property": "messages[0].text"}
    assert body["details"][1]["property"] == "messages[1].type"
    assert body["details"][1]["message"].startswith("Must be one of the following values: [text, textV2, ")
    assert headers["x-line-request-id"]


@pytest.mark.parametrize("recipients", [0, 501])
async def test_no_recipients_and_more_than_500_are_refused(town, recipients):
    body = {"to": [f"U{n:032x}" for n in range(recipients)], "messages": [text()]}
    status, answer, _ = await town.raw("POST", "/v2/bot/message/multicast", json=body)
    assert status == 400
    assert answer["details"] == [{"message": "Size must be between 1 and 500", "property": "to"}]


async def test_500_recipients_are_accepted(town):
    status, _ = await town.raw_multicast([f"U{n:032x}" for n in range(500)])
    assert status == 200


@pytest.mark.parametrize("count", [0, 6])
async def test_no_message_and_more_than_five_are_refused(town, count):
    assert await details(town, *[text()] * count) == [("messages", "Size must be between 1 and 5")]


async def test_the_sdk_lets_5001_characters_pass_and_the_platform_refuses_them(line):
    failed = await refusal(line.push_message(line_sdk.push(PARENT, text("a" * 5001))))
    assert failed.body["details"] == [{"message": TOO_LONG, "property": "messages[0].text"}]


async def test_5000_units_pass_and_an_emoji_counts_two(town):
    assert (await push(town, text("あ" * 4998 + "🚨")))[0] == 200
    assert await details(town, text("あ" * 4999 + "🚨")) == [("messages[0].text", TOO_LONG)]


async def test_line_emoji_must_stand_on_a_dollar_sign_counted_in_utf16(town):
    emoji = {"productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}
    message = {**text("🚨$ 避難"), "emojis": [{"index": 2, **emoji}]}
    assert (await push(town, message))[0] == 200
    message["emojis"] = [{"index": 1, **emoji}]
    assert await details(town, message) == [("messages[0].emojis[0].index", "invalid emoji index")]


async def test_a_bubble_above_30_kb_is_refused(town):
    small = [words(1000) for _ in range(10)]
    assert (await push(town, flex(bubble(*small))))[0] == 200
    [(place, _)] = await details(town, flex(bubble(*small, words(300))))
    assert place == "messages[0].contents"


async def test_a_carousel_above_50_kb_or_12_bubbles_is_refused(town):
    page = bubble(words(1500))
    assert (await push(town, flex({"type": "carousel", "contents": [page] * 10})))[0] == 200
    [(place, _)] = await details(town, flex({"type": "carousel", "contents": [page] * 12}))
    assert place == "messages[0].contents"
    [(place, _)] = await details(town, flex({"type": "carousel", "contents": [bubble(words(1))] * 13}))
    assert place == "/contents"


async def test_the_alt_text_ends_at_1500(town):
    page = bubble(words(1))
    assert (await push(town, flex(page, "あ" * 1500)))[0] == 200
    assert [place for place, _ in await details(town, flex(page, "あ" * 1501))] == ["messages[0].altText"]


WORD = {"type": "text", "text": "あ"}
ICON = {"type": "icon", "url": "https://town.example.jp/icon.png"}
PICTURE = {"type": "image", "url": "https://town.example.jp/a.png"}


def box(*contents, layout="vertical", **fields):
    return {"type": "box", "layout": layout, "contents": list(contents), **fields}


@pytest.mark.parametrize(
    ("component", "place", "message"),
    [
        ({**WORD, "blink": True}, "/body/contents/0/blink", "invalid property"),
        ({"type": "spacer"}, "/body/contents/0", "invalid property"),
        (ICON, "/body/contents/0", "invalid property"),
        (box(box(WORD), layout="baseline"), "/body/contents/0/contents/0", "invalid property"),
        (box(PICTURE, layout="baseline"), "/body/contents/0/contents/0", "invalid property"),
        ({**WORD, "size": "huge"}, "/body/contents/0/size", "invalid property"),
        ({**WORD, "margin": "10%"}, "/body/contents/0/margin", "invalid property"),
        (box(WORD, spacing="wide"), "/body/contents/0/spacing", "invalid property"),
        (box(WORD, width="wide"), "/body/contents/0/width", "invalid property"),
        ({**PICTURE, "aspectRatio": "1:9"}, "/body/contents/0/aspectRatio", "invalid property"),
        ({**PICTURE, "url": "https:"}, "/body/contents/0/url", "invalid uri scheme"),
        ({**PICTURE, "url": "ftp://town.example.jp/a.png"}, "/body/contents/0/url", "invalid uri scheme"),
    ],
)
async def test_what_cannot_stand_in_a_flex_is_refused_as_line_does(town, component, place, message):
    status, body, _ = await push(town, flex(bubble(component)))
    assert status == 400
    assert body["message"] == "A message (messages[0]) in the request body is invalid"
    assert [(item["property"], item["message"]) for item in body["details"]] == [(place, message)]


@pytest.mark.parametrize(
    "component",
    [
        box(ICON, WORD, {"type": "filler"}, layout="baseline", spacing="sm", margin="12px"),
        box(WORD, width="50%", height="40.5px", paddingAll="5%", cornerRadius="xxl", borderWidth="semi-bold"),
        {**WORD, "size": "5xl", "margin": "none", "lineSpacing": "4px", "offsetTop": "10%"},
        {**PICTURE, "size": "full", "aspectRatio": "1:3"},
    ],
)
async def test_what_line_documents_may_stand_there(town, component):
    assert (await push(town, flex(bubble(component))))[0] == 200


async def test_what_is_wrong_outside_of_a_flex_is_told_first(town):
    page = flex(bubble({**WORD, "blink": True}), "")
    assert [place for place, _ in await details(town, page)] == ["messages[0].altText"]


async def test_quick_replies_end_at_13_and_need_labels_of_20_characters(town):
    def with_buttons(*labels):
        actions = [{"type": "message", "label": label, "text": "はい"} for label in labels]
        return {**text(), "quickReply": {"items": [{"type": "action", "action": a} for a in actions]}}

    # A family emoji is many code points and one character.
    assert (await push(town, with_buttons("👨‍👩‍👧‍👦" * 20)))[0] == 200
    assert await details(town, with_buttons("あ" * 21)) == [
        ("messages[0].quickReply.items[0].action.label", "Length must be between 0 and 20")
    ]
    assert await details(town, with_buttons(*["あ"] * 14)) == [
        ("messages[0].quickReply.items", "Size must be between 1 and 13")
    ]


async def test_postback_data_ends_at_300(town):
    def button(length):
        action = {"type": "postback", "label": "見た", "data": "x" * length, "displayText": "見ました"}
        return flex(bubble({"type": "button", "action": action}))

    assert (await push(town, button(300)))[0] == 200
    [(place, _)] = await details(town, button(301))
    assert place == "/body/contents/0/action/data"


async def test_templates_have_their_own_limits(town):
    yes = {"type": "message", "label": "はい", "text": "はい"}
    confirm = {"type": "confirm", "text": "消しますか", "actions": [yes]}
    assert await details(town, {"type": "template", "altText": "確認", "template": confirm}) == [
        ("messages[0].template.actions", "Size must be between 2 and 2")
    ]
    buttons = {"type": "buttons", "title": "題", "text": "あ" * 61, "actions": [yes]}
    assert await details(town, {"type": "template", "altText": "確認", "template": buttons}) == [
        ("messages[0].template.text", "Length must be between 0 and 60")
    ]


async def test_pictures_need_https(town):
    image = {
        "type": "image",
        "originalContentUrl": "http://a.example/1.png",
        "previewImageUrl": "https://a.example/1",
    }
    assert await details(town, image) == [("messages[0].originalContentUrl", "invalid uri")]


async def test_what_is_not_json_is_refused_with_line_and_column(town):
    headers = {"Content-Type": "application/json"}
    status, body, _ = await town.raw("POST", "/v2/bot/message/push", data=b'{"to":\n oops', headers=headers)
    assert status == 400
    assert body["message"] == "The request body could not be parsed as JSON (line: 2, column: 2)"


async def test_another_content_type_is_415_and_more_than_2_mb_is_413(town):
    status, body, _ = await town.raw(
        "POST", "/v2/bot/message/push", data=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert (status, body["message"]) == (415, "The content type, text/plain, is not supported")
    status, _, _ = await push(town, text("a" * (2 * 1024 * 1024)))
    assert status == 413


async def test_a_wrong_token_is_401_before_anything_is_read(town):
    headers = {"Authorization": "Bearer stolen"}
    status, _, answered = await town.raw("POST", "/v2/bot/message/push", data=b"?", headers=headers)
    assert status == 401
    assert answered["x-line-request-id"]


async def test_unknown_paths_are_404_and_known_ones_without_a_body_here_501(town):
    assert (await town.raw("GET", "/v2/bot/nothing"))[:2] == (404, {"message": "Not found"})
    assert (await town.raw("GET", "/v2/bot/coupon"))[:2] == (501, {"message": "sandbox: not implemented"})


async def test_an_aggregation_unit_is_one_name_of_letters_digits_and_underscores(town):
    assert (await push(town, text(), customAggregationUnits=["notice_42"]))[0] == 200
    assert (await push(town, text(), customAggregationUnits=["notice-42"]))[0] == 400
    assert (await push(town, text(), customAggregationUnits=["a", "b"]))[0] == 400

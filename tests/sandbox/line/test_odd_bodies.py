"""Whatever arrives, the platform refuses or accepts it; it never stumbles."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.line import bodies_schema
from sandbox.line.schema import violations
from tests.sandbox.line.line_town import PARENT, TOKEN

NAMES = st.sampled_from(
    [
        "type",
        "text",
        "altText",
        "contents",
        "body",
        "header",
        "hero",
        "layout",
        "action",
        "actions",
        "label",
        "data",
        "items",
        "quickReply",
        "template",
        "columns",
        "emojis",
        "index",
        "sender",
        "name",
        "size",
        "url",
        "substitution",
        "mentionee",
        "baseSize",
        "flex",
        "title",
        "displayText",
    ]
)
KINDS = st.sampled_from(
    [
        "text",
        "textV2",
        "flex",
        "bubble",
        "carousel",
        "box",
        "button",
        "image",
        "template",
        "buttons",
        "confirm",
        "image_carousel",
        "imagemap",
        "postback",
        "message",
        "uri",
        "datetimepicker",
        "mention",
        "emoji",
        "vertical",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), KINDS)


def branches(children):
    typed = st.builds(
        lambda kind, rest: {**rest, "type": kind}, KINDS, st.dictionaries(NAMES, children, max_size=6)
    )
    return st.one_of(st.lists(children, max_size=4), typed)


THINGS = st.recursive(LEAVES, branches, max_leaves=25)


@settings(max_examples=150, deadline=None, database=None)
@given(st.one_of(THINGS, st.lists(THINGS, min_size=1, max_size=3)))
def test_any_messages_are_judged_without_a_crash(things):
    for error in violations(bodies_schema.PUSH, {"to": PARENT, "messages": things}):
        assert error["message"] and error["property"].startswith("messages")


@settings(max_examples=50, deadline=None, database=None)
@given(THINGS)
def test_any_menu_is_judged_without_a_crash(thing):
    assert violations(bodies_schema.RICH_MENU, {"size": thing, "areas": thing, "name": thing})


async def test_a_bottomless_body_is_refused(town):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    box = b'{"type":"box","layout":"vertical","contents":['
    for depth in (400, 100_000):
        deep = box * depth + b"]}" * depth
        flex = b'{"type":"flex","altText":"a","contents":{"type":"bubble","body":' + deep + b"}}"
        body = b'{"to":"' + PARENT.encode() + b'","messages":[' + flex + b"]}"
        if len(body) > 2 * 1024 * 1024:
            body = b"[" * depth
        async with town.session.post(
            f"{town.origin}/v2/bot/message/push", data=body, headers=headers
        ) as answer:
            assert answer.status == 400

"""A resident's hands on the phone, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from tests.sandbox.phone.phone_browser import OpenPage
from tests.sandbox.phone.phone_fake import FakeSandbox
from tests.sandbox.phone.phone_messages import (
    ALERT_ALT,
    SAFETY_REPLIES,
    alert,
    confirm,
    events,
    pick_date,
    rich_menu,
    text,
    unknown_part,
)

pytestmark = [pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]


async def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(1_200):
        if holds():
            return
        await page.wait_for_timeout(25)
    raise AssertionError("it did not come to that within 30 s")


async def wait_for_act(page: Page, sandbox: FakeSandbox, *types: str) -> dict[str, object]:
    await wait_until(page, lambda: bool(sandbox.acts(*types)))
    return sandbox.acts(*types)[-1]


async def test_the_newcomer_adds_the_town_as_a_friend(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[2]}")
    await expect(page.locator('[data-control="follow"]')).to_have_text("友だち追加")
    await page.click('[data-control="follow"]')
    assert await wait_for_act(page, sandbox, "follow") == {"type": "follow"}
    await expect(page.locator('[data-control="block"]')).to_have_text("ブロック")
    await expect(page.locator('[data-control="follow"]')).to_be_hidden()


async def test_a_multicast_flex_appears_on_every_phone(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phones?ids={','.join(users)}", 1280, 900)
    await expect(page.locator("[data-phone]")).to_have_count(3)
    await expect(page.locator('[data-log][aria-busy="false"]')).to_have_count(3)
    for user_id in users[:2]:
        sandbox.deliver(user_id, alert())
    for user_id in users[:2]:
        message = page.locator(f'[data-phone="{user_id}"] [data-message-from="bot"]')
        await expect(message.get_by_text("避難指示")).to_be_visible()
        await expect(message.get_by_role("link", name="避難所の地図")).to_have_attribute(
            "href", "https://example.jp/map"
        )
    await expect(page.locator(f'[data-phone="{users[2]}"] [data-message-from]')).to_have_count(0)


async def test_a_quick_reply_is_sent_and_the_row_disappears(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], text("ご無事ですか。", quickReply=SAFETY_REPLIES))
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.get_by_role("button", name="無事です").click()
    act = await wait_for_act(page, sandbox, "tapQuickReply")
    assert act["action"] == SAFETY_REPLIES["items"][0]["action"]
    await expect(page.locator("[data-quick-reply]")).to_have_count(0)
    await expect(page.locator('[data-message-from="user"]')).to_contain_text("無事です")


async def test_a_newer_message_takes_the_quick_replies_away(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], text("ご無事ですか。", quickReply=SAFETY_REPLIES))
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await expect(page.locator("[data-quick-reply]")).to_have_count(3)
    sandbox.deliver(users[0], text("避難所を開きました。"))
    await expect(page.locator("[data-quick-reply]")).to_have_count(0)


async def test_the_lock_screen_shows_sender_alt_text_and_sound(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    sandbox.deliver(users[0], alert())
    lock = page.locator("[data-lock-screen]")
    await expect(lock).to_contain_text(ALERT_ALT)
    await expect(lock).to_contain_text("しばた町")
    await expect(lock).to_contain_text("音あり")
    sandbox.deliver(users[0], text("明日はごみの日です。"), silent=True)
    await expect(lock).to_contain_text("無音")


async def test_a_closed_chat_collects_notifications_until_one_is_tapped(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.click('[data-control="close-chat"]')
    sandbox.deliver(users[0], alert())
    sandbox.deliver(users[0], text("避難所を開きました。"))
    await expect(page.locator("[data-lock-screen] [data-notice]")).to_have_count(2)
    await expect(page.locator('[data-control="open-chat"]')).to_contain_text("未読2件")
    await page.locator("[data-lock-screen] button").first.click()
    await expect(page.locator("[data-log]")).to_be_visible()
    await wait_for_act(page, sandbox, "openChat")


async def test_a_muted_resident_gets_no_notification(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.click('[data-control="more"]')
    await page.check('[data-control="mute"]')
    await expect(page.locator("[data-lock-screen]")).to_contain_text("通知オフ")
    sandbox.deliver(users[0], alert())
    await expect(page.locator('[data-message-from="bot"]')).to_have_count(1)
    await expect(page.locator("[data-notice]")).to_have_count(0)
    assert sandbox.users[users[0]]["muted"] is True


async def test_messages_wait_while_the_phone_is_in_airplane_mode(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.click('[data-control="more"]')
    await page.check('[data-control="airplane"]')
    sandbox.deliver(users[0], alert())
    await page.get_by_role("textbox", name="メッセージ").fill("こんにちは")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-status]")).to_contain_text("機内モード")
    await expect(page.locator("[data-message-from]")).to_have_count(0)
    await page.click('[data-control="more"]')
    await page.uncheck('[data-control="airplane"]')
    await expect(page.locator('[data-message-from="bot"]')).to_have_count(1)


async def test_a_flex_button_works_by_keyboard_alone(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], alert())
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent") == "避難しました":
            break
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Enter")
    act = await wait_for_act(page, sandbox, "tapButton")
    assert act["action"] == {
        "type": "postback",
        "label": "避難しました",
        "data": "v1|primary",
        "displayText": "避難しました",
    }


async def test_an_unknown_component_is_shown_as_a_warning(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], unknown_part())
    sandbox.deliver(users[0], {"type": "hologram"})
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await expect(page.locator('[data-unknown-component="marquee"]')).to_contain_text("marquee")
    await expect(page.locator('[data-unknown-component="hologram"]')).to_be_visible()


async def test_the_rich_menu_has_named_buttons_in_place_of_its_areas(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.menu = rich_menu()
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    menu = page.locator("[data-rich-menu]")
    await expect(menu.get_by_role("button")).to_have_count(6)
    await menu.get_by_role("button", name="受信設定").click()
    act = await wait_for_act(page, sandbox, "tapMenu")
    assert act["action"] == sandbox.menu["areas"][3]["action"]
    await page.get_by_role("button", name="町のメニュー").click()
    await expect(menu.get_by_role("button")).to_have_count(0)


async def test_a_changed_rich_menu_takes_the_place_of_the_old_one(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    sandbox.emit(users[0], "richMenu", rich_menu())
    await expect(page.locator("[data-rich-menu]")).to_be_visible()
    sandbox.emit(users[0], "richMenu", None)
    await expect(page.locator("[data-rich-menu]")).to_be_hidden()


async def test_typed_text_is_sent_and_shown(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[1]}")
    await page.get_by_role("textbox", name="メッセージ").fill("ごみの日は？")
    await page.click('[data-control="text-send"]')
    assert await wait_for_act(page, sandbox, "text") == {"type": "text", "text": "ごみの日は？"}
    await expect(page.locator('[data-message-from="user"]')).to_contain_text("ごみの日は？")
    await expect(page.get_by_role("textbox", name="メッセージ")).to_have_value("")


async def test_a_refused_text_stays_in_the_box_and_the_reason_is_told(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[1]}")
    sandbox.refusal = "ブロック中です"
    await page.get_by_role("textbox", name="メッセージ").fill("こんにちは")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-status]")).to_contain_text("ブロック中です")
    await expect(page.get_by_role("textbox", name="メッセージ")).to_have_value("こんにちは")


async def test_blocking_closes_the_text_box_and_unblocking_opens_it(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[1]}")
    await page.click('[data-control="block"]')
    await expect(page.locator("[data-note]")).to_contain_text("ブロック中")
    await expect(page.locator('[data-control="text-send"]')).to_be_disabled()
    await page.click('[data-control="unblock"]')
    await expect(page.locator('[data-control="text-send"]')).to_be_enabled()
    assert [act["type"] for act in sandbox.acts("block", "unblock")] == ["block", "unblock"]


async def test_an_account_is_deleted_only_after_asking(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[1]}")
    await page.click('[data-control="more"]')
    await page.click('[data-control="deleteAccount"]')
    await page.get_by_role("button", name="やめる").click()
    assert sandbox.acts("deleteAccount") == []
    await page.click('[data-control="more"]')
    await page.click('[data-control="deleteAccount"]')
    await page.get_by_role("button", name="削除する").click()
    await wait_for_act(page, sandbox, "deleteAccount")
    await expect(page.locator("[data-note]")).to_contain_text("削除されました")


async def test_a_date_is_picked_and_sent_as_params(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], pick_date())
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.get_by_role("button", name="予防接種の日").click()
    await page.locator("dialog input").fill("2026-05-01")
    await page.get_by_role("button", name="決定").click()
    act = await wait_for_act(page, sandbox, "tapButton")
    assert act["params"] == {"date": "2026-05-01"}


async def test_links_and_telephone_numbers_in_texts_can_be_opened_safely(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], text("くわしくは https://example.jp/a?b=1 へ。\n役場 0254-22-3030。"))
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    link = page.get_by_role("link", name="https://example.jp/a?b=1")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    number = page.get_by_role("link", name="0254-22-3030")
    await expect(number).to_have_attribute("href", "tel:0254-22-3030")


async def test_markup_and_script_addresses_stay_text(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], text("<img src=x onerror=\"document.title='!'\"> javascript:alert(1)"))
    harmful = {"type": "uri", "label": "開く", "uri": "javascript:document.title='!'"}
    message = confirm()
    message["template"]["actions"][0] = harmful
    sandbox.deliver(users[0], message)
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.get_by_role("button", name="開く").click()
    await expect(page.locator("[data-status]")).to_contain_text("javascript:")
    await expect(page.locator("[data-log] img")).to_have_count(0)
    assert "!" not in await page.title()


async def test_an_address_opens_in_a_new_tab_and_the_tap_is_reported(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str], origin: str
) -> None:
    message = confirm()
    message["template"]["actions"][0] = {"type": "uri", "label": "設定", "uri": f"{origin}/_sandbox/phones"}
    sandbox.deliver(users[0], message)
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    async with page.expect_popup() as popup:
        await page.get_by_role("link", name="設定").click()
    assert (await popup.value).url == f"{origin}/_sandbox/phones"
    await wait_for_act(page, sandbox, "tapButton")


async def test_a_liff_address_opens_where_the_sandbox_says(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str], origin: str
) -> None:
    message = confirm()
    message["template"]["actions"][0] = {"type": "uri", "label": "設定", "uri": "https://liff.line.me/1-a"}
    sandbox.deliver(users[0], message)
    sandbox.answer = {"openUri": f"{origin}/_sandbox/phones?lang=en"}
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    async with page.expect_popup() as popup:
        await page.get_by_role("link", name="設定").click()
    opened = await popup.value
    await opened.wait_for_url("**/_sandbox/phones?lang=en")


async def test_the_inspector_tells_lengths_request_and_json(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    sandbox.deliver(users[0], events() | {"altText": "𠮷野さん"})
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    await page.locator("[data-inspector] > summary").click()
    inspector = page.locator("[data-inspector]")
    await expect(inspector).to_contain_text("5b0e-request")
    counted = inspector.locator("tr", has_text="altText").first.locator("td")
    assert await counted.all_inner_texts() == ["5", "4", "1500"]
    await expect(inspector.locator("pre")).to_contain_text('"type": "carousel"')


async def test_messages_missed_while_the_stream_was_down_appear_after_it(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    sandbox.deliver(users[0], text("一つめ"))
    await expect(page.locator("[data-message-from]")).to_have_count(1)
    sandbox.messages[users[0]].append({**sandbox.messages[users[0]][0], "id": "missed"})
    sandbox.hang_up()
    await expect(page.locator('[data-message-id="missed"]')).to_be_visible()
    await expect(page.locator("[data-message-from]")).to_have_count(2)


async def test_the_chooser_finds_residents_and_makes_new_ones(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page("/_sandbox/phones", 1280, 900)
    await expect(page.locator("[data-phone]")).to_have_count(3)
    await page.get_by_role("searchbox").fill("鈴木")
    await expect(page.locator(".chooser-list li")).to_have_count(1)
    await page.get_by_role("textbox", name="名前", exact=True).fill("高橋 蓮")
    await page.click('[data-control="new-resident"]')
    await expect(page.locator("[data-phone]")).to_have_count(4)
    newcomer = next(user for user in sandbox.users.values() if user["displayName"] == "高橋 蓮")
    assert newcomer["state"] == "none" and re.fullmatch("U[0-9a-f]{32}", newcomer["userId"])
    await expect(page.locator("[data-phone]").first).to_contain_text("高橋 蓮")


async def test_twelve_phones_leave_connections_for_tapping(open_page: OpenPage, sandbox: FakeSandbox) -> None:
    ids = [sandbox.add(f"住民 {number}") for number in range(12)]
    page = await open_page(f"/_sandbox/phones?ids={','.join(ids)}", 1600, 900)
    await expect(page.locator('[data-log][aria-busy="false"]')).to_have_count(12)
    await page.locator(f'[data-phone="{ids[11]}"] textarea').fill("届きますか")
    await page.keyboard.press("Enter")
    await expect(page.locator(f'[data-phone="{ids[11]}"] [data-message-from="user"]')).to_be_visible()


async def test_a_message_that_arrives_while_the_state_is_read_stays(
    open_page: OpenPage, sandbox: FakeSandbox, users: list[str]
) -> None:
    page = await open_page(f"/_sandbox/phone/{users[0]}")
    sandbox.states_go.clear()
    before = sandbox.states_asked
    sandbox.hang_up()  # the page comes back and asks for the state, which is taken without the message
    await wait_until(page, lambda: sandbox.states_asked > before)
    sandbox.deliver(users[0], text("避難指示が出ました"))
    message = page.locator('[data-message-from="bot"]')
    await expect(message).to_be_visible()
    async with page.expect_response("**/state.json"):
        sandbox.states_go.set()
    await expect(page.locator('[data-log][aria-busy="false"]')).to_have_count(1)
    await page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    await expect(message).to_be_visible()

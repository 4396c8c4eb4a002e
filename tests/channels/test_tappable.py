"""Links and telephone numbers in a text: all that people write, and never one that is not there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.tappable import find_taps


def taps(text: str) -> list[tuple[str, str]]:
    return [(text[tap.start : tap.end], tap.uri) for tap in find_taps(text)]


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("0224-55-2111", "tel:0224552111"),
        ("0224(55)2111", "tel:0224552111"),
        ("(0224)55-2111", "tel:0224552111"),
        ("（０２２４）５５－２１１１", "tel:0224552111"),
        ("０２２４−５５−２１１１", "tel:0224552111"),
        ("0224‐55‐2111", "tel:0224552111"),
        ("０９０ー１２３４ー５６７８", "tel:09012345678"),
        ("03-1234-5678", "tel:0312345678"),
        ("090-1234-5678", "tel:09012345678"),
        ("050-1234-5678", "tel:05012345678"),
        ("0120-123-456", "tel:0120123456"),
        ("0800-123-4567", "tel:08001234567"),
        ("0570-00-1234", "tel:0570001234"),
        ("0224552111", "tel:0224552111"),
        ("+81-224-55-2111", "tel:+81224552111"),
        ("+81 (0)224-55-2111", "tel:+81224552111"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "電話 {}。", "問い合わせ:{}(内線123)", "（{}）", "TEL{}まで", "「{}」"]
)
def test_a_number_as_it_is_written_in_japan_can_be_called(written: str, uri: str, around: str) -> None:
    if around.startswith("TEL") and written.startswith("+"):
        around = "TEL {}まで"
    assert taps(around.format(written)) == [(written, uri)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-31",
        "10:00-11:30",
        "口座 0012345678",
        "1,012,345,6789",
        "番号 12345-0224-55-2111",
        "0224-55-211",
        "0224-55-21111",
        "FAX 0224-55-2112",
        "ファックス:0224-55-2112",
        "110人が来ました",
        "119件",
        "第1-2-3号",
        "03.14159265",
    ],
)
def test_other_figures_are_no_numbers(text: str) -> None:
    assert taps(text) == []


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("詳しくはhttps://www.town.example.jp/a?b=1&c=2#d。", "https://www.town.example.jp/a?b=1&c=2#d"),
        ("（https://town.example.jp/x）", "https://town.example.jp/x"),
        ("(https://town.example.jp/x).", "https://town.example.jp/x"),
        ("「https://town.example.jp/」を見る", "https://town.example.jp/"),
        ("https://example.jp/wiki/A_(B)", "https://example.jp/wiki/A_(B)"),
        ("https://town.example.jpを開く", "https://town.example.jp"),
        ("HTTPS://TOWN.EXAMPLE.JP/", "HTTPS://TOWN.EXAMPLE.JP/"),
        ("<https://town.example.jp/a>です", "https://town.example.jp/a"),
        ("https://town.example.jp:8443/a、と", "https://town.example.jp:8443/a"),
        ("https://town.example.jp/?tel=0224-55-2111", "https://town.example.jp/?tel=0224-55-2111"),
    ],
)
def test_a_link_ends_where_the_sentence_goes_on(text: str, link: str) -> None:
    assert taps(text) == [(link, link)]


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "javascript://example.jp/%0aalert(1)",
        "data:text/html,https",
        "ftp://example.jp/",
        "file:///etc/passwd",
        "https://",
        "https://localhost/",
        "https://town.example.jp@evil.example/",
        "https://user:pass@evil.example/",
        "xhttps://town.example.jp/",
        "https://あ.example",
    ],
)
def test_what_is_no_public_link_is_left_as_words(text: str) -> None:
    assert taps(text) == []


PIECES = st.sampled_from(
    [
        "https://",
        "http://",
        "javascript:",
        "town.example.jp",
        "/",
        "?",
        "#",
        "@",
        ":",
        ".",
        "。",
        "）",
        "」",
        ")",
        "(",
        "（",
        "0224",
        "-",
        "55",
        "2111",
        "０９０",
        "ー",
        "110",
        "電話",
        "<",
        "'",
        "FAX",
        "+81",
        "あ",
    ]
) | st.sampled_from(" \n")


@given(st.lists(PIECES, max_size=24).map("".join) | st.text(max_size=60))
def test_never_a_link_that_is_not_in_the_text(text: str) -> None:
    end = 0
    for tap in find_taps(text):
        written = text[tap.start : tap.end]
        assert end <= tap.start < tap.end <= len(text)
        end = tap.end
        if tap.is_call:
            assert re.fullmatch(r"tel:\+?[0-9]{3,13}", tap.uri)
            digits = "".join(
                re.findall(r"\d", written.translate(str.maketrans("０１２３４５６７８９", "0123456789")))
            )
            called = tap.uri.removeprefix("tel:").removeprefix("+81")
            assert called in (digits, digits.removeprefix("81"), digits.removeprefix("810"))
        else:
            assert tap.uri == written
            assert re.match(r"https?://[a-z0-9]", tap.uri, re.IGNORECASE) and tap.uri.isascii()
            assert not re.search(r"[\s<>\"]|[.,;:!?']$", tap.uri)
        assert not written.endswith(("。", "」", "、"))
        assert "javascript" not in tap.uri.partition(":")[0].lower()


@given(st.text(alphabet="あ、。（）「」\n ", max_size=10), st.text(alphabet="あ。、」）\n ", max_size=10))
def test_a_link_and_a_number_are_found_whatever_stands_around_them(before: str, after: str) -> None:
    for written in ("https://town.example.jp/a", "0224-55-2111"):
        assert [shown for shown, _ in taps(f"{before}{written}{after}")] == [written]

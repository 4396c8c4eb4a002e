"""Links and telephone numbers of a notice can be tapped on, and nothing else becomes a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.linked import linked


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("電話 0224-00-0000 へ", '電話 <a href="tel:0224000000">0224-00-0000</a> へ'),
        ("110番へ通報", '<a href="tel:110">110</a>番へ通報'),
        ("110人が来ました", "110人が来ました"),
        ("2026-12-31 に", "2026-12-31 に"),
        (
            "詳しくはhttps://example.jp/a?b=1&c=2。",
            '詳しくは<a href="https://example.jp/a?b=1&amp;c=2" rel="noopener nofollow">'
            "https://example.jp/a?b=1&amp;c=2</a>。",
        ),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("<b>小学校</b>", "&lt;b&gt;小学校&lt;/b&gt;"),
    ],
)
def test_what_can_be_tapped_on(text: str, html: str) -> None:
    assert str(linked(text)) == html


@given(st.text(alphabet="<>\"'&h tps:/0123456789-.a", max_size=60))
def test_no_words_break_out_of_the_page(text: str) -> None:
    html = str(linked(text))
    allowed = html.replace('<a href="', "").replace('" rel="noopener nofollow">', "").replace("</a>", "")
    allowed = allowed.replace('">', "")
    assert "<" not in allowed and '"' not in allowed

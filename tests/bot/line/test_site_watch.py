"""Which of two sites LINE speaks with."""

from __future__ import annotations

import pytest

from bot.line.site_watch import site_of, webhook_url


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://town.example.jp/line/webhook", 0),
        ("https://town.example.jp/line/webhook?site=7", 7),
        (webhook_url("https://town.example.jp", 12), 12),
        ("https://town.example.jp/line/webhook?site=", 0),
        ("https://town.example.jp/line/webhook?site=-1", 0),
        ("https://town.example.jp/line/webhook?site=x", 0),
        ("https://town.example.jp/line/webhook?site=99999999999999999999", 0),
        ("https://town.example.jp/line/webhook?other=3", 0),
        ("", 0),
    ],
)
def test_the_epoch_stands_in_the_webhook_address_or_nowhere(url: str, site: int) -> None:
    assert site_of(url) == site

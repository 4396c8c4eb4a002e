"""Whose request it is."""

from __future__ import annotations

import pytest

from bot.door.source import household, read_networks, source

PROXIES = read_networks("10.0.0.0/8, 192.0.2.7, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.5, 192.0.2.7"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1, nonsense, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["', DROP"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed_and_only_about_the_next_one(peer, forwarded, found) -> None:
    assert source(peer, forwarded, PROXIES) == found


def test_one_line_of_ipv6_is_one_household() -> None:
    assert household("2001:db8:0:1::1") == household("2001:db8:0:1:ffff::9") != household("2001:db8:0:2::1")
    assert household("::ffff:203.0.113.9") == household("203.0.113.9")


@pytest.mark.parametrize("text", ["proxy", "10.0.0.0/99", "10.0.0.1;10.0.0.2"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_networks(text)

"""The demo's ports are chosen by whoever starts it, and a taken one is named."""

from __future__ import annotations

import socket

import pytest

from bot.demo.stage import Ports, PortTaken


def test_ports_follow_the_first() -> None:
    assert Ports.from_first(9000) == Ports(web=9000, line=9001, inbox=9002, hooks=9003)


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} "):
            Ports(hooks=port).refuse_taken()
    Ports().refuse_taken()

"""Whose request it is: the address at the other end, or what a proxy that we trust says of it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas. Raises ValueError."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def is_trusted(address: str, proxies: Iterable[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in proxies)


def source(peer: str, forwarded_for: Iterable[str], proxies: tuple[Network, ...]) -> str:
    """From the right the first address of X-Forwarded-For that is no proxy of ours: what stands left of
    it the visitor may have written. Anything but an address there ends the search at the proxy itself."""
    nearest = peer
    if not is_trusted(peer, proxies):
        return nearest
    for part in reversed([part.strip() for value in forwarded_for for part in value.split(",")]):
        try:
            nearest = str(ip_address(part))
        except ValueError:
            return nearest
        if not is_trusted(nearest, proxies):
            return nearest
    return nearest


def household(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that one IPv6 line has to itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found) >> 64 << 64, 64)).network_address)
    return address

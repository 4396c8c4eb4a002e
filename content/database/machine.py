"""Which machine this is, well enough that a copy of its disk is noticed on another one."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
NETWORK = Path("/sys/class/net")


def this_machine() -> str:
    """The system's own id (else the name of the host) and its network cards, hashed: `id card,card`.

    A copied disk bears the same id, but runs behind other cards. Cards of containers change with every
    start and belong to no device, so they do not count.
    """
    own_id = MACHINE_ID.read_text().strip() if MACHINE_ID.is_file() else ""
    cards = sorted(_hash(card.read_text().strip()) for card in NETWORK.glob("*/address") if _is_real(card))
    return f"{_hash(own_id or socket.gethostname())} {','.join(cards)}"


def is_same(one: str, other: str) -> bool:
    """The same id, and a card in common if both have any: a card may have been added or taken out."""
    one_id, _, one_cards = one.partition(" ")
    other_id, _, other_cards = other.partition(" ")
    if one_id != other_id:
        return False
    if not one_cards or not other_cards:
        return True
    return bool(set(one_cards.split(",")) & set(other_cards.split(",")))


def _is_real(card: Path) -> bool:
    return (card.parent / "device").exists()


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

"""The frozen recipient list of a batch: sorted subscriber ids, delta-coded, about two bytes each."""

from __future__ import annotations

from collections.abc import Iterable


def pack(subscriber_ids: Iterable[int]) -> bytes:
    """Each gap to the id before as a variable-length integer (7 bits a byte, low bits first).

    Raises ValueError when the ids are not strictly increasing positive numbers: a list with a
    double would send twice.
    """
    packed = bytearray()
    previous = 0
    for subscriber_id in subscriber_ids:
        gap = subscriber_id - previous
        if gap <= 0:
            raise ValueError("recipients must be strictly increasing positive ids")
        previous = subscriber_id
        while gap > 0x7F:
            packed.append(gap & 0x7F | 0x80)
            gap >>= 7
        packed.append(gap)
    return bytes(packed)


def unpack(packed: bytes) -> list[int]:
    """The ids that `pack` was given."""
    ids: list[int] = []
    subscriber_id = gap = shift = 0
    for byte in packed:
        gap |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        subscriber_id += gap
        ids.append(subscriber_id)
        gap = shift = 0
    return ids

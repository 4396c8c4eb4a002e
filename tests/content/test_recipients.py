"""The frozen recipient list of a batch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.ledger.recipients import pack, unpack

IDS = st.sets(st.integers(1, 2**62)).map(sorted)


@given(IDS)
def test_what_is_packed_is_unpacked(ids):
    assert unpack(pack(ids)) == ids


@given(IDS, st.integers(1, 2**62))
def test_a_list_that_is_not_increasing_is_refused(ids, extra):
    doubled = [*ids, extra, extra]
    with pytest.raises(ValueError, match="strictly increasing"):
        pack(doubled)


@pytest.mark.parametrize("ids", [[0], [-1], [2, 1], [1, 1], [1, 3, 2]])
def test_zero_doubles_and_disorder_are_refused(ids):
    with pytest.raises(ValueError, match="strictly increasing"):
        pack(ids)


def test_nobody_packs_to_nothing():
    assert pack([]) == b""
    assert unpack(b"") == []


def test_neighbours_take_one_byte_each():
    assert len(pack(range(1, 501))) == 500


def test_dense_ids_take_about_two_bytes_each():
    ids = range(150_000, 300_000, 300)  # one town in 300 registrations: gaps of two bytes
    assert len(pack(ids)) <= 2 * len(ids) + 1


@pytest.mark.parametrize("gap", [0x7F, 0x80, 0x3FFF, 0x4000])
def test_gaps_at_the_edge_of_a_byte_come_back(gap):
    assert unpack(pack([gap, 2 * gap])) == [gap, 2 * gap]

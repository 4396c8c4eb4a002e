"""Figures for console tests."""

from __future__ import annotations

from content.ledger.tallies import Tally


def tally_of(planned: int, *, refused: int = 0, unknown: int = 0) -> Tally:
    """A mail delivery that is finished."""
    accepted = planned - refused - unknown
    return Tally("mail", "mail", "planned", "", planned, accepted, refused, unknown, 0, 1, 2)

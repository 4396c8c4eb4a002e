"""What of a finished send needs an act, and what is usual: some addresses are always dead.

Usual is a small share of refusals that lie with single recipients. Everything else is marked: the account's
own troubles, what is unknown, and many refusals for one reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from channels.reasons import Reason
from content.ledger.states import DeliveryState
from content.ledger.tallies import Tally

# Up to this share of an account's recipients, and always one of them.
USUAL_SHARE = 0.03
# Reasons that lie with one recipient: the address is gone, or its own provider does not take anything now.
OF_ONE_RECIPIENT = frozenset(
    {
        Reason.DOMAIN_UNREACHABLE,
        Reason.GONE,
        Reason.INVALID_ADDRESS,
        Reason.INVALID_RECIPIENT,
        Reason.MAILBOX_UNKNOWN,
        Reason.RECEIVER_BUSY,
        Reason.REFUSED,
        Reason.TEMPORARILY_REFUSED,
        Reason.UNSUBSCRIBED,
    }
)


def needs_act(tallies: Iterable[Tally], reasons: Iterable[tuple[str, str, int]]) -> bool:
    """Whether a person should look into it; `reasons` as content.ledger.tallies.refusal_reasons gives them."""
    tallies, reasons = list(tallies), list(reasons)
    return any(_is_unusual(row) for row in tallies) or any(
        not is_usual(tallies, channel, reason, number) for channel, reason, number in reasons
    )


def is_usual(tallies: Iterable[Tally], channel: str, reason: str, number: int) -> bool:
    """Whether so many refusals for this reason are what every send has."""
    return reason in OF_ONE_RECIPIENT and number <= _usual(tallies, channel)


def _is_unusual(row: Tally) -> bool:
    refused_all = row.refused > 0 and not row.accepted
    return (
        bool(row.unknown)
        or row.state == DeliveryState.STOPPED
        or refused_all
        or row.refused > _usual([row], row.channel)
    )


def _usual(tallies: Iterable[Tally], channel: str) -> float:
    planned = sum(row.planned for row in tallies if row.channel == channel)
    return max(1.0, planned * USUAL_SHARE)

"""How far a batch's frozen list is settled, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from channels.channel import Deferred, Part, Recipient
from channels.posted import Posted, PostHistory, PostState
from channels.reasons import Reason
from content.keys import Keys
from content.ledger import posts
from content.ledger.batches import Batch
from content.ledger.deferring import RefusedRecipient
from content.ledger.posts import Post
from content.register.address_book import Opened, open_addresses

log = structlog.get_logger(__name__)

NO_POSTS = PostHistory()


@dataclass(frozen=True, slots=True)
class Progress:
    """What one part changed in the ledger: from position to position, and who was not accepted."""

    since: int
    position: int
    accepted: int
    refused: tuple[RefusedRecipient, ...]
    deferred: tuple[Deferred, ...]
    apart: bool
    posted: tuple[Posted, ...] = ()

    def posts(self, delivery_id: int) -> list[Post]:
        """What has changed at the service, for the ledger."""
        return [
            Post(item.delivery or delivery_id, item.part, item.remote_id, item.url, item.state)
            for item in self.posted
        ]


class RecipientCursor:
    """Maps parts, which count recipients that still have an address, to positions in the frozen list.

    Whoever left or was erased between fan-out and send is skipped and counted as refused (`unsubscribed`), and
    so is an address that cannot be opened (`address_unreadable`), or one from which mail comes back (`suppressed`).
    """

    def __init__(
        self,
        frozen: Sequence[int],
        position: int,
        addresses: Opened,
        history: PostHistory = NO_POSTS,
    ) -> None:
        self._unreadable, self._suppressed = addresses.unreadable, addresses.suppressed
        found = list(map(addresses.clear.get, frozen[position:]))
        rest = range(position, len(frozen))
        self._indexes: Sequence[int] = rest
        self._gone: list[tuple[int, int]] = []
        if None in found:
            self._indexes = [index for index in rest if found[index - position] is not None]
            self._gone = [(index, frozen[index]) for index in rest if found[index - position] is None]
        self._end = len(frozen)
        self._sent = 0
        self._recorded = position
        self.sendable = [
            Recipient(subscriber_id, *known, history)
            for subscriber_id, known in zip(frozen[position:], found, strict=True)
            if known is not None
        ]

    @property
    def position(self) -> int:
        """Everything before it in the frozen list is accounted for."""
        return self._indexes[self._sent] if self._sent < len(self._indexes) else self._end

    @property
    def finished(self) -> bool:
        return self.position >= self._end

    def advance(self, part: Part) -> Progress:
        """What to write down for the next part of the batch."""
        since, self._sent = self._recorded, self._sent + part.size
        self._recorded = self.position
        passed = [item for item in self._gone if item[0] < self.position]
        self._gone = self._gone[len(passed) :]
        refused = [RefusedRecipient(item.subscriber_id, item.reason, item.detail) for item in part.refused]
        return Progress(
            since=since,
            position=self.position,
            accepted=part.size - len(part.refused) - len(part.deferred),
            refused=(
                *refused,
                *(RefusedRecipient(number, self._why_skipped(number)) for _, number in passed),
            ),
            deferred=part.deferred,
            apart=part.apart,
            posted=part.posted,
        )

    def _why_skipped(self, subscriber_id: int) -> Reason:
        if subscriber_id in self._suppressed:
            return Reason.SUPPRESSED
        return Reason.ADDRESS_UNREADABLE if subscriber_id in self._unreadable else Reason.UNSUBSCRIBED


def open_cursors(
    connection: Connection, keys: Keys, lists: Sequence[Batch], *, with_left: bool
) -> dict[int, RecipientCursor]:
    """What is left of these batches of one account, with addresses, by batch id; `with_left` as in `open_addresses`.

    To be called where the addresses are read: thousands of new objects are slow to reach from another core.
    """
    ids = [subscriber_id for one in lists for subscriber_id in one.recipients[one.position :]]
    addresses = open_addresses(connection, keys, lists[0].account, ids, with_left=with_left)
    if addresses.unreadable:
        log.error(
            "addresses_unreadable", account=lists[0].account, subscribers=sorted(addresses.unreadable)[:10]
        )
    return {one.id: RecipientCursor(one.recipients, one.position, addresses) for one in lists}


def open_posting_cursors(connection: Connection, lists: Sequence[Batch]) -> dict[int, RecipientCursor]:
    """As `open_cursors`, of an account that posts: it has no address, but what stands there already."""
    return {
        one.id: RecipientCursor(
            one.recipients,
            one.position,
            Opened(dict.fromkeys(one.recipients, ("", 0))),
            _history(connection, one.delivery_id),
        )
        for one in lists
    }


def _history(connection: Connection, delivery_id: int) -> PostHistory:
    own, earlier = posts.history(connection, delivery_id)
    return PostHistory(tuple(map(_posted, own)), tuple(map(_posted, earlier)))


def _posted(item: Post) -> Posted:
    return Posted(item.part, item.remote_id, item.url, PostState(item.state), item.delivery_id)

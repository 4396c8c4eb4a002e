"""A cursor on a frozen list of recipients, some of whom have unsubscribed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from channels.channel import Deferred, Part, Refusal
from channels.reasons import Reason
from content.register.address_book import Opened
from scheduler.recipient_cursor import Progress, RecipientCursor


@dataclass
class Book:
    """What the ledger would know of the batch."""

    positions: list[int] = field(default_factory=lambda: [0])
    accepted: int = 0
    refused: list[int] = field(default_factory=list)
    deferred: list[int] = field(default_factory=list)

    def write(self, progress: Progress) -> None:
        assert progress.since == self.positions[-1]
        self.positions.append(progress.position)
        self.accepted += progress.accepted
        self.refused += [item.subscriber_id for item in progress.refused]
        self.deferred += [item.subscriber_id for item in progress.deferred]


def walk_on(data: st.DataObject, frozen: list[int], book: Book, steps: int) -> list[int]:
    """One claim of the batch: so many parts of it at most; who was handed to the channel and settled."""
    here = {
        one: (f"address of {one}", one) for one in frozen if data.draw(st.booleans(), label=f"{one} is here")
    }
    cursor = RecipientCursor(frozen, book.positions[-1], Opened(here))
    left = [recipient.subscriber_id for recipient in cursor.sendable]
    if not left:
        book.write(cursor.advance(Part(0)))
        return []
    settled: list[int] = []
    for _ in range(steps):
        if not left:
            break
        size = data.draw(st.integers(1, len(left)), label="size")
        part, left = left[:size], left[size:]
        fate = {one: data.draw(st.sampled_from(["accepted", "refused", "deferred"])) for one in part}
        refused = tuple(Refusal(one, Reason.REFUSED) for one in part if fate[one] == Reason.REFUSED)
        deferred = tuple(
            Deferred(one, Reason.TEMPORARILY_REFUSED) for one in part if fate[one] == Reason.DEFERRED
        )
        book.write(cursor.advance(Part(size, refused, deferred)))
        settled += part
    return settled


@given(data=st.data(), size=st.integers(1, 12), claims=st.integers(0, 3))
def test_whoever_unsubscribed_and_however_it_is_cut_everybody_is_accounted_for_once(
    data: st.DataObject, size: int, claims: int
) -> None:
    frozen = [7 * number for number in range(1, size + 1)]
    book = Book()
    sent: list[int] = []
    for steps in [*[data.draw(st.integers(0, 2)) for _ in range(claims)], size]:
        if book.positions[-1] < size:
            sent += walk_on(data, frozen, book, steps)
    assert book.positions[-1] == size
    assert book.positions == sorted(book.positions)
    assert book.accepted + len(book.refused) + len(book.deferred) == size
    assert not set(book.refused) & set(book.deferred)
    assert len(set(book.refused)) == len(book.refused)
    assert len(set(sent)) == len(sent), "somebody was sent to again after being settled"


def test_whoever_unsubscribed_is_skipped_and_counted_as_that() -> None:
    cursor = RecipientCursor([1, 2, 3], 0, Opened({1: ("a", 0), 3: ("c", 0)}))
    assert [recipient.subscriber_id for recipient in cursor.sendable] == [1, 3]
    progress = cursor.advance(Part(1))
    assert (progress.since, progress.position, progress.accepted) == (0, 2, 1)
    assert [(item.subscriber_id, item.reason) for item in progress.refused] == [(2, "unsubscribed")]


def test_an_address_that_cannot_be_opened_is_refused_and_holds_nobody_back() -> None:
    cursor = RecipientCursor([1, 2, 3], 0, Opened({1: ("a", 0), 3: ("c", 0)}, frozenset({2})))
    progress = cursor.advance(Part(2))
    assert cursor.finished and progress.accepted == 2
    assert [(item.subscriber_id, item.reason) for item in progress.refused] == [(2, "address_unreadable")]


def test_a_batch_is_finished_with_its_last_part() -> None:
    cursor = RecipientCursor([1, 2], 0, Opened({1: ("a", 0), 2: ("b", 0)}))
    first = cursor.advance(Part(1, (Refusal(1, Reason.MAILBOX_UNKNOWN, "5.1.1"),)))
    assert (first.accepted, [item.subscriber_id for item in first.refused], cursor.finished) == (
        0,
        [1],
        False,
    )
    second = cursor.advance(Part(1))
    assert (second.since, second.position, second.accepted, second.refused) == (1, 2, 1, ())
    assert cursor.finished

"""What stands at a service because of us: the posts of a notice, one a part, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PostState(StrEnum):
    """`begun` is prepared at the service and not shown yet; `marked` says by now that it was corrected.

    `gone`: somebody has deleted it there by hand. `left`: the service would not let us change or delete it.
    """

    BEGUN = "begun"
    OUT = "out"
    MARKED = "marked"
    DELETED = "deleted"
    GONE = "gone"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Posted:
    """Part `part` (from 0) of a notice. `remote_id` is the service's name for it, "" where it tells none.

    `delivery` is the one that it belongs to, 0 for the one that is being sent.
    """

    part: int
    remote_id: str
    url: str = ""
    state: PostState = PostState.OUT
    delivery: int = 0


@dataclass(frozen=True, slots=True)
class PostHistory:
    """`own`: what of this very delivery is at the service already; `earlier`: what still stands there of the
    notices that it corrects or withdraws, in the order in which they came."""

    own: tuple[Posted, ...] = ()
    earlier: tuple[Posted, ...] = ()

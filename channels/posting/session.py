"""Showing a notice at a service: part after part, and then what stood there before is marked or deleted.

Whatever the service, the order is the same: what is out already is passed over, what may be out is looked for
where the service can tell, and each change is yielded at once, so that a crash forgets one step at the most.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from channels.channel import Channel, Part, Recipient, UnknownOutcome, always
from channels.posted import Posted, PostState
from channels.reasons import Reason


@dataclass(frozen=True, slots=True)
class Step:
    """One part to be shown. `key` names it: the same in every try, and no other's at this service.

    `before` is the post that it continues or, when first, the one that it corrects; `begun` is what an earlier
    try prepared there. `in_doubt`: an earlier try was not heard of, and was looked for without success.
    """

    prepared: Any
    part: int
    key: str
    before: Posted | None = None
    begun: Posted | None = None
    in_doubt: bool = False


class PostService(Protocol):
    """A service as one account uses it. Raises the errors of `channels.channel`.

    `marks`: a correction can be written over what it corrects; elsewhere the old words stay, with an answer to them.
    """

    @property
    def marks(self) -> bool: ...

    def show(self, step: Step) -> AsyncIterator[Posted]:
        """Show one part; what changes at the service is yielded as it happens, at last the post in state OUT."""
        ...

    async def look_for(self, step: Step) -> Posted | None:
        """The post of a try that was never heard of; None when it certainly is not there. Raises CannotTell."""
        ...

    async def take_back(self, earlier: Posted, prepared: Any, instead: Posted) -> PostState:
        """Mark or delete what a correction or withdrawal speaks of, `instead` being its own first post."""
        ...

    async def close(self) -> None: ...


class CannotTell(UnknownOutcome):
    """The service has no way to ask. Not posted again: twice would confuse more than a look by a person."""

    def __init__(self) -> None:
        message = "投稿できたか分かりません。投稿先の画面で確かめてください。"
        super().__init__(Reason.POST_IN_DOUBT, message, for_good=True)


class PostingSession:
    """A channel that posts, opened."""

    def __init__(self, channel: Channel, service: PostService) -> None:
        self.channel = channel
        self._service = service

    async def send(
        self,
        prepared: Any,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
        """One notice a recipient, of which there is one as a rule: the account."""
        for recipient in recipients:
            key = retry_key if len(recipients) == 1 else f"{retry_key}-{recipient.subscriber_id}"
            out = {item.part: item for item in recipient.history.own}
            to_show = [part for part in range(len(prepared.parts)) if not _is_out(out.get(part))]
            standing = [item for item in recipient.history.earlier if _still_speaks(item, prepared)]
            answers = standing[0] if standing and prepared.announcement.kind == "correction" else None
            if not self._service.marks and prepared.announcement.kind != "withdrawal":
                standing = []
            left = len(to_show) + len(standing)
            if not left:
                yield Part(1)
            for part in to_show:
                if not may_go_on():
                    return
                before = out.get(part - 1) or (answers if part == 0 else None)
                # Only the first can have gone out unheard: whatever came before it is written down.
                in_doubt = maybe_sent and part == to_show[0]
                step = Step(prepared, part, f"{key}-{part}", before, out.get(part), in_doubt)
                async for posted in self._show(step):
                    out[part] = posted
                    left -= _is_out(posted)
                    yield Part(int(not left), posted=(posted,))
            for item in standing:
                if not may_go_on():
                    return
                state = await self._service.take_back(item, prepared, out[0])
                left -= 1
                yield Part(int(not left), posted=(replace(item, state=state),))

    async def _show(self, step: Step) -> AsyncIterator[Posted]:
        found = await self._service.look_for(step) if step.in_doubt else None
        if found is not None:
            yield found
            return
        async for posted in self._service.show(step):
            yield posted

    async def close(self) -> None:
        await self._service.close()


class AskedService(PostService, Protocol):
    """A service that can be asked whether it would take a post, with nothing posted."""

    async def ask(self) -> None:
        """Raises AccountStopped when the credentials do not hold, other errors when nobody can say."""
        ...


class AskedPostingSession(PostingSession):
    """Of a channel whose account can be probed."""

    def __init__(self, channel: Channel, service: AskedService) -> None:
        super().__init__(channel, service)
        self._asked = service

    async def probe(self) -> float | None:
        await self._asked.ask()
        return None


def _is_out(posted: Posted | None) -> bool:
    return posted is not None and posted.state != PostState.BEGUN


def _still_speaks(earlier: Posted, prepared: Any) -> bool:
    """Whether there is something to be marked or deleted; what was corrected goes with what corrected it."""
    withdrawn = prepared.announcement.kind == "withdrawal"
    return earlier.state == PostState.OUT or (earlier.state == PostState.MARKED and withdrawn)

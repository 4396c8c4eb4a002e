"""The interface that every way out implements, and the errors that it may raise.

A channel describes itself and renders an announcement once per language (`prepare`): that needs no connection.
Opened, it is a session, which hands batches of recipients to the service outside (`send`).
Who, when and how often is the scheduler's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from channels.attached import ShownPicture, ShownPlace
from channels.posted import Posted, PostHistory
from channels.preview import Preview
from channels.reasons import Reason


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a notice in one language. `language` is a BCP 47 tag; `ja-easy` is やさしい日本語."""

    language: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a channel needs to know of one version of a notice to render it.

    `texts` holds at least Japanese, in the town's order of languages. `mode` is live, drill or test; `urgency` urgent
    or routine; `kind` original, correction or withdrawal. `url` is the public page, "" for none. `category_names`
    maps language to the name. `published_at` is milliseconds since the epoch. `silent`: no phone is to ring for it.
    `asks_read`: readers are asked to say that they have read it."""

    notice_id: int
    version_id: int
    town: str
    mode: str
    urgency: str
    kind: str
    category: str
    category_names: dict[str, str]
    texts: tuple[Text, ...]
    url: str
    published_at: int
    contact: str = ""
    # Language → the sender's and the office's name in it, where the town has one.
    town_names: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    public_id: str = ""  # random: no other database gives it to a notice of its own
    # Language → title of the notice that this one corrects or withdraws.
    corrected_titles: dict[str, str] = field(default_factory=dict)
    pictures: tuple[ShownPicture, ...] = ()
    place: ShownPlace | None = None
    # Until when it is to be read, in milliseconds; None for ever.
    expires_at: int | None = None
    silent: bool = False
    asks_read: bool = False

    def text(self, language: str) -> Text:
        """The text in `language`, else in Japanese."""
        by_language = {text.language: text for text in self.texts}
        return by_language.get(language) or by_language["ja"]


class Recipient(NamedTuple):
    """One subscriber with the address in clear; lives only while its batch is being sent.

    `salt` is the registration's random number, for links and Message-IDs. Of a channel that posts the one
    recipient is the account itself, and `history` what stands there already.
    """

    subscriber_id: int
    address: str
    salt: int = 0
    history: PostHistory = PostHistory()

    def __repr__(self) -> str:
        return f"Recipient({self.subscriber_id})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service outside refused this one recipient for good. `detail` is free of addresses."""

    subscriber_id: int
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing went to this one recipient yet: try again later, in a batch of its own, not before `retry_after` s.

    `growing` doubles that with each try; not so when the channel knows when it will be possible.
    """

    subscriber_id: int
    reason: Reason
    detail: str = ""
    retry_after: float | None = None
    growing: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """The next `size` recipients of the batch are done: accepted, but for those in `refused` and `deferred`.

    `apart`: those deferred get a batch that nobody else is added to, with a retry key of its own. `posted`: what
    has changed at the service meanwhile; with `size` 0 the batch is not through yet.
    """

    size: int
    refused: tuple[Refusal, ...] = ()
    deferred: tuple[Deferred, ...] = ()
    apart: bool = False
    posted: tuple[Posted, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """Messages of the calendar month: `limit` None means no cap. `used` is the service's approximate figure."""

    limit: int | None
    used: int

    @property
    def left(self) -> int | None:
        """None means no cap."""
        return None if self.limit is None else max(0, self.limit - self.used)


class ChannelError(Exception):
    """Base of what a channel raises. `reason` is what the ledger keeps, the message is for a person.

    Messages never carry an address, a token or the words of a notice.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class CannotRender(ChannelError):
    """This announcement does not fit this channel. `field` and `language` name the words to change."""

    def __init__(self, field_name: str, message: str, language: str = "ja") -> None:
        super().__init__(Reason.CANNOT_RENDER, message)
        self.field = field_name
        self.language = language


class TemporaryFailure(ChannelError):
    """Nothing of the rest of the batch was accepted; try again after `retry_after` seconds (None: as usual)."""

    def __init__(self, reason: Reason, message: str, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class UnknownOutcome(ChannelError):
    """The rest of the batch may or may not have been accepted; ask again with the same retry key.

    `for_good`: that has been done long enough, and what became of it stays unknown.
    """

    def __init__(self, reason: Reason, message: str, *, for_good: bool = False) -> None:
        super().__init__(reason, message)
        self.for_good = for_good


class BatchRefused(ChannelError):
    """The rest of the batch was refused for good; other batches may still go."""


class DeliveryStopped(ChannelError):
    """Nothing more of this delivery can go out any more (quota used up); other channels go on."""


class AccountStopped(ChannelError):
    """Nothing can go out through this account until a person acts (credentials revoked)."""


def always() -> bool:
    return True


class Channel(Protocol):
    """One way out, bound to one account: what it can do and how its messages look. Needs no connection.

    `name` the channel ("line", "mail", "webhook"); `batch_size` recipients per batch; `concurrency` batches
    in flight at once; `rate` batches started per second at most (None: no limit); `idempotent`: a batch
    repeated with the same key and the same recipients is never delivered twice, so a repeat must name the
    same recipients even if some have left since. `broadcasts`: its sessions are BroadcastSessions;
    `metered`: they are MeteredSessions. `posts`: it shows a notice to everybody instead of writing to readers, so
    that its only recipient is the account.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def concurrency(self) -> int: ...

    @property
    def rate(self) -> float | None: ...

    @property
    def idempotent(self) -> bool: ...

    @property
    def broadcasts(self) -> bool: ...

    @property
    def metered(self) -> bool: ...

    @property
    def posts(self) -> bool: ...

    def prepare(self, announcement: Announcement, language: str) -> Any:
        """Render and check once per notice version and language; the result goes into a session's `send`.

        Raises CannotRender naming the form field when the words do not fit.
        """
        ...

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """The same words as `prepare` produces, for a person to read before sending."""
        ...

    def open(self) -> Session:
        """A session with connections of its own. Who opens it closes it."""
        ...


class Session(Protocol):
    """A channel opened for sending."""

    @property
    def channel(self) -> Channel:
        """What was opened."""
        ...

    def send(
        self,
        prepared: Any,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
        """Hand the batch over, yielding parts in the order of `recipients` as they are settled.

        A channel that takes time over a batch asks `may_go_on` before each recipient. At a no it waits for
        what is under way, yields that and ends: the rest was not tried.

        `retry_key` is the UUID stored with the batch: the same key with the same recipients never
        delivers twice where the service offers that. `maybe_sent`: an earlier try of these recipients may have
        been accepted unheard. Raises the errors above for the rest of the batch.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


@runtime_checkable
class BroadcastSession(Session, Protocol):
    """Of a channel that can reach everyone in one call, without naming anybody."""

    async def broadcast(self, announcement: Announcement, retry_key: str) -> None:
        """Send to everyone on the account. Raises the errors above."""
        ...


@runtime_checkable
class MeteredSession(Session, Protocol):
    """Of a channel whose service lets an account send only so much in a month."""

    async def quota(self) -> Quota:
        """This month's limit and use. Raises the errors above."""
        ...


@runtime_checkable
class ProbedSession(Session, Protocol):
    """Of a channel that can be asked whether its account would still send, with nothing sent."""

    async def probe(self) -> float | None:
        """How many seconds our clock is ahead of theirs, None where they do not tell. Raises AccountStopped when the
        credentials do not hold, the other errors above when nobody can say."""

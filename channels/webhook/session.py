"""Posting to receivers of webhooks, and what their answers mean.

Signed as Standard Webhooks prescribes (https://www.standardwebhooks.com/): `webhook-id` stays the same over
all attempts, so the receiver can tell a repetition; `webhook-signature` is HMAC-SHA256 over id, time and body.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID, uuid5

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook
from yarl import URL

from channels.channel import (
    Channel,
    ChannelError,
    Part,
    Recipient,
    Refusal,
    TemporaryFailure,
    UnknownOutcome,
    always,
)
from channels.http import HttpAnswer, HttpClient, PrivateAddress, UnusableUrl
from channels.reasons import Reason

# What a receiver answers beyond the status is of no use to us.
ANSWER_LIMIT = 1_024
# Calls to one host at the same time, less than `concurrency`: a host that hangs leaves room for the others.
PER_HOST = 4
HOST_BUSY_WAIT = 1.0
# Seconds after which a receiver's no is believed, and after which no other answer than a page is hoped for.
NO_FOR_GOOD = 600.0
# One, and for the time of a change the one before.
MOST_SECRETS = 2


@dataclass(frozen=True, slots=True)
class WebhookPrepared:
    """The JSON body, the same for every receiver; only the signature differs."""

    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """A receiver's URL and secrets, as kept in the one address string "https://host/path whsec_…".

    While a receiver changes its secret it has two, the new one first: both sign, and either is accepted.
    """

    url: str = field(repr=False)
    signers: tuple[Webhook, ...] = field(repr=False)


def parse_address(address: str, *, allow_http: bool = False) -> WebhookAddress:
    """Split "https://host/path whsec_BASE64 [whsec_BASE64]". Raises ValueError without repeating any of it."""
    url, *secrets = address.split() or [""]
    schemes = ("https", "http") if allow_http else ("https",)
    try:
        valid = URL(url).scheme in schemes and bool(URL(url).host) and 1 <= len(secrets) <= MOST_SECRETS
        named = valid and all(secret.startswith("whsec_") for secret in secrets)
        signers = tuple(map(Webhook, secrets)) if named else ()
    except (ValueError, Base64Error, EmptyWebhookSecretError):
        signers = ()
    if not signers:
        raise ValueError("the address must be an https URL, one space and a secret that begins with whsec_")
    return WebhookAddress(url, signers)


class WebhookSession:
    """A channel "webhook" opened for sending."""

    def __init__(self, channel: Channel, *, allow_private: bool, timeout: float) -> None:
        self.channel = channel
        self._allow_private = allow_private
        self._calls: Counter[str] = Counter()
        # Since when (monotonic seconds) a message is refused or answered with a page, by its id.
        self._refused_since: dict[str, float] = {}
        self._http = HttpClient(
            timeout=timeout,
            connections=channel.concurrency,
            allow_private=allow_private,
            # Which partners a town has is for the register alone.
            names_host=False,
        )

    async def send(
        self,
        prepared: WebhookPrepared,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
        """Post to one receiver after the other, a Part for each.

        A no for good to what may have been accepted unheard is no refusal: it stays unknown. Only 410 says more.
        """
        for recipient in recipients:
            if not may_go_on():
                return
            refusal = await self._post(prepared, recipient, retry_key)
            if refusal and maybe_sent and refusal.reason != Reason.GONE:
                message = "前に受け取ったかもしれない相手が、今は断っています。受け取ったか確かめてください。"
                raise UnknownOutcome(refusal.reason, message, for_good=True)
            yield Part(1, (refusal,) if refusal else ())

    async def close(self) -> None:
        """Let connections go."""
        await self._http.close()

    async def _post(self, prepared: WebhookPrepared, recipient: Recipient, retry_key: str) -> Refusal | None:
        number = recipient.subscriber_id
        try:
            address = parse_address(recipient.address, allow_http=self._allow_private)
        except ValueError:
            return Refusal(number, Reason.INVALID_ADDRESS)
        host = URL(address.url).host or ""
        if self._calls[host] >= PER_HOST:
            raise TemporaryFailure(Reason.RECEIVER_BUSY, "受信側への送信が重なっています。", HOST_BUSY_WAIT)
        identifier = message_id(retry_key, number)
        headers = _signed_headers(address.signers, prepared.body, identifier)
        self._calls[host] += 1
        try:
            answer = await self._http.request(
                "POST", address.url, headers=headers, body=prepared.body.encode(), answer_limit=ANSWER_LIMIT
            )
        except PrivateAddress:
            return Refusal(number, Reason.PRIVATE_ADDRESS)
        except UnusableUrl:
            return Refusal(number, Reason.INVALID_ADDRESS)
        finally:
            self._calls[host] -= 1
        return self._judge(answer, number, identifier)

    def _judge(self, answer: HttpAnswer, number: int, identifier: str) -> Refusal | None:
        """Standard Webhooks: 2xx is accepted, 410 means "never again", all else is a failure that may pass.

        A receiver that is being moved or mended says 404, 401 or a redirect for a while, so such an answer is
        final only when it is still given after NO_FOR_GOOD. What was asked before a restart is asked anew.
        A 2xx with a page is as a rule a portal's or a host's, which says nothing of the message. Who answers so
        for good may have it or not, and would get it again and again: after the same time it stays unknown.
        """
        status = answer.status
        accepted = 200 <= status < 300 and not _is_page(answer)
        if accepted or status == 410:
            self._refused_since.pop(identifier, None)
            return None if accepted else Refusal(number, Reason.GONE, "HTTP 410")
        error = _later(answer)
        if error is not None:
            raise error
        for_good = monotonic() - self._refused_since.setdefault(identifier, monotonic()) >= NO_FOR_GOOD
        if for_good:
            del self._refused_since[identifier]
        if status < 300:
            message = f"受信側ではなく、HTMLのページから応答がありました（{status}）。"
            raise UnknownOutcome(Reason.FOREIGN_ANSWER, message, for_good=for_good)
        if not for_good:
            raise TemporaryFailure(Reason.REFUSED, f"受信側に断られました（{status}）。しばらく試します。")
        return Refusal(number, Reason.REFUSED, f"HTTP {status}")


def message_id(retry_key: str, subscriber_id: int) -> str:
    """The `webhook-id`: one per batch and receiver, the same in every attempt."""
    return f"msg_{uuid5(UUID(retry_key), str(subscriber_id)).hex}"


def _signed_headers(signers: Sequence[Webhook], content: str, identifier: str) -> dict[str, str]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "kairanban",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signer.sign(identifier, now, content) for signer in signers),
    }


def _is_page(answer: HttpAnswer) -> bool:
    """Whether this is a page for people. The type alone does not tell: PHP calls everything HTML, even "ok"."""
    body = answer.body.removeprefix(BOM_UTF8).lstrip()
    named = answer.headers.get("Content-Type", "").lower().startswith("text/html")
    return body.startswith(b"<") or (named and b"<" in body)


def _later(answer: HttpAnswer) -> ChannelError | None:
    if answer.status == 429:
        # Not "rate": one partner's wish must not slow down what goes to the others.
        return TemporaryFailure(
            Reason.RECEIVER_BUSY, "受信側が、間をあけるよう求めています（429）。", answer.retry_after
        )
    if answer.status == 408 or answer.status >= 500:
        message = f"受信側のサーバーでエラーが起きました（{answer.status}）。"
        return TemporaryFailure(Reason.SERVER_ERROR, message, answer.retry_after)
    return None

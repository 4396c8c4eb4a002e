"""Token endpoints. LINE Messaging API reference, #channel-access-token; errors in OAuth's shape."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sandbox.line import assertions
from sandbox.line.assertions import Assertion, BadAssertion
from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Reply
from sandbox.line.state import Channel
from sandbox.line.tokens import SHORT_LIVED_SECONDS, STATELESS_SECONDS, Token

log = logging.getLogger(__name__)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def issue_stateless(call: Call) -> Reply:
    """A token for 15 minutes, with channel id and secret or with an assertion."""
    if call.body.get("client_assertion"):
        channel_id = _asserted(call, call.body).channel_id
    else:
        channel_id = _client(call).channel_id
    token = call.sandbox.tokens.issue_stateless(_new(call), channel_id, call.now_ms)
    return _issued(token, STATELESS_SECONDS)


def issue_short_lived(call: Call) -> Reply:
    """A token for 30 days, with channel id and secret."""
    channel = _client(call)
    token = call.sandbox.tokens.issue_short_lived(_new(call), channel.channel_id, call.now_ms)
    return _issued(token, SHORT_LIVED_SECONDS)


def verify_posted(call: Call) -> Reply:
    """What a token is good for, from a form."""
    return _verified(call, call.body.get("access_token", ""))


def verify_queried(call: Call) -> Reply:
    """What a token is good for, from the query."""
    return _verified(call, call.query.get("access_token", ""))


def revoke(call: Call) -> Reply:
    """Revoke a short-lived or long-lived token; stateless ones live on."""
    value = call.body.get("access_token", "")
    token = call.sandbox.tokens.find(value, call.now_ms)
    if token is not None and token.kind != "stateless":
        call.sandbox.tokens.revoke(value)
    return Reply()


def issue_bound(call: Call) -> Reply:
    """A token that lives as long as its assertion asks (v2.1), with a number of its own."""
    _require_grant(call)
    asserted = _asserted(call, call.body)
    if asserted.token_seconds is None:
        raise _refused("invalid_request", "token_exp is missing")
    key_id = call.sandbox.ids.alnum(22)
    token = call.sandbox.tokens.issue_bound(
        _new(call), asserted.channel_id, call.now_ms, asserted.token_seconds, key_id
    )
    if token is None:
        raise _refused("invalid_request", "the maximum of 30 valid tokens is reached")
    body = _issued(token, asserted.token_seconds).body
    assert isinstance(body, dict)
    return Reply(body={**body, "key_id": key_id})


def bound_kids(call: Call) -> Reply:
    """Numbers of the v2.1 tokens that hold."""
    asserted = _asserted(call, call.query)
    held = call.sandbox.tokens.bound(asserted.channel_id, call.now_ms)
    return Reply(body={"kids": [token.key_id for token in held]})


def revoke_bound(call: Call) -> Reply:
    """With channel id and secret; only a v2.1 token of that channel."""
    channel = _channel(call)
    value = call.body.get("access_token", "")
    token = call.sandbox.tokens.find(value, call.now_ms)
    if token is not None and token.kind == "bound" and token.channel_id == channel.channel_id:
        call.sandbox.tokens.revoke(value)
    return Reply()


def not_implemented(call: Call) -> Reply:
    """Known to LINE, not to the sandbox: 501, so that a test notices."""
    log.warning("not implemented in the sandbox: %s %s", call.method, "/".join(call.path.split("/")[:4]))
    raise ApiError(501, "sandbox: not implemented")


def _new(call: Call) -> str:
    return call.sandbox.ids.alnum(160)


def _issued(token: Token, seconds: int) -> Reply:
    return Reply(body={"access_token": token.value, "expires_in": seconds, "token_type": "Bearer"})


def _verified(call: Call, value: str) -> Reply:
    token = call.sandbox.tokens.find(value, call.now_ms)
    if token is None:
        raise _refused("invalid_request", "access token expired")
    seconds = token.seconds_left(call.now_ms)
    return Reply(body={"client_id": token.channel_id, "expires_in": seconds, "scope": "P CM"})


def _asserted(call: Call, fields: Mapping[str, str]) -> Assertion:
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise _refused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    try:
        return assertions.read(fields.get("client_assertion", ""), call.sandbox.assertion_keys, call.now_ms)
    except BadAssertion as error:
        raise _refused("invalid_client", str(error)) from None


def _client(call: Call) -> Channel:
    _require_grant(call)
    return _channel(call)


def _require_grant(call: Call) -> None:
    if call.body.get("grant_type") != "client_credentials":
        raise _refused("unsupported_grant_type", "unsupported grant_type")


def _channel(call: Call) -> Channel:
    channel = call.sandbox.channels.get(call.body.get("client_id", ""))
    if channel is None or channel.secret != call.body.get("client_secret"):
        raise _refused("invalid_client", "invalid client_id or client_secret")
    return channel


def _refused(error: str, description: str) -> ApiError:
    return ApiError(400, description, body={"error": error, "error_description": description})

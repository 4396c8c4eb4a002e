"""Assertions by which a channel proves itself with a key of its own (JWT, RS256) instead of its secret.

LINE documentation, "Issue channel access tokens v2.1": iss and sub are the channel, aud is LINE, at most 30 minutes ahead.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

AUDIENCE = "https://api.line.me/"
LONGEST_S = 30 * 60
LONGEST_TOKEN_S = 30 * 24 * 3600
BITS = 2048


class BadAssertion(Exception):
    """What LINE would not take; the message says why."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """`token_seconds` is how long a token is wanted to live, None when the assertion says nothing of it."""

    channel_id: str
    kid: str
    token_seconds: int | None


def read_jwk(jwk: Any) -> RSAPublicKey:
    """A public key as LINE's console takes it. Raises ValueError."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "RSA":
        raise ValueError("jwk must be an RSA key (kty, n, e)")
    exponent, modulus = (int.from_bytes(_octets(str(jwk.get(name, "")))) for name in ("e", "n"))
    if modulus.bit_length() != BITS:
        raise ValueError(f"jwk must have {BITS} bits")
    return RSAPublicNumbers(exponent, modulus).public_key()


def read(text: str, keys: dict[str, tuple[str, RSAPublicKey]], now_ms: int) -> Assertion:
    """`keys` maps the number of a key to its channel and itself. Raises BadAssertion."""
    parts = text.split(".")
    if len(parts) != 3:
        raise BadAssertion("client_assertion must have three parts")
    header, payload = (_json(part) for part in parts[:2])
    kid = str(header.get("kid", ""))
    if header.get("alg") != "RS256" or kid not in keys:
        raise BadAssertion("alg must be RS256 and kid that of a registered key")
    channel_id, key = keys[kid]
    try:
        key.verify(_octets(parts[2]), f"{parts[0]}.{parts[1]}".encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise BadAssertion("the signature does not fit") from None
    if payload.get("iss") != channel_id or payload.get("sub") != channel_id:
        raise BadAssertion("iss and sub must be the channel ID")
    if payload.get("aud") != AUDIENCE:
        raise BadAssertion(f"aud must be {AUDIENCE}")
    ends, now = payload.get("exp"), now_ms // 1000
    if not _is_whole(ends) or not now < ends <= now + LONGEST_S:
        raise BadAssertion("exp must lie within the next 30 minutes")
    wanted = payload.get("token_exp")
    if wanted is not None and (not _is_whole(wanted) or not 0 < wanted <= LONGEST_TOKEN_S):
        raise BadAssertion("token_exp must be 1 to 2592000 seconds")
    return Assertion(channel_id, kid, wanted)


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_octets(part))
    except ValueError:
        raise BadAssertion("client_assertion is no JWT") from None
    if not isinstance(found, dict):
        raise BadAssertion("client_assertion is no JWT")
    return found


def _octets(text: str) -> bytes:
    """Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

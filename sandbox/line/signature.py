"""The webhook signature. LINE documentation, messaging-api/verify-webhook-signature."""

from __future__ import annotations

import base64
import hashlib
import hmac


def sign(secret: str, body: bytes) -> str:
    """base64(HMAC-SHA256(channel secret, raw body)), for the header `x-line-signature`."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()

"""Who has opened a page inside LINE: an ID token, judged by LINE itself.

Source: LINE Login v2.1 API reference, "Verify ID token" (POST /oauth2/v2.1/verify). `sub` is the user id that
the Messaging API knows too, when both channels belong to one provider.
"""

from __future__ import annotations

from time import time
from urllib.parse import urlencode

from channels.channel import BatchRefused, UnknownOutcome
from channels.http import HttpClient
from channels.line.answers import decode
from channels.reasons import Reason

ISSUER = "https://access.line.me"
LONGEST_TOKEN = 4_000


class TokenRefused(BatchRefused):
    """The token is over, forged, or was made for another channel."""


async def user_of_id_token(api_base: str, token: str, channel_id: str, *, timeout: float = 5.0) -> str:
    """The LINE user id behind a token that was made for this LINE Login channel.

    Raises TokenRefused, and TemporaryFailure or UnknownOutcome when LINE cannot be asked.
    """
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise TokenRefused(Reason.INVALID_REQUEST, "no ID token")
    http = HttpClient(timeout=timeout, connections=1)
    try:
        answer = await http.request(
            "POST",
            f"{api_base.rstrip('/')}/oauth2/v2.1/verify",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({"id_token": token, "client_id": channel_id}).encode(),
        )
    finally:
        await http.close()
    if answer.status == 400:
        raise TokenRefused(Reason.INVALID_REQUEST, "LINE refused the ID token")
    claims = decode(answer)
    if answer.status != 200 or not isinstance(claims.get("sub"), str):
        raise UnknownOutcome(
            Reason.FOREIGN_ANSWER, f"LINE did not say whose ID token it is ({answer.status})"
        )
    # LINE has looked at these; an answer for somebody else's question must not open anything.
    if claims.get("aud") != channel_id or claims.get("iss") != ISSUER or not _is_open(claims.get("exp")):
        raise TokenRefused(Reason.INVALID_REQUEST, "the ID token is not for this channel")
    return str(claims["sub"])


def _is_open(expires: object) -> bool:
    return isinstance(expires, int) and expires > time()

"""LINE Login as far as a page inside LINE (LIFF) needs it: ID tokens, and the endpoint that says whether one is good.

LINE Login v2.1 API reference, "Verify ID token". The control API makes tokens, also wrong ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from aiohttp import web

from sandbox.line.call import Call
from sandbox.line.control import answer, body_of, sandbox_of, user_of
from sandbox.line.errors import ApiError, Reply

ISSUER = "https://access.line.me"
SECONDS = 3600
# What a page calls of LINE's own script; the token comes with the address, as the phone would know it.
SDK = """"use strict";
window.liff = {
  init: async () => {},
  isLoggedIn: () => true,
  login: () => {},
  getIDToken: () => new URLSearchParams(location.search).get("id_token"),
};
"""


def verify_id_token(call: Call) -> Reply:
    """The claims of a token that is good for this client; else 400 in OAuth's shape."""
    token, client = str(call.body.get("id_token", "")), str(call.body.get("client_id", ""))
    try:
        head, payload, signature = token.split(".")
        claims: dict[str, Any] = json.loads(_decoded(payload))
    except ValueError:
        raise _refused("Invalid IdToken.") from None
    if not hmac.compare_digest(
        _signature(call.sandbox.options.channel_secret, f"{head}.{payload}"), signature
    ):
        raise _refused("Invalid IdToken.")
    if claims["aud"] != client:
        raise _refused("Invalid IdToken Audience.")
    if claims["exp"] <= call.now_ms // 1000:
        raise _refused("IdToken expired.")
    return Reply(body=claims)


async def make_id_token(request: web.Request) -> web.Response:
    """`POST /_sandbox/users/{id}/id-token {"aud"?, "seconds"?}`: as LINE gives it to a page that this person opens."""
    sandbox, user = sandbox_of(request), user_of(request)
    body = await body_of(request)
    now = sandbox.clock.now_ms() // 1000
    claims = {
        "iss": ISSUER,
        "sub": user.user_id,
        "aud": str(body.get("aud", sandbox.options.login_channel_id)),
        "exp": now + int(body.get("seconds", SECONDS)),
        "iat": now,
        "name": user.display_name,
    }
    return answer({"idToken": id_token(sandbox.options.channel_secret, claims)})


def id_token(secret: str, claims: dict[str, Any]) -> str:
    """A JWT of HS256, signed with a secret of the sandbox."""
    signed = ".".join(_encoded(json.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{_signature(secret, signed)}"


async def show_sdk(request: web.Request) -> web.Response:
    """`GET /_sandbox/liff/sdk.js`."""
    return web.Response(text=SDK, content_type="text/javascript")


def add_routes(app: web.Application) -> None:
    app.router.add_post("/_sandbox/users/{userId}/id-token", make_id_token)
    app.router.add_get("/_sandbox/liff/sdk.js", show_sdk)


def _signature(secret: str, signed: str) -> str:
    digest = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _refused(description: str) -> ApiError:
    body = {"error": "invalid_request", "error_description": description}
    return ApiError(400, description, body=body)

"""The headers that keep pages harmless: on every answer, whoever gives it."""

from __future__ import annotations

# No inline script or style anywhere, so that words in a notice can never become code.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
# The libraries' own tells their versions.
SERVER = "kairanban"
# Where the pages are reached by https, browsers shall never try http again.
ONLY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
# The visitor's address, from the door to the pages behind it; never taken from outside.
SOURCE = "X-Kairanban-Source"
API = "/api/"
# What machines call; a page would not help them.
MACHINE_PATHS = ("/line/", API, "/healthz", "/readyz", "/metrics")
# They belong to one connection, not to the request.
ONE_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "expect",
    ]
)

"""What a browser says that it is, in two words that its owner knows it by: enough to tell a phone from a desk."""

from __future__ import annotations

# The first that fits; some browsers also bear the names of others.
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg", "Edge"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
UNKNOWN = "不明な端末"


def device_words(user_agent: str) -> str:
    """ "iPhone・Safari"; never a part of what was sent."""
    found = [next((word for sign, word in words if sign in user_agent), "") for words in (SYSTEMS, BROWSERS)]
    return "・".join(word for word in found if word) or UNKNOWN

"""Pictures that residents sent, by the id of their message. Messaging API reference, #get-content."""

from __future__ import annotations

import io

from sandbox.line.call import Call
from sandbox.line.errors import Reply, not_found

PREVIEW_SIDE = 240


def whole(call: Call) -> Reply:
    """As it was sent."""
    picture = _picture(call)
    return Reply(body=picture, content_type=_kind(picture))


def preview(call: Call) -> Reply:
    """A small JPEG, or the whole where it is no picture that can be read."""
    from PIL import Image

    picture = _picture(call)
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            small = opened.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return Reply(body=picture, content_type=_kind(picture))
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    written = io.BytesIO()
    small.save(written, format="JPEG")
    return Reply(body=written.getvalue(), content_type="image/jpeg")


def transcoding(call: Call) -> Reply:
    """Pictures are ready at once; there are no videos and voices here."""
    _picture(call)
    return Reply(body={"status": "succeeded"})


def _picture(call: Call) -> bytes:
    found = call.channel.contents.get(call.params["messageId"])
    if found is None:
        raise not_found()
    return found


def _kind(picture: bytes) -> str:
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"

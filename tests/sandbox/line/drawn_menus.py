"""Rich menus as a bot makes them, and pictures of their size."""

import struct
import zlib


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\xff" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def menu(name="平常時", action=None):
    from linebot.v3.messaging import RichMenuRequest

    action = action or {"type": "postback", "label": "ごみ", "data": "v1|garbage"}
    bounds = {"x": 0, "y": 0, "width": 800, "height": 270}
    return RichMenuRequest.from_dict(
        {
            "size": {"width": 800, "height": 270},
            "selected": True,
            "name": name,
            "chatBarText": "メニュー",
            "areas": [{"bounds": bounds, "action": action}],
        }
    )

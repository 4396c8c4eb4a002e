"""Picture files as people, cameras and attackers make them."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

from PIL import Image, ImageCms, ImageDraw

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def drawn(size: tuple[int, int] = (640, 480), mode: str = "RGB") -> Image.Image:
    """Something to recognise: its left upper quarter is red, the rest white."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1] // 2), fill=(200, 20, 20))
    return image.convert(mode)


def png(size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    return _saved(drawn(size, mode), "PNG", **options)


@cache
def jpeg(size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    return _saved(drawn(size, mode), "JPEG", quality=90)


def photo(orientation: int = 6) -> bytes:
    """Of a phone that was held upright and knows where it was, with a colour profile."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "SecretPhone"
    exif.get_ifd(GPS)[2] = (38.0, 3.0, 21.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _saved(
        drawn((800, 600)), "JPEG", exif=exif.tobytes(), comment=b"SecretComment", icc_profile=profile
    )


def moving() -> bytes:
    frames = [drawn((64, 64)), Image.new("RGB", (64, 64), "blue")]
    return _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])


def grey_of_16_bits() -> bytes:
    image = Image.new("I;16", (64, 64), 0)
    image.paste(65535, (0, 0, 32, 64))
    return _saved(image, "PNG")


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A few hundred bytes that claim to be thousands of millions of pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    octets = io.BytesIO()
    image.save(octets, kind, **options)
    return octets.getvalue()

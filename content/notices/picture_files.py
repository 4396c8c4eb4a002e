"""From a file that somebody sends to a picture that may be shown: read under limits, made anew from its pixels.

Nothing of the file itself is kept: no place where a photo was taken, no camera, no thumbnail, no comment.
"""

from __future__ import annotations

import asyncio
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from content.notices.pictures import CleanPicture

if TYPE_CHECKING:
    from PIL.Image import Image

FILE_LIMIT = 15 * 1024 * 1024
# More than any phone takes by default; a file of a few kilobytes can claim thousands of millions.
PIXEL_LIMIT = 64_000_000
SIDE_LIMIT = 20_000
# What LINE shows in a message.
LONGEST_SIDE = 1024
# A drawing with few colours stays sharp as PNG; a photo would be many times as large.
FEW_COLOURS = 4_096
PNG_LIMIT = 300 * 1024
QUALITIES = (85, 75, 65)
JPEG_LIMIT = 400 * 1024
# One after the other, so that many pictures at once take neither the memory nor the processors of a send.
_ONE = ThreadPoolExecutor(1, thread_name_prefix="picture")

NOT_READ = "画像として読めません。壊れているか、途中で切れています。もとの画像を開けるか確かめて、もう一度選んでください。"
OTHER_TYPE = (
    "JPEGかPNGの画像だけを使えます。ほかの形式(PDF・SVG・HEIC・Wordなど)は、JPEGかPNGで保存し直してください。"
)
TOO_LARGE = f"ファイルが大きすぎます({FILE_LIMIT // 1024 // 1024}MBまで)。小さくして保存し直してください。"
TOO_MANY_PIXELS = f"画像の縦横が大きすぎます(合わせて{PIXEL_LIMIT // 10_000:,}万画素、一辺{SIDE_LIMIT:,}まで)。小さくして保存し直してください。"
MOVING = "動く画像は使えません。動かない画像を選んでください。"


class BadPicture(Exception):
    """The file cannot be used; the message says why and what to do."""


async def read_picture(octets: bytes) -> CleanPicture:
    """Raises BadPicture."""
    return await asyncio.get_running_loop().run_in_executor(_ONE, clean_picture, octets)


def clean_picture(octets: bytes) -> CleanPicture:
    """Raises BadPicture."""
    # Here, since most processes never see a picture.
    from PIL import Image, UnidentifiedImageError

    if len(octets) > FILE_LIMIT:
        raise BadPicture(TOO_LARGE)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(octets), formats=("JPEG", "PNG")) as opened:
            warnings.simplefilter("ignore")
            _refuse_unusable(opened)
            # A large photo is read at a fraction of its size, which takes a fraction of the memory.
            opened.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            return _encode(_small(opened))
    except UnidentifiedImageError as error:
        raise BadPicture(OTHER_TYPE) from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise BadPicture(TOO_MANY_PIXELS) from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError) as error:
        # What Pillow raises for files that are broken on purpose or by accident.
        raise BadPicture(NOT_READ) from error


def _refuse_unusable(opened: Image) -> None:
    width, height = opened.size
    if width * height > PIXEL_LIMIT or max(width, height) > SIDE_LIMIT:
        raise BadPicture(TOO_MANY_PIXELS)
    # Photos of some phones (MPO) carry a second one behind the first; that is not moving.
    if opened.format == "PNG" and getattr(opened, "is_animated", False):
        raise BadPicture(MOVING)


def _small(opened: Image) -> Image:
    """Upright, in the colours of a screen, on white, no larger than it is shown; its pixels alone."""
    from PIL import Image, ImageOps

    opened.load()
    profile = opened.info.get("icc_profile")
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    plain = Image.new("RGB", upright.size, "white")
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        plain.paste(layer, mask=layer.getchannel("A"))
    else:
        plain.paste(_on_screen(upright, profile))
    return plain


def _on_screen(image: Image, profile: object) -> Image:
    """By its colour profile, where it has one that can be used: without, a printer's file looks garish."""
    if not isinstance(profile, bytes):
        return _eight_bits(image)
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image.convert("RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _eight_bits(image)


def _eight_bits(image: Image) -> Image:
    """Of 16 bits Pillow would keep the lower ones, and the picture would be white."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    return image.convert("RGB")


def _encode(image: Image) -> CleanPicture:
    if image.getcolors(FEW_COLOURS) is not None:
        as_png = io.BytesIO()
        image.save(as_png, "PNG", optimize=True)
        if as_png.tell() <= PNG_LIMIT:
            return CleanPicture(as_png.getvalue(), *image.size, "png")
    as_jpeg = io.BytesIO()
    for quality in QUALITIES:
        as_jpeg = io.BytesIO()
        image.save(as_jpeg, "JPEG", quality=quality, optimize=True, progressive=True)
        if as_jpeg.tell() <= JPEG_LIMIT:
            break
    return CleanPicture(as_jpeg.getvalue(), *image.size, "jpg")

"""A Japanese font of the system, for pictures that are drawn here."""

from __future__ import annotations

from pathlib import Path

# Where Debian, Fedora and macOS keep one; the first that is there counts.
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/System/Library/Fonts/ヒラギノ角ゴシック W6.ttc",
)


def japanese_font() -> Path | None:
    """None when the system has none of them."""
    return next((Path(path) for path in FONTS if Path(path).is_file()), None)

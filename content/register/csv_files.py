"""CSV files as offices write them: UTF-8 with or without its mark, or CP932."""

from __future__ import annotations


def decoded(content: bytes) -> str | None:
    """The text, None when it is neither."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    return None

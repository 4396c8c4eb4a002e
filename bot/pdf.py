"""HTML as PDF, by WeasyPrint: the optional extra [pdf]. Without it pages say how to print."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading

# It takes a processor for about a second: one at a time, so that sending goes on.
ONE = threading.Lock()


def has_pdf() -> bool:
    return importlib.util.find_spec("weasyprint") is not None


async def pdf_of(html: str) -> bytes:
    """Tagged. The text opens no address, so it holds its style sheet and pictures. Raises ImportError without the extra."""
    return await asyncio.to_thread(_written, html)


def _written(html: str) -> bytes:
    from PIL import ImageFile
    from weasyprint import HTML

    # Its import lets Pillow take pictures that were cut off, for the whole process: also those that staff upload.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # It warns of every rule of the style sheet that is for screens.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    with ONE:
        made: bytes = HTML(string=html, url_fetcher=_open_nothing).write_pdf(pdf_tags=True)
    return made


def _open_nothing(url: str) -> object:
    """Everything stands in the text itself."""
    raise ValueError("a PDF of ours opens no address")

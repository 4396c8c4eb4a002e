"""A sheet as PDF."""

from __future__ import annotations

from pathlib import Path

import jinja2

from bot.pdf import pdf_of
from bot.sheets.paper import Paper

CSS = Path(__file__).parent.parent / "static" / "plan-sheet.css"


async def sheet_pdf(templates: jinja2.Environment, found: Paper) -> bytes:
    """In Japanese. Raises ImportError without the extra [pdf]."""
    html = templates.get_template("console/sheet_print.html").render(
        paper=found, css=CSS.read_text(encoding="utf-8")
    )
    return await pdf_of(html)

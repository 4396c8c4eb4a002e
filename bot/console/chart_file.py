"""The chart of an indicator as a file: SVG, or PNG for whoever pastes it into a document.

It speaks for itself: name, values at the ends of the years, how lines are to be read, notes, definition, who made it
and when. Lines differ in their form as well as in colour, so it can be copied in black and white.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jinja2

from bot.console.chart import Chart, draw
from bot.figure_words import channel_words
from channels.fonts import japanese_font
from channels.posting.splitting import split
from content.clock import today_jst
from content.figures.indicators import IndicatorReport
from content.town import Town

WIDTH, HEIGHT = 760, 380
# Above the chart: plan, name, headline. Below: a line each.
HEAD, LINE = 84, 18
# Characters of a line of small print.
CHARACTERS = 60
# Pixels of the PNG for one of the drawing.
SCALE = 2
INK, QUIET, PAPER = "#1b1b1b", "#4a4f57", "#ffffff"
BLUE, RED, AMBER, GRID, FILL = "#1d3557", "#b3261e", "#7a4a00", "#dedcd5", "#dce6f0"


class NoFont(Exception):
    """No picture can be drawn on this machine; the message says what to install."""


@dataclass(frozen=True, slots=True)
class ChartFile:
    """What both forms draw."""

    chart: Chart
    plan: str
    name: str
    headline: str
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        return HEAD + HEIGHT + 34 + LINE * len(self.lines) + 12


def chart_file(town: Town, report: IndicatorReport, headline: str, made_at: int) -> ChartFile:
    indicator = report.indicator
    remarks = [remark for year in report.years for remark in year.annotations]
    notes = [
        *(f"注{number} {remark.month}: {remark.text}" for number, remark in enumerate(remarks, 1)),
        *(["「架空」は、デモのための架空の値です。"] if indicator.invented else ()),
        f"定義 {indicator.definition}",
        f"対象の配信手段: {'、'.join(map(channel_words, indicator.channels))}。単位: {indicator.unit}",
        f"{town.prefecture}{town.name}(団体コード {town.code}) {today_jst(made_at).isoformat()} の登録の記録から作成",
    ]
    lines = [piece.strip() for note in notes for piece in split(note, lambda part: len(part) <= CHARACTERS)]
    return ChartFile(
        draw(report, WIDTH, HEIGHT), indicator.plan, indicator.name, headline, tuple(filter(None, lines))
    )


def to_svg(templates: jinja2.Environment, found: ChartFile) -> bytes:
    template = templates.get_template("console/chart_file.svg")
    return template.render(file=found, head=HEAD, line=LINE, width=WIDTH, below=HEAD + HEIGHT).encode()


def to_png(found: ChartFile) -> bytes:
    """Twice the size of the SVG. Raises NoFont."""
    from PIL import Image, ImageDraw

    if japanese_font() is None:
        raise NoFont(
            "日本語の書体がありません。`apt-get install fonts-noto-cjk` で入れてください。SVGは保存できます。"
        )
    picture = Image.new("RGB", (WIDTH * SCALE, found.height * SCALE), PAPER)
    _Pen(ImageDraw.Draw(picture)).draw(found)
    written = io.BytesIO()
    picture.save(written, format="PNG", optimize=True)
    return written.getvalue()


class _Pen:
    """Draws at the places of the SVG."""

    def __init__(self, pen: Any) -> None:
        from PIL import ImageFont

        self._pen = pen
        path = str(japanese_font())
        self._fonts = {size: ImageFont.truetype(path, round(size * SCALE)) for size in (12.5, 13, 14, 15, 20)}

    def draw(self, found: ChartFile) -> None:
        self._text(20, 24, found.plan, 13, QUIET)
        self._text(20, 48, found.name, 20, INK)
        self._text(20, 72, found.headline, 15, INK)
        self._chart(found.chart)
        below = HEAD + HEIGHT
        self._line([(20, below + 14), (56, below + 14)], BLUE, 2.5)
        self._text(62, below + 18, "実績(月末)", 12.5, INK)
        self._line([(160, below + 14), (196, below + 14)], RED, 2.5, (8, 4))
        self._text(202, below + 18, "目標(年度)", 12.5, INK)
        for number, line in enumerate(found.lines):
            self._text(20, below + 44 + LINE * number, line, 12.5, QUIET)

    def _chart(self, c: Chart) -> None:
        for tick in c.ticks:
            self._line([(c.left, tick.y + HEAD), (c.right, tick.y + HEAD)], GRID, 1)
            self._text(tick.x, tick.y + HEAD + 4, tick.text, 12.5, INK, tick.anchor)
        for x in c.borders:
            self._line([(x, 24 + HEAD), (x, c.floor + HEAD + 8)], QUIET, 1, (2, 3))
        for area in c.areas:
            self._pen.polygon([(x * SCALE, y * SCALE) for x, y in _points(area)], fill=FILL)
        for line in c.lines:
            self._line(_points(line), BLUE, 2.5)
        for mark in c.points:
            self._dot(mark.x, mark.y + HEAD, 4, BLUE, BLUE)
        for start, end in c.gaps:
            self._line([(start, c.floor + HEAD - 4), (end, c.floor + HEAD - 4)], QUIET, 3, (2, 4))
            self._text((start + end) / 2, c.floor + HEAD - 10, "観測なし", 12.5, INK, "middle")
        for step in c.steps:
            self._line([(step.x1, step.y + HEAD), (step.x2, step.y + HEAD)], RED, 2.5, (8, 4))
            self._text(step.label.x, step.label.y + HEAD, step.label.text, 12.5, RED, halo=True)
        for mark in c.ends:
            self._text(mark.x, mark.y + HEAD, mark.text, 14, BLUE, mark.anchor, halo=True)
        for mark in c.remarks:
            self._line([(mark.x, mark.y + HEAD + 5), (mark.x, c.floor + HEAD)], AMBER, 1.5, (1, 3))
            self._text(mark.x, mark.y + HEAD, mark.text, 12.5, AMBER, "middle", halo=True)
        if c.provisional:
            self._dot(c.provisional.x, c.provisional.y + HEAD, 5, PAPER, BLUE)
        for mark in c.years:
            self._text(mark.x, mark.y + HEAD, mark.text, 12.5, INK, "middle")
        self._line([(c.left, c.floor + HEAD), (c.right, c.floor + HEAD)], INK, 1.5)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        ink: str,
        anchor: str = "start",
        *,
        halo: bool = False,
    ) -> None:
        side = {"start": "l", "middle": "m", "end": "r"}[anchor]
        self._pen.text(
            (x * SCALE, y * SCALE),
            text,
            font=self._fonts[size],
            fill=ink,
            anchor=f"{side}s",
            stroke_width=2 * SCALE if halo else 0,
            stroke_fill=PAPER,
        )

    def _dot(self, x: float, y: float, radius: float, fill: str, outline: str) -> None:
        box = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self._pen.ellipse(box, fill=fill, outline=outline, width=round(2.5 * SCALE))

    def _line(
        self,
        points: list[tuple[float, float]],
        ink: str,
        width: float,
        dashes: tuple[float, float] | None = None,
    ) -> None:
        drawn = [(x * SCALE, y * SCALE) for x, y in points]
        if dashes is None:
            self._pen.line(drawn, fill=ink, width=max(1, round(width * SCALE)), joint="curve")
            return
        for start, end in pairwise(drawn):
            for piece in _dashed(start, end, dashes[0] * SCALE, dashes[1] * SCALE):
                self._pen.line(piece, fill=ink, width=max(1, round(width * SCALE)))


def _points(text: str) -> list[tuple[float, float]]:
    """Of the chart, moved below the head."""
    pairs = (point.split(",") for point in text.split())
    return [(float(x), float(y) + HEAD) for x, y in pairs]


def _dashed(
    start: tuple[float, float], end: tuple[float, float], on: float, off: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Upright and level lines alone are dashed here."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    way = ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length else (0.0, 0.0)
    pieces, at = [], 0.0
    while at < length:
        upto = min(at + on, length)
        pieces.append(
            (
                (start[0] + way[0] * at, start[1] + way[1] * at),
                (start[0] + way[0] * upto, start[1] + way[1] * upto),
            )
        )
        at += on + off
    return pieces

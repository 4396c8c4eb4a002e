"""What a sheet is made of, in order: headings, paragraphs and grids. Every way to print it takes these."""

from __future__ import annotations

from dataclasses import dataclass

from content.figures.plan_results import IndicatorResult, YearOfIndicator
from content.figures.sheets import ScaleCount, SheetView
from content.plans.models import Policy
from content.plans.values import Value


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` 2 to 4. `page`: begins a page of its own on paper."""

    text: str
    level: int = 2
    page: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`policy`: the key of the one whose words these are, so that the page can offer to write them."""

    text: str
    label: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the first cell of each row heads it. `plain`: of words, else its cells are figures."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    plain: bool = False


Block = Heading | Paragraph | Grid


def year_words(year: int, style: str = "") -> str:
    """2019年度; by style "H" H24 / R1, by "平成" 平成30年度 / 令和元年度."""
    if not style:
        return f"{year}年度"
    heisei = year < 2019
    number = year - 1988 if heisei else year - 2018
    if style == "H":
        return f"{'H' if heisei else 'R'}{number}"
    return f"{'平成' if heisei else '令和'}{'元' if number == 1 else number}年度"


def printed(value: Value) -> str:
    """As the plan prints it, with the date of a value that has one of its own."""
    if value.as_of is None:
        return value.text
    return f"{value.text}({value.as_of.year}年{value.as_of.month}月{value.as_of.day}日現在)"


def schedule(view: SheetView, policy: Policy, style: str = "", *, targets: bool = True) -> list[Block]:
    """取り組む内容 by year, its last rows the targets of its indicators."""
    years = view.plan.years
    rows = [(step.name, *(step.years.get(year, "") for year in years)) for step in policy.steps]
    if targets:
        for found in view.results_of(policy):
            cells = [printed(item.target) for year in years if (item := found.of(year)) is not None]
            rows.append((f"指標 {found.indicator.name}", *cells))
    if not rows:
        return []
    header = ("取り組む内容", *(year_words(year, style) for year in years))
    return [Grid(f"{policy.name}:年度ごとの取り組む内容", header, tuple(rows), plain=True)]


def results(view: SheetView, policy: Policy, style: str = "") -> list[Block]:
    """Per indicator the target, actual and 達成率 of each year, and under it what stands beside."""
    blocks: list[Block] = []
    for found in view.results_of(policy):
        years = [item for year in view.plan.years if (item := found.of(year)) is not None]
        rows = [("目標", *(printed(item.target) for item in years))]
        rows += [("実績", *(actual_words(item) for item in years))]
        if any(item.rate is not None for item in years):
            rows += [("達成率", *(item.rate_words for item in years))]
        elif any(item.met is not None for item in years):
            rows += [("達成", *(item.met_words for item in years))]
        if any(item.cost is not None for item in years):
            rows += [("経費", *(f"{item.cost:,}円" if item.cost is not None else "" for item in years))]
            rows += [("1" + found.indicator.unit + "あたり", *(_each(item) for item in years))]
        unit = f"(単位:{found.indicator.unit})" if found.indicator.kind != "text" else ""
        header = ("", *(year_words(item.year, style) for item in years))
        plain = found.indicator.kind == "text"
        blocks.append(Grid(f"{found.indicator.name}{unit}", header, tuple(rows), plain=plain))
        blocks += [Paragraph(words) for words in beside_words(found)]
    return blocks


def summary(view: SheetView) -> list[Block]:
    """The plan's indicators in the year of the sheet, one a row."""
    rows = []
    for found in view.results.values():
        item = found.of(view.sheet.year)
        if item is None:
            continue
        base = found.indicator.baseline
        rows.append(
            (
                found.indicator.name,
                found.indicator.unit if found.indicator.kind != "text" else "",
                f"{base.text}{f'({base.label})' if base.label else ''}" if base else "",
                printed(item.target),
                actual_words(item),
                item.rate_words or item.met_words,
            )
        )
    if not rows:
        return []
    header = ("指標", "単位", "基準値", "目標", "実績", "達成率")
    year = year_words(view.sheet.year)
    return [Heading(f"指標の一覧({year})"), Grid(f"{year}の目標と実績", header, tuple(rows))]


def grade_counts(counts: tuple[ScaleCount, ...]) -> list[Block]:
    """Counts by grade; where the town's paper prints others, both stand side by side."""
    blocks: list[Block] = []
    for found in counts:
        if not found.graded:
            continue
        beside = any(item.printed_count is not None for item in found.grades)
        header: tuple[str, ...] = (found.scale.name, "件数", "割合(計算)")
        header += ("件数(公表)", "割合(公表)") if beside else ()
        rows = []
        for item in found.grades:
            row: tuple[str, ...] = (
                item.grade,
                str(item.count),
                f"{item.percent}%" if item.percent is not None else "",
            )
            if beside:
                row += (
                    str(item.printed_count) if item.printed_count is not None else "",
                    f"{item.printed_percent}%" if item.printed_percent else "",
                )
            rows.append(row)
        rows.append(("計", str(found.graded), "", *(("", "") if beside else ())))
        blocks += [
            Heading(f"{found.scale.name}の件数"),
            Grid(f"{found.scale.name}の件数と割合", header, tuple(rows)),
        ]
        if found.ungraded:
            blocks.append(
                Paragraph(f"まだ評価していない施策が{found.ungraded}件あります。割合には入れていません。")
            )
        if words := "、".join(f"{item.grade}={item.meaning}" for item in found.grades if item.meaning):
            blocks.append(Paragraph(words, "評価の意味"))
    if any(item.printed_count is not None for found in counts for item in found.grades):
        blocks.append(
            Paragraph(
                "割合(計算)は小数第1位までの四捨五入です。公表資料の割合は丸め方が違うところがあり、並べて示します。"
            )
        )
    return blocks


def beside_words(found: IndicatorResult) -> list[str]:
    """What a reader needs beside the figures: adjustment, comparator, date and source, notes."""
    words = []
    for item in found.years:
        year = year_words(item.year)
        for more in item.adjusted:
            rate = f"、達成率 {item.about}{more.rate}%" if more.rate is not None else ""
            words.append(
                f"{year} {more.name} {more.text}{found.indicator.unit}を加えると {item.about}{more.number:,}"
                f"{found.indicator.unit}{rate}(実績そのものは {item.actual.text}、{item.rate_words or '–'})"
            )
        if item.beside:
            words.append(
                f"{year} 参考 " + "、".join(f"{one.name} {printed(one.value)}" for one in item.beside)
            )
        notes = [("目標", item.target.note), ("実績", item.actual.note)]
        words += [f"{year} {name}の注 {note}" for name, note in notes if note]
        if (now := item.counted_now) is not None:
            words.append(f"{year} いま数えると {now.text}{found.indicator.unit}です({_held(item)})")
        words += [f"{year} 年度末の値が確定したあとの注 {remark}" for remark in item.remarks]
        if item.pace is not None:
            words.append(f"{year} {pace_words(item, found.indicator.unit)}")
    sources = list(dict.fromkeys(item.source for item in found.years if item.source))
    return [*words, f"実績の出典 {'、'.join(sources)}"] if sources else words


def _held(item: YearOfIndicator) -> str:
    if item.counted is None:
        return "確認のときは数がありませんでした"
    when = "年度末に確定した値" if item.counted.frozen_at is not None else "確認のとき"
    return f"{when}は {item.counted.text}"


def pace_words(item: YearOfIndicator, unit: str) -> str:
    """What is needed from now on, and where a straight line would lead, said as what it is."""
    if item.pace is None:
        return ""
    needed = (
        f"目標に届くには、年度末までの{item.pace.months_left}か月に、月あたり {item.pace.needed:,}{unit}が必要です。"
        if item.pace.needed is not None
        else "目標に届いています。"
    )
    return f"{needed}4月からの増え方がこのまま続くと仮定した直線の計算では、年度末は {item.pace.projected:,}{unit}です(予測ではありません)。"


def actual_words(item: YearOfIndicator) -> str:
    """As printed, and what a reader must know of it: 速報 while the year runs, 架空の値 in a demo."""
    marks = ("(速報)" if item.provisional else "") + ("(架空の値)" if item.invented else "")
    return f"{printed(item.actual)}{marks}"


def _each(item: YearOfIndicator) -> str:
    return f"{item.cost_per_piece:,}円" if item.cost_per_piece is not None else ""

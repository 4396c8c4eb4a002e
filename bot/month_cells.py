"""The figures of the months as a table has them: in the town's order, or a row for each reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from content.figures.months import MonthFigure
from content.figures.movements import Measure, Move
from content.town import Town


def by_reason(figures: list[MonthFigure]) -> list[MonthFigure]:
    """Of the total, a row for each kind and reason that occurs in the year."""
    known = {
        account: sorted(
            {
                (kind, reason)
                for item in figures
                if item.account == account
                for kind, reason, _ in item.reasons
            }
        )
        for account in {item.account for item in figures}
    }
    found = []
    for figure in figures:
        numbers: dict[tuple[str, str], int] = defaultdict(int)
        for kind, reason, number in figure.reasons:
            numbers[kind, reason] += number
        for kind, reason in known[figure.account]:
            number = numbers[kind, reason]
            unknown = figure.joined is None

            def of(move: Move, kind: str = kind, number: int = number, unknown: bool = unknown) -> int | None:
                return None if unknown else number if kind == move else 0

            found.append(
                replace(
                    figure,
                    value=f"{kind}:{reason}",
                    active=None,
                    joined=of(Move.JOINED),
                    returned=of(Move.RETURNED),
                    left=of(Move.LEFT),
                    changed=None,
                    reasons=(),
                )
            )
    return found


def in_order(town: Town, measure: Measure, figures: list[MonthFigure]) -> list[MonthFigure]:
    known: dict[Measure, list[str]] = {
        Measure.CATEGORY: [item.key for item in town.categories],
        Measure.AREA: [item.key for item in town.areas],
        Measure.GROUP: [item.key for item in town.groups],
        Measure.LANGUAGE: list(town.languages),
    }
    order = {key: number for number, key in enumerate(known.get(measure, []))}
    accounts = {item.key: number for number, item in enumerate(town.accounts)}
    return sorted(
        figures,
        key=lambda item: (
            item.month,
            accounts.get(item.account, len(accounts)),
            item.account,
            order.get(item.value, len(order) + (item.value == "")),
            item.value,
        ),
    )

"""Plan, policy, indicator: what a town's plan (計画) promises, by fiscal year, and what came of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from content.plans.values import FiscalYear, Value
from content.town import ChannelName, Key, ProfileModel

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
Layout = Literal["shibata-results", "shibata-schedule", "shibata-list", "shimotsuke", "toride"]
MOST = 60


class Grade(ProfileModel):
    name: Name
    meaning: Line = ""


class Scale(ProfileModel):
    """One way to grade (評語), such as A/B/C, or 完了・継続・調整・停滞. A person chooses; nothing is computed."""

    key: Key
    name: Name
    grades: Annotated[tuple[Grade, ...], Field(min_length=2, max_length=12)]


class Plan(ProfileModel):
    """計画. `layout` is how its town prints the evaluation sheet; `source` names the published paper."""

    # Shorter than other keys: that of a sheet is made of it and the year.
    key: Annotated[Key, StringConstraints(max_length=35)]
    name: Name
    town: Line = ""
    first_year: FiscalYear
    last_year: FiscalYear
    source: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    layout: Layout = "shibata-results"
    scales: tuple[Scale, ...] = ()
    closed: bool = False

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if not self.first_year <= self.last_year <= self.first_year + 19:
            raise ValueError("終わりの年度は、始まりの年度から20年以内にしてください")
        return self

    @property
    def years(self) -> tuple[int, ...]:
        return tuple(range(self.first_year, self.last_year + 1))

    @property
    def scale(self) -> dict[str, Scale]:
        return {item.key: item for item in self.scales}


class Step(ProfileModel):
    """取り組む内容: a line of the schedule, with one word per fiscal year (検討, 実施, →)."""

    name: Line = ""
    years: dict[FiscalYear, Line] = Field(default_factory=dict)


class Cost(ProfileModel):
    """経費. `amount` in 千円 per year; it runs from `first_year` on, else over the whole plan."""

    name: Name
    amount: Annotated[int, Field(ge=0, le=999_999_999)]
    first_year: FiscalYear | None = None


class Policy(ProfileModel):
    """施策. `indicators` are keys: one indicator may stand under several policies."""

    key: Key
    plan: Key
    number: Line = ""
    name: Name
    goal: Line = ""
    aim: Prose = ""
    owners: tuple[Name, ...] = ()
    related: tuple[Name, ...] = ()
    marks: tuple[Line, ...] = ()
    steps: Annotated[tuple[Step, ...], Field(max_length=MOST)] = ()
    costs: Annotated[tuple[Cost, ...], Field(max_length=MOST)] = ()
    indicators: Annotated[tuple[Key, ...], Field(max_length=MOST)] = ()
    order: Annotated[int, Field(ge=0, le=9_999)] = 0
    closed: bool = False


class Beside(ProfileModel):
    """A value that stands beside another: of the country or prefecture, a second measure, an adjustment."""

    name: Name
    value: Value


class Actual(Value):
    """実績 of a fiscal year, entered by hand: `adjustments` are added to see the figure with them (移行した
    約1,000人), `beside` is what it is compared with (全国, 県) or a second measure (申請率)."""

    year: FiscalYear
    source: Line = ""
    entered_by: Line = ""
    adjustments: Annotated[tuple[Beside, ...], Field(max_length=10)] = ()
    beside: Annotated[tuple[Beside, ...], Field(max_length=10)] = ()


class Count(ProfileModel):
    """What is counted from the registrations: those active on `channels` at the end of the year."""

    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1)]


class Remark(ProfileModel):
    """注: what a reader must know of a month."""

    month: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Baseline(Value):
    """基準値, with the year or date that it is of."""

    label: Line = ""


class PlanIndicator(ProfileModel):
    """指標. `count` counts the registrations, `series` is the key of a series entered by hand elsewhere; an actual
    that is entered here stands before both. `kind` is that of its
    values; `measured` says whether a year's value is what has come together until then (cumulative) or what
    happened within the year (yearly). `better`: higher, lower (事故 0件), or keep (維持)."""

    key: Key
    plan: Key | Literal[""] = ""
    number: Line = ""
    name: Name
    unit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)] = "件"
    kind: Literal["number", "percent", "text"] = "number"
    measured: Literal["cumulative", "yearly"] = "cumulative"
    better: Literal["higher", "lower", "keep"] = "higher"
    definition: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] = ""
    count: Count | None = None
    series: Key | Literal[""] = ""
    department: str = ""
    baseline: Baseline | None = None
    targets: dict[FiscalYear, Value] = Field(default_factory=dict)
    actuals: Annotated[tuple[Actual, ...], Field(max_length=MOST)] = ()
    costs: dict[FiscalYear, Annotated[int, Field(ge=0, le=99_999_999_999)]] = Field(default_factory=dict)
    remarks: Annotated[tuple[Remark, ...], Field(max_length=MOST)] = ()
    closed: bool = False
    # Of a demo; see content.town.Indicator.
    invented: bool = False
    published: tuple[str, ...] = ()

    @field_validator("actuals")
    @classmethod
    def _one_a_year(cls, actuals: tuple[Actual, ...]) -> tuple[Actual, ...]:
        years = [item.year for item in actuals]
        if doubles := [year for year in years if years.count(year) > 1]:
            raise ValueError(f"{doubles[0]}年度の実績が2つあります。1つにしてください")
        return tuple(sorted(actuals, key=lambda item: item.year))

    @model_validator(mode="after")
    def _values_are_of_its_kind(self) -> Self:
        if self.kind == "text":
            return self
        named = [(f"{year}年度の目標", value) for year, value in self.targets.items()]
        named += [(f"{item.year}年度の実績", item) for item in self.actuals]
        for name, value in named:
            if value.figure is None and not (value.is_blank or value.is_dash):
                raise ValueError(
                    f"{name}「{value.text}」は数として読めません。2,000 や 約2,800 のように書くか、"
                    "値の種類を「文」にしてください"
                )
        return self

    def is_invented(self, month: str) -> bool:
        """`month` as 2023-03."""
        return self.invented and month not in self.published

    @property
    def actual(self) -> dict[int, Actual]:
        return {item.year: item for item in self.actuals}


def latest_date(indicator: PlanIndicator) -> date | None:
    """The newest date that somebody wrote beside a value."""
    days = [item.as_of for item in (*indicator.targets.values(), *indicator.actuals) if item.as_of]
    return max(days, default=None)

"""The town profile: what a town decides once, in one TOML file, and staff pick from every day."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from content.accounts import Account as Account
from content.accounts import ChannelName as ChannelName
from content.accounts import Key as Key
from content.accounts import Mode as Mode
from content.accounts import ProfileModel as ProfileModel
from content.check_rules import CheckRules
from content.choosable import Area as Area
from content.choosable import Category as Category
from content.choosable import Choosable, check_succession, heirs, reach
from content.choosable import Group as Group
from content.choosable import Named as Named
from content.gaps import broken_gap, gap_names
from content.office_hours import OfficeHours
from content.quiet_hours import normalise

DayTime = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]


class Urgency(StrEnum):
    """Which lane a notice travels."""

    URGENT = "urgent"
    ROUTINE = "routine"


class TownProfileError(Exception):
    """The town profile cannot be used; the message names the file, the field and what it takes."""


class SegmentRule(ProfileModel):
    """One condition of a segment. `any_of`/`none_of` hold keys of the field, `children_aged` the
    youngest and oldest age in full years on the day of the send. `unplaced`, of areas: also those
    who named no area."""

    field: Literal["category", "area", "language", "group", "birth_month"]
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    children_aged: tuple[int, int] | None = None
    unplaced: bool = False


class Segment(Named):
    """配信対象: every rule must hold, on top of the category that the registration chose."""

    closed: bool = False
    rules: tuple[SegmentRule, ...] = ()


class Words(ProfileModel):
    title: str
    body: str


class Template(ProfileModel):
    """ひな形. `{{名前}}` in its texts is a gap that is asked once and filled in every language; `shelf` is
    the mode that it is for, `department` the key of the one that looks after it, "" for none of its own."""

    key: Key
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    category: Key
    urgency: Urgency = Urgency.ROUTINE
    shelf: Literal[Mode.LIVE, Mode.DRILL] = Mode.LIVE
    department: str = ""
    closed: bool = False
    texts: dict[str, Words]

    @model_validator(mode="after")
    def _gaps_are_those_of_japanese(self) -> Self:
        if "ja" not in self.texts:
            raise ValueError(f"templates.{self.key}.texts: ja is required")
        known = set(gap_names(f"{self.texts['ja'].title}\n{self.texts['ja'].body}"))
        for language, words in self.texts.items():
            for part, text in (("title", words.title), ("body", words.body)):
                if broken := broken_gap(text):
                    raise ValueError(
                        f"templates.{self.key}.texts.{language}.{part}: 「{broken}」 is no gap, write {{{{名前}}}}"
                    )
                unknown = [name for name in gap_names(text) if name not in known]
                if unknown:
                    raise ValueError(
                        f"templates.{self.key}.texts.{language}.{part}: {{{{{unknown[0]}}}}} does not stand in the Japanese text"
                    )
        return self


class Annotation(ProfileModel):
    """A remark that belongs to a month of an indicator, printed under its chart and table."""

    month: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}$")]
    text: str


class Indicator(ProfileModel):
    """指標. Counts registrations on `channels`; `targets` maps fiscal year to 目標. `invented`, of a demo: every
    value is marked as 架空の値 but those at the end of the months in `published`."""

    key: Key
    name: str
    plan: str
    definition: str
    channels: tuple[ChannelName, ...]
    unit: str = "件"
    targets: dict[int, int]
    annotations: tuple[Annotation, ...] = ()
    invented: bool = False
    published: tuple[str, ...] = ()

    def is_invented(self, month: str) -> bool:
        """`month` as 2023-03."""
        return self.invented and month not in self.published


class Town(ProfileModel):
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    name: str
    prefecture: str
    names: dict[str, str] = Field({})
    office: str
    office_names: dict[str, str] = Field({})
    phone: str
    population: int = Field(gt=0)
    languages: tuple[str, ...] = ("ja", "ja-easy", "en")
    categories: tuple[Category, ...]
    areas: tuple[Area, ...] = ()
    groups: tuple[Group, ...] = ()
    segments: tuple[Segment, ...] = ()
    accounts: tuple[Account, ...]
    templates: tuple[Template, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    checks: CheckRules = CheckRules()
    office_hours: OfficeHours | None = None
    undo_seconds: int = Field(default=0, ge=0, le=600)  # how long an approval on the screen can be taken back
    quiet_hours: Annotated[str, AfterValidator(normalise)] = "none"  # of who chose none of their own
    digest_at: DayTime = "07:30"  # when 朝のまとめ goes out
    self_test_at: DayTime = "07:30"  # when the self-test goes out by itself; "" for never
    open_data_licence: str = Field(
        default="", max_length=80
    )  # of the counts under /opendata; "" for none there
    public_performance: bool = (
        False  # whether /performance tells everybody how many notices went out, how fast
    )
    second_factor: Literal["none", "senders"] = "none"  # who has to prove himself by more than a password

    @cached_property
    def category(self) -> dict[str, Category]:
        return {item.key: item for item in self.categories}

    @cached_property
    def area(self) -> dict[str, Area]:
        return {item.key: item for item in self.areas}

    @cached_property
    def group(self) -> dict[str, Group]:
        return {item.key: item for item in self.groups}

    @cached_property
    def segment(self) -> dict[str, Segment]:
        return {item.key: item for item in self.segments}

    @cached_property
    def account(self) -> dict[str, Account]:
        return {item.key: item for item in self.accounts}

    @cached_property
    def template(self) -> dict[str, Template]:
        return {item.key: item for item in self.templates}

    @cached_property
    def indicator(self) -> dict[str, Indicator]:
        return {item.key: item for item in self.indicators}

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(account.channel for account in self.accounts))

    @property
    def always_categories(self) -> tuple[str, ...]:
        return tuple(category.key for category in self.categories if category.always)

    @property
    def open_areas(self) -> list[Area]:
        """Those that can be chosen."""
        return [item for item in self.areas if not item.closed]

    def choosable(self, kind: str) -> Mapping[str, Choosable]:
        """By key, of "category" or "area"."""
        return self.category if kind == "category" else self.area

    def heirs(self, kind: str, key: str, today: date) -> tuple[str, ...]:
        return heirs(self.choosable(kind), key, today)

    def reach(self, kind: str, key: str, today: date) -> tuple[str, ...]:
        return reach(self.choosable(kind), key, today)

    def name_in(self, language: str) -> str:
        return self.names.get(language) or self.name

    def accounts_for(self, channel: str, mode: str) -> list[Account]:
        """The accounts of a channel that may carry this mode, the ones made for it first."""
        fitting = [item for item in self.accounts if item.channel == channel and item.carries(mode)]
        return sorted(fitting, key=lambda item: item.mode != mode)

    def posting_accounts(self, channel: str, mode: str, category: str) -> list[Account]:
        """The accounts of a channel that posts which are for a notice of this mode and category."""
        known = self.category.get(category)
        fitting = (item for item in self.accounts if item.channel == channel and item.carries(mode))
        return [
            item for item in fitting if item.is_about(category, life_critical=bool(known and known.always))
        ]

    def live_account(self, channel: str) -> Account | None:
        """Where residents of a channel register."""
        fitting = (item for item in self.accounts if item.channel == channel)
        return next((item for item in fitting if item.mode == Mode.LIVE), None)

    @field_validator("code")
    @classmethod
    def _has_its_check_digit(cls, value: str) -> str:
        # Ministry of Internal Affairs: weights 6 to 2, modulus 11, the last digit of what is left to 11.
        weighed = sum((6 - place) * int(digit) for place, digit in enumerate(value[:5]))
        if (11 - weighed % 11) % 10 != int(value[5]):
            raise ValueError("the check digit is wrong; copy the six digits of 全国地方公共団体コード")
        return value

    @model_validator(mode="after")
    def _keys_are_unique_and_known(self) -> Self:
        for field in ("categories", "areas", "groups", "segments", "accounts", "templates", "indicators"):
            keys = [item.key for item in getattr(self, field)]
            if doubles := sorted({key for key in keys if keys.count(key) > 1}):
                raise ValueError(f"{field}: key {doubles[0]} stands twice")
        check_succession("categories", self.categories)
        check_succession("areas", self.areas)
        for template in self.templates:
            if template.category not in self.category:
                raise ValueError(f"templates.{template.key}.category: no category {template.category}")
        for account in self.accounts:
            if unknown := [key for key in account.categories if key not in self.category]:
                raise ValueError(f"accounts.{account.key}.categories: no category {unknown[0]}")
            for key in account.categories:
                if lost := set(self.category[key].heirs) - set(account.categories):
                    raise ValueError(
                        f"accounts.{account.key}.categories: {key} became {min(lost)}; name that too, or it posts less"
                    )
            if account.language not in self.languages:
                raise ValueError(f"accounts.{account.key}.language: not one of the town's languages")
        if "ja" not in self.languages:
            raise ValueError("languages: ja is required")
        return self


def load_town(path: Path) -> Town:
    """Raises TownProfileError naming the file, the field and what it takes."""
    try:
        return Town.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError as error:
        raise TownProfileError(f"no town profile at {path}; set KAIRANBAN_TOWN to a TOML file") from error
    except OSError as error:
        raise TownProfileError(f"cannot read {path}: {error.strerror}; see KAIRANBAN_TOWN") from error
    except UnicodeDecodeError as error:
        raise TownProfileError(f"{path} is not UTF-8; save it in that encoding") from error
    except tomllib.TOMLDecodeError as error:
        raise TownProfileError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in problem['loc']) or 'profile'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise TownProfileError(f"{path} cannot be used:\n" + "\n".join(lines)) from error

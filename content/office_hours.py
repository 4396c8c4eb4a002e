"""The hours of the office: when routine notices go out without anybody being asked why."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class OfficeHours(BaseModel):
    """On working days, between these times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: TimeOfDay
    closes: TimeOfDay

    @model_validator(mode="after")
    def _are_in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("office_hours: opens must be before closes")
        return self

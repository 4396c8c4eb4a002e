"""The settings of the page that opens inside LINE: a LIFF app of the town, with none of which there is no such page."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class LiffSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(
        "",
        pattern=r"^([0-9]{1,20}-[0-9A-Za-z]{1,40})?$",
        description="Id of the LIFF app whose endpoint is …/preferences/line: opens the page of settings inside LINE.",
    )
    channel_id: str = Field(
        "", pattern=r"^[0-9]{0,20}$", description="Id of the LINE Login channel of that LIFF app."
    )

    @property
    def is_set_up(self) -> bool:
        return bool(self.id and self.channel_id)

    @property
    def link(self) -> str:
        """What opens the page of settings inside LINE, "" for nothing."""
        return f"https://liff.line.me/{self.id}" if self.is_set_up else ""

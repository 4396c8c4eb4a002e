"""What machines send and are told, as pydantic models: read by them, described by openapi.py and docs/api.md."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from content.clock import from_datetime
from content.notices.attachments import Attachments, Event
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.notices.states import TargetKind
from content.town import Mode, Urgency

# What the checks call a field → what it is called here. title and body stand under texts.
FIELDS = {"when": "at", "segment": "target", "group": "target", "word": "accept"}
Key = Annotated[str, StringConstraints(max_length=40)]


class Sent(BaseModel):
    """A field that is not known is a mistake, never passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Sent):
    """件名と本文。"""

    title: str = Field(max_length=1_000, description="件名")
    body: str = Field(max_length=20_000, description="本文")


class Aim(Sent):
    """宛先の決め方。"""

    kind: TargetKind = Field(
        TargetKind.SUBSCRIBED,
        description="subscribed(分野を選んだ登録者)、segment(配信対象)、group(グループ)、everyone(登録者全員。別の権限が要る)",
    )
    key: Key = Field("", description="配信対象かグループの記号。ほかの決め方では空")


class EventTimes(Sent):
    """催しの日時(ISO 8601。時差がなければ日本時間)。"""

    starts: datetime = Field(description="始まり")
    ends: datetime | None = Field(None, description="終わり。なければ null")


class NewNotice(Sent):
    """送るお知らせ。"""

    category: Key = Field(description="分野の記号(町の設定にあるもの)")
    mode: Mode = Field(description="live(本番)、drill(訓練)、test(試験)。取り違えないよう、必ず書く")
    texts: dict[Annotated[str, StringConstraints(max_length=20)], Words] = Field(
        max_length=20, description="言語ごとの件名と本文。ja は必ず要る"
    )
    urgency: Urgency = Field(Urgency.ROUTINE, description="urgent(緊急)か routine(通常)")
    target: Aim = Field(default_factory=lambda: Aim(kind=TargetKind.SUBSCRIBED, key=""))
    channels: list[Key] = Field(
        default_factory=list,
        max_length=10,
        description="配信手段。空なら、この区分(本番・訓練・試験)を送れるものすべて",
    )
    at: datetime | None = Field(None, description="送る日時(ISO 8601。時差がなければ日本時間)。なければすぐ")
    expires: datetime | None = Field(None, description="この日時からは、ひとりでには送らない")
    event: EventTimes | None = Field(None, description="催しの日時。公開ページとカレンダーに載る")
    asks_read: bool | None = Field(
        None, description="「読みました」のボタンを付けるか。null なら、グループあてにだけ付く"
    )
    accept: list[Key] = Field(
        default_factory=list, max_length=50, description="確かめた指摘のコード(docs/checks.md)"
    )
    reason: str = Field(
        "",
        max_length=1_000,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="緊急の一人での発信や、開庁時間外の発信の理由。操作の記録に残る",
    )

    def to_spec(self) -> NoticeSpec:
        """As the console and the command line hand it on."""
        return NoticeSpec(
            category=self.category,
            urgency=self.urgency,
            texts={language: (words.title, words.body) for language, words in self.texts.items()},
            channels=tuple(dict.fromkeys(self.channels)),
            mode=self.mode,
            target=Target(self.target.kind, self.target.key),
            at=None if self.at is None else from_datetime(self.at),
            expires=None if self.expires is None else from_datetime(self.expires),
            attached=Attachments(asks_read=self.asks_read, event=self._event()),
        )

    def _event(self) -> Event | None:
        if self.event is None:
            return None
        ends = self.event.ends
        return Event(from_datetime(self.event.starts), None if ends is None else from_datetime(ends))


class FindingJson(BaseModel):
    """点検の指摘。"""

    code: str = Field(description="指摘のコード(docs/checks.md)")
    level: Literal["blocking", "warning", "note"]
    field: str = Field(description="直す項目。例: texts.ja.body")
    message: str
    remedy: str
    accepted: bool = Field(description="accept に書かれていたか")


class ChannelJson(BaseModel):
    """配信手段ごとの結果。"""

    account: str
    state: str
    reason: str
    suspended_at: str | None
    planned: int
    accepted: int
    refused: int
    unknown: int
    open: int
    read: int = Field(description="「読みました」と答えた登録の数。答えを求めないお知らせでは 0")
    first_accepted_at: str | None
    last_accepted_at: str | None


class ReasonJson(BaseModel):
    """不達の理由ごとの数。"""

    channel: str
    reason: str
    number: int


class NoticeJson(BaseModel):
    """お知らせと、その結果。`kairanban notice show --json` と同じ。"""

    id: int
    public_id: str
    url: str | None = Field(description="公開ページ。なければ null")
    state: str = Field(
        description="draft, cancelled, held, scheduled, planning, sending, stopped, finished, partly, nobody"
    )
    mode: Mode
    urgency: Urgency
    category: str
    title: str
    approved_at: str | None
    due_at: str | None
    fired_at: str | None
    expires_at: str | None
    event: dict[str, str | None] | None = Field(description="催しの日時(starts, ends)。なければ null")
    asks_read: bool = Field(description="「読みました」のボタンが付くか")
    series: int | None
    recurrence: dict[str, object] | None
    channels: dict[str, ChannelJson]
    reasons: list[ReasonJson]


class PostedJson(NoticeJson):
    """受け付けたお知らせ。同じ Idempotency-Key の同じ内容には、いつも同じ答え。"""

    waiting_for_approval: bool = Field(description="true なら、職員の承認を待っていて、まだ送られない")
    findings: list[FindingJson]


class ProblemField(BaseModel):
    """直すところと、直し方。"""

    field: str
    code: str
    message: str


class ProblemJson(BaseModel):
    """できなかった理由(RFC 9457, application/problem+json)。何も変わっていない。"""

    type: str
    title: str
    status: int
    detail: str
    problems: list[ProblemField] = Field(default_factory=list)
    findings: list[FindingJson] = Field(default_factory=list)

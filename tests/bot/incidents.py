"""Twelve things that really happened to towns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from content.clock import now_ms, to_jst

EMPTY_SEGMENT = '\n[[segments]]\nkey = "empty"\nnames = { ja = "作りかけ" }\n'
ACCOUNTS = [{"key": "line", "channel": "line", "also_carries": ["drill"]}]
CARRIES_DRILLS = 'key = "line"\nchannel = "line"\nalso_carries = ["drill"]\n'


@dataclass(frozen=True)
class Incident:
    """`code` is what must be found; a blocking one cannot be answered by a yes."""

    name: str
    code: str
    title: str = "お知らせ"
    body: str = "窓口の時間が変わります。くわしくはお電話ください。"
    category: str = "saigai"
    urgent: bool = False
    mode: str = "live"
    target: str = ""
    at: str = ""
    blocking: bool = False

    def typed(self) -> dict[str, str | list[str]]:
        """The fields of the form."""
        return {
            "title__ja": self.title,
            "body__ja": self.body,
            "category": self.category,
            "urgency": "urgent" if self.urgent else "routine",
            "mode": self.mode,
            "channels": ["line"],
            **({"target": "segment", "segment": self.target} if self.target else {}),
            **({"when": "at", "at": self.at} if self.at else {}),
        }

    def words(self) -> list[str]:
        """The words of the command."""
        given = ["--category", self.category, "--title", self.title, "--body", self.body, "--channel", "line"]
        given += ["--urgent"] if self.urgent else []
        given += ["--mode", self.mode]
        given += ["--segment", self.target] if self.target else []
        return given + (["--at", self.at] if self.at else [])


def wrongly_dated() -> str:
    """A date to come, as people write it, with the weekday after its own."""
    day = to_jst(now_ms()).date() + timedelta(days=7)
    wrong = "月火水木金土日"[(day.weekday() + 1) % 7]
    return f"{day.month}月{day.day}日({wrong})"


def saturday() -> str:
    now = to_jst(now_ms())
    day = now.date() + timedelta(days=(5 - now.weekday()) % 7 + 7)
    return f"{day}T10:00"


INCIDENTS = [
    Incident("empty segment", "unusable", target="empty", blocking=True),
    Incident("test sent live", "practice-in-live", body="テスト配信です。届いたら消してください。"),
    Incident("forgotten drill", "unattended-drill", mode="drill", at=saturday()),
    Incident(
        "wrong template",
        "template-differs",
        title="不審者情報(船岡地区)",
        body="川があふれるおそれがあります。今すぐ避難してください。",
    ),
    Incident("garbage text", "garbage", body="あああああああ"),
    Incident("abolished term", "abolished-term", body="船岡地区に避難勧告を発令しました。", urgent=True),
    Incident("promoting accidents", "confusable", body="交通事故推進のため、早めにライトをつけましょう。"),
    Incident("wrong weekday", "weekday", body=f"{wrongly_dated()} 10時から説明会を開きます。"),
    Incident("internal link", "link-private", body="http://192.168.1.9/ をご覧ください。", blocking=True),
]

"""What the checks (点検) look for, by code, and what a town may decide about them in its profile.

The codes are for people and for scripts that say yes with `--accept CODE`: they never change their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Hour = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Level(StrEnum):
    """What a finding does: stop the notice, ask for an explicit yes, or only be shown."""

    BLOCKING = "blocking"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for. `fixed`: a town cannot give it another level."""

    code: str
    level: Level
    meaning: str
    fixed: bool = False


_KNOWN = (
    ("no-text", Level.BLOCKING, "件名か本文がない", True),
    ("hidden-character", Level.BLOCKING, "画面に見えない文字、制御文字がある", True),
    ("link-private", Level.BLOCKING, "住民が開けないリンク(庁内のアドレス、localhost、file: など)", False),
    ("unusable", Level.BLOCKING, "分野・宛先・配信手段・日時・長さのどれかが使えない", True),
    ("picture-alt", Level.BLOCKING, "画像の説明(代替テキスト)がないか、長すぎる", True),
    ("place", Level.BLOCKING, "場所の名前がない、位置が日本の外にある", True),
    ("event", Level.BLOCKING, "催しの終わりが始まりより前、長すぎる、くり返しのお知らせに付いている", True),
    (
        "picture-alt-poor",
        Level.WARNING,
        "画像の説明がファイル名か「画像」だけで、何が写っているか分からない",
        False,
    ),
    ("too-short", Level.WARNING, "本文が1文にも足りない", False),
    ("garbage", Level.WARNING, "本文が言葉になっていない(同じ文字の連続、キーの打ち間違い)", False),
    ("placeholder", Level.WARNING, "○○、××、△△、TBD、未定 などの書きかけが残っている", False),
    ("abolished-term", Level.WARNING, "使われなくなった用語(避難勧告 など)", False),
    ("level-term", Level.WARNING, "警戒レベルと用語が合わない(レベル3に避難指示 など)", False),
    ("level-differs", Level.WARNING, "言語や件名によって警戒レベルの数字が違う", False),
    ("confusable", Level.WARNING, "取り違えやすい言葉(「事故推進」「非難所」など。町の設定で足せる)", False),
    ("practice-in-live", Level.WARNING, "本番のお知らせに「これは訓練です」「テスト配信」などがある", False),
    ("live-in-practice", Level.WARNING, "訓練・試験のお知らせに「訓練ではありません」などがある", False),
    ("template-differs", Level.WARNING, "件名がひな形と同じなのに、分野か緊急度がひな形と違う", False),
    ("area-differs", Level.WARNING, "本文にある地区が、どれも宛先に入っていない", False),
    ("weekday", Level.WARNING, "日付と曜日が合わない", False),
    ("no-such-date", Level.WARNING, "ない日付(2月30日 など)", False),
    ("date-past", Level.WARNING, "開催や締切の日が過ぎている", False),
    ("event-before-sending", Level.WARNING, "配信の前に終わる催しや締切", False),
    ("year-far", Level.WARNING, "ずっと先の年", False),
    ("year-differs", Level.WARNING, "令和と西暦の年が合わない", False),
    ("phone", Level.WARNING, "電話番号の桁数や市外局番がおかしい", False),
    ("link-broken", Level.WARNING, "リンクの書き方がおかしい", False),
    ("link-dead", Level.WARNING, "開けないリンク(ページがない、つながらない)", False),
    ("repeated", Level.WARNING, "同じか、ほとんど同じ文を24時間以内に送っている", False),
    ("unusual-number", Level.WARNING, "宛先の数が、この分野のふだんの10倍以上か10分の1以下", False),
    ("unattended-drill", Level.WARNING, "訓練・試験が、職員のいない時間に出る", False),
    ("night-booking", Level.WARNING, "通常のお知らせを、夜9時から朝7時までの時刻に予約している", False),
    ("quota", Level.WARNING, "今月の通数が足りず、ある手段では送られない(緊急では表示だけ)", False),
    ("everyone", Level.WARNING, "登録者全員に送る(画面では「全員」と入力する)", True),
    ("nobody", Level.NOTE, "すぐに送るのに、当てはまる登録がない(送らない。下書きと予約はできる)", True),
    ("night", Level.NOTE, "通常のお知らせを、夜9時から朝7時までの間に送る", False),
    (
        "urgent-incomplete",
        Level.NOTE,
        "緊急の文に、だれが・何が・どこへ・いつ・何をするかの一部がない",
        False,
    ),
    ("language-missing", Level.NOTE, "文のない言語があり、日本語を読むことになる登録がある", False),
    ("link-unasked", Level.NOTE, "リンク先を確かめられなかった(急ぎのとき、時間内に応答がないとき)", False),
)
CHECKS = {code: Check(code, level, meaning, fixed) for code, level, meaning, fixed in _KNOWN}
OFF = "off"


class Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Confusable(Rule):
    """`wrong` where `right` is meant: after one of `after`, or anywhere when that is empty."""

    wrong: Annotated[str, StringConstraints(min_length=1)]
    right: Annotated[str, StringConstraints(min_length=1)]
    after: tuple[str, ...] = ()


_HARM = (
    *(
        "事故",
        "犯罪",
        "詐欺",
        "被害",
        "火災",
        "暴力",
        "虐待",
        "いじめ",
        "感染",
        "飲酒運転",
        "不法投棄",
        "非行",
    ),
    *(
        "薬物乱用",
        "盗難",
        "空き巣",
        "ひったくり",
        "熱中症",
        "食中毒",
        "自殺",
        "孤立",
        "違反",
        "災害",
        "転落",
        "水難",
    ),
)
_GOOD = (
    *(
        "交通安全",
        "健康づくり",
        "防犯",
        "防災",
        "子育て支援",
        "地域づくり",
        "まちづくり",
        "リサイクル",
        "再利用",
    ),
    *(
        "社会参加",
        "生涯学習",
        "男女共同参画",
        "脱炭素",
        "省エネ",
        "省エネルギー",
        "食育",
        "緑化",
        "移住",
        "デジタル化",
    ),
)
CONFUSABLES = (
    *(Confusable(wrong=wrong, right="防止", after=_HARM) for wrong in ("推進", "促進", "奨励")),
    Confusable(wrong="防止", right="推進", after=_GOOD),
    *(
        Confusable(wrong=f"非難{rest}", right=f"避難{rest}")
        for rest in ("所", "場所", "指示", "勧告", "情報", "訓練", "して", "先", "経路")
    ),
    Confusable(wrong="警界", right="警戒"),
    Confusable(wrong="提防", right="堤防"),
    Confusable(wrong="土砂最外", right="土砂災害"),
)


class Duty(Rule):
    """When somebody of the staff is there. Public holidays are off; 0 is Monday."""

    opens: Hour = "08:30"
    closes: Hour = "17:15"
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)


class CheckRules(Rule):
    """`levels` maps a code to blocking, warning, note or off. `abolished` maps a term to what is written today."""

    levels: dict[str, Level | Literal["off"]] = {}
    abolished: dict[str, str] = {}
    confusables: tuple[Confusable, ...] = ()
    duty: Duty = Duty()

    @model_validator(mode="after")
    def _codes_are_known(self) -> Self:
        for code in self.levels:
            if code not in CHECKS:
                raise ValueError(f"levels.{code}: no such check; docs/checks.md lists them all")
            if CHECKS[code].fixed:
                raise ValueError(f"levels.{code}: the level of this check is fixed; take the line out")
        return self

    def level_of(self, code: str) -> Level | None:
        """None when the town has turned this check off."""
        chosen = self.levels.get(code, CHECKS[code].level)
        return None if chosen == OFF else Level(chosen)

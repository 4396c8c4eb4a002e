"""Words of a drill or a test in a notice that is sent as live, and the reverse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content.notices.checks.finding import Finding, Passage, passages, quoted
from content.notices.notices import NoticeSpec
from content.town import Mode, Urgency

_DENIED = re.compile(
    r"(?:訓練|テスト|試験)(?:[（(]くんれん[)）])?(?:では|じゃ)[ 　]?(?:ありません|ない|ございません)"
)
# A town announces drills, examinations and test broadcasts every week: only what speaks of itself counts.
_ITSELF = re.compile(
    r"これは[^。\n]{0,8}(?:訓練|テスト|試験)|[【\[［(（](?:訓練|テスト|試験|TEST|test|DRILL)[】\]］)）]"
    r"|(?:テスト|試験)(?:配信|送信|メール|投稿)です|^[ 　]*(?:テスト|訓練|試験|test|TEST|てすと)[ 　]*(?:です)?。?$"
    r"|訓練[ 　]?訓練|(?:訓練|テスト|試験)(?:放送|配信|送信)?です。?$|(?:[Tt]his is|THIS IS) (?:a |only a )?(?:test|drill|TEST|DRILL)",
    re.MULTILINE,
)
_ANY = re.compile(r"訓練|テスト|試験|\b(?:drill|test)\b", re.IGNORECASE)
_REAL = re.compile(
    r"(?:訓練|テスト|試験)(?:では|じゃ)(?:ありません|ない)|本番(?:です|の)|実際の(?:避難|災害)です|not a (?:drill|test)",
    re.IGNORECASE,
)


def check_practice(spec: NoticeSpec) -> Iterator[Finding]:
    """A title or body that says of itself what the mode denies."""
    live = spec.mode == Mode.LIVE
    for passage in passages(spec):
        found = _of_a_drill(spec, passage) if live else [hit.group() for hit in _REAL.finditer(passage.text)]
        if found and live:
            yield Finding(
                "practice-in-live",
                passage.field,
                f"「本番」のお知らせの{passage.where}に{quoted(found)}とあります。",
                "訓練や試験なら、区分を「訓練」か「試験」に変えてください。本番なら、その言葉を消してください。",
                passage.language,
            )
        elif found:
            yield Finding(
                "live-in-practice",
                passage.field,
                f"訓練・試験のお知らせの{passage.where}に{quoted(found)}とあります。",
                "本番なら、区分を「本番」に変えてください。訓練・試験なら、その言葉を消してください。",
                passage.language,
            )


def _of_a_drill(spec: NoticeSpec, passage: Passage) -> list[str]:
    text = _DENIED.sub("", passage.text)
    # In an order to evacuate there is no other reason for these words.
    pattern = _ANY if spec.urgency == Urgency.URGENT and passage.field == "title" else _ITSELF
    return [hit.group().strip() for hit in pattern.finditer(text) if "not a" not in text[: hit.start()][-6:]]

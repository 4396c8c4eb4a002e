"""Words that residents type: those that open a page, and help for the others, now and then."""

from __future__ import annotations

import unicodedata
from collections import OrderedDict

from content.clock import MINUTE

HELP_EVERY = 10 * MINUTE
REMEMBERED = 10_000
PAGES = {
    "categories": (
        "受信設定", "じゅしんせってい", "設定", "せってい", "登録", "とうろく", "変更", "変更する",
        "受信設定をはじめる", "お知らせをえらぶ", "settings", "setting", "preferences", "start", "register", "change",
    ),
    "summary": ("登録内容", "登録内容の確認", "とうろくないよう", "確認", "かくにん", "my choices", "your choices", "status"),
    "language": (
        "ことば", "言葉", "言語", "ことば / language", "ことば language", "language", "languages", "日本語", "やさしい日本語",
        "english", "英語", "えいご",
    ),
}  # fmt: skip
STEPS = {text: step for step, texts in PAGES.items() for text in texts}


def page_for(text: str) -> str | None:
    """The page that a typed text asks for, however wide its letters are written."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return STEPS.get(plain.strip("。.!?、 "))


class HelpMemory:
    """Who got help lately, by look-up hash. Lost with the process: then help comes once more."""

    def __init__(self) -> None:
        # When, and to which event.
        self._helped: OrderedDict[bytes, tuple[int, str]] = OrderedDict()

    def may_help(self, who: bytes, event: str, now: int) -> bool:
        """True for one event in ten minutes of one resident, and counts as help given.

        An event that is handled anew, since its transaction was rolled back, gets the same answer.
        """
        at, helped = self._helped.get(who, (now - HELP_EVERY, ""))
        if event != helped and 0 <= now - at < HELP_EVERY:
            return False
        self._helped[who] = now, event
        self._helped.move_to_end(who)
        if len(self._helped) > REMEMBERED:
            self._helped.popitem(last=False)
        return True

"""Whether a notice fits into the posts of every service by the service's own count, and whether nothing of it is lost.

`python -m tests.channels.fitting --texts 100000` is the long run; it prints its seed.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Callable

import regex

from channels.posting.base import PostingChannel
from channels.posting.words import whole_text
from channels.rendering import mark_words
from sandbox.sns import mastodon, x
from tests.channels.announcements import with_japanese
from tests.channels.posting import MAKE, NAMES

# As the stand-ins count, which share nothing with the channels.
TAKES: dict[str, Callable[[str], bool]] = {
    "mastodon": lambda text: mastodon.length(text) <= mastodon.LIMIT,
    "bluesky": lambda text: len(regex.findall(r"\X", text)) <= 300 and len(text.encode()) <= 3_000,
    "x": lambda text: x.weight(text) <= x.LIMIT,
    "facebook": lambda text: len(text) <= 63_206,
    "instagram": lambda text: len(text) <= 2_200,
    "threads": lambda text: len(text) + sum(3 for sign in text if sign > "\uffff") <= 500,
    "slack": lambda text: len(text) <= 3_000 * 50,
    "discord": lambda text: len(text.encode("utf-16-le")) // 2 <= 2_000,
    "teams": lambda text: len(text.encode()) <= 28_000,
}
SENTENCES = (
    "大雨です。",
    "川の近くの人は、高い所へ避難してください。",
    "船岡小学校を開けました!",
    "あす9時から、",
)
WORDS = (
    "避難所",
    "ごみの日",
    "Shibata Town",
    "０２２４",
    "電話 0224-55-2111",
    "か\u3099き",
    "髙橋",
    "אבג",
    "مرحبا",
)
SIGNS = (
    "👨‍👩‍👧‍👦",
    "👍🏽",
    "🇯🇵",
    "\n",
    "\n\n",
    " ",
    "、",
    "。",
    "※",
    "(",
    ")",
    "e\u0301\u0302",
    "\u200d",
    "#",
    "@",
)
LINKS = (
    "https://town.example.jp/hinan?area=1&level=5",
    "https://example.jp/" + "a" * 120,
    "www.example.jp",
)
NUMBER = re.compile(r"\n?\(\d+/\d+\)$")


def random_text(of: random.Random) -> str:
    """Up to some 3,000 characters, many with hardly a place to cut."""
    kinds = of.choice([(SENTENCES, WORDS, SIGNS, LINKS), (WORDS, WORDS, SIGNS), (SIGNS,), (WORDS,)])
    pieces = [of.choice(of.choice(kinds)) for _ in range(int(of.expovariate(1 / 60)) + 1)]
    return "".join(pieces).strip() or "大雨です。"


def problem(name: str, text: str, mode: str = "live") -> str:
    """What is wrong with the posts of a text at a service, "" for nothing."""
    channel = MAKE[name]("", 1.0)
    assert isinstance(channel, PostingChannel)
    announcement = with_japanese(body=text, mode=mode)
    parts = channel.prepare(announcement, "ja").parts
    if not 1 <= len(parts) <= channel.parts:
        return f"{len(parts)} posts"
    if not all(map(TAKES[name], parts)):
        return "a post is over the limit"
    mark = mark_words(announcement, "ja")
    if not all(part.startswith(mark) for part in parts):
        return "a post lacks its mark"
    if "…" in parts[-1]:
        return "" if len(parts) == channel.parts else "cut off too early"
    said = [NUMBER.sub("", part) for part in parts]
    said[0] = said[0].replace(f"\n\n{announcement.url}", "")
    together = "".join([said[0], *(part.removeprefix(mark) for part in said[1:])])
    return "" if _letters(together) == _letters(whole_text(announcement, "ja")) else "words are lost"


def _letters(text: str) -> str:
    return "".join(text.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    of, wrong = random.Random(options.seed), 0
    for number in range(options.texts):
        name, text = NAMES[number % len(NAMES)], random_text(of)
        if found := problem(name, text, of.choice(("live", "drill"))):
            wrong += 1
            print(f"{name}: {found}: {text!r}", flush=True)
    print(f"{options.texts} texts, {wrong} wrong")
    raise SystemExit(min(wrong, 1))


if __name__ == "__main__":
    main()

"""Every act in the audit trail has its Japanese words: staff never read a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.audit_words import WORDS
from content.notices.records import RecordKind

ROOT = Path(__file__).parents[2]
ACTION = re.compile(r"[a-z]+\.[a-z_]+")
FAMILIES = {word.partition(".")[0] for word in WORDS}
# Composed from the kind of the record.
OF_RECORDS = {f"{kind}.{act}" for kind in RecordKind for act in ("added", "changed")}
# Written by versions before; the trail keeps them.
OF_BEFORE = {"staff.role_changed"}


def acts() -> Iterator[str]:
    """What the code may write: every text like one of the known, and whatever is named as an action."""
    for room in ("bot", "scheduler", "content"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name != "audit_words.py" and "migrations" not in path.parts:
                yield from _acts_in(ast.parse(path.read_text(encoding="utf-8")))


def _acts_in(tree: ast.Module) -> Iterator[str]:
    columns = {
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "ForeignKey"
        for argument in call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "action" and isinstance(node.value, ast.Constant):
            if ACTION.fullmatch(str(node.value.value)):
                yield str(node.value.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in columns:
            is_known = node.value.partition(".")[0] in FAMILIES
            if is_known and ACTION.fullmatch(node.value):
                yield node.value


def test_every_act_has_its_words_and_every_word_its_act() -> None:
    assert {*acts(), *OF_RECORDS, *OF_BEFORE} == set(WORDS)


def test_the_words_are_those_of_a_town_hall() -> None:
    assert [act for act, words in WORDS.items() if not re.search("[ぁ-ん]", words)] == []

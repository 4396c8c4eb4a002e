"""A state, a kind and a lane of the ledger is written as a member of its type, never as a bare text."""

import ast
from pathlib import Path

import pytest

from content.ledger.states import BatchKind, BatchState, DeliveryState, Lane

ROOT = Path(__file__).parents[2]
WORDS = {
    "state": {*DeliveryState, *BatchState},
    "kind": {*BatchKind},
    "lane": {*Lane},
}
LANES = {str(lane) for lane in Lane}
SOURCES = sorted(
    path
    for room in ("content", "scheduler")
    for path in (ROOT / room).rglob("*.py")
    if path.name != "states.py" and "migrations" not in path.parts
)


def subject(node):
    """What a name, an attribute or a column speaks of: state, kind, lane or something else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return subject(node.func.value)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lower().rpartition("_")[2]


def texts(*nodes):
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value


def bare_words(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            pairs = [(subject(node.left), texts(*node.comparators))]
        elif isinstance(node, ast.Call):
            pairs = [(item.arg or "", texts(item.value)) for item in node.keywords]
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("in_", "not_in"):
                pairs.append((subject(node.func.value), texts(*node.args)))
        elif isinstance(node, ast.Assign):
            pairs = [(subject(target), texts(node.value)) for target in node.targets]
        elif isinstance(node, ast.Dict):
            keys = [key for key in node.keys if key is not None]
            pairs = [
                (key.value, texts(value))
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
            if set(texts(*keys)) == LANES:
                pairs.append(("lane", texts(*keys)))
        else:
            continue
        yield from (text for name, found in pairs for text in found if text in WORDS.get(name, ()))


@pytest.mark.parametrize(
    "bare",
    [
        'batch.c.state == "ready"',
        'batch.c.state.in_(("ready", "unknown"))',
        'update(batch).values(state="settled")',
        'changes = {"state": "settled"}',
        'state = "unknown" if maybe_sent else "ready"',
        'self._lane != "urgent"',
        'WAIT = {"urgent": 1, "routine": 2, "digest": 3}',
    ],
)
def test_a_bare_word_is_found(bare):
    assert list(bare_words(bare))


def test_no_file_writes_a_word_of_the_ledger_bare():
    found = {
        path.relative_to(ROOT).as_posix(): words
        for path in SOURCES
        if (words := sorted(set(bare_words(path.read_text(encoding="utf-8")))))
    }
    assert not found

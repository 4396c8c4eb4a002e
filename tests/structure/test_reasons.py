"""One catalogue of reasons: nothing else is written into the ledger, and each has words for staff."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.reasons import Reason, find_reason
from content.ledger import stopping, suspensions
from content.ledger.deferring import DEFERRED

ROOT = Path(__file__).parents[2]
# Whoever writes a reason into a batch, a delivery or a refusal.
WRITERS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("channels", "scheduler", "content/ledger")
    for path in (ROOT / folder).rglob("*.py")
)
TAKES_A_REASON = {
    "AccountStopped",
    "BatchRefused",
    "DeliveryStopped",
    "TemporaryFailure",
    "TooLate",
    "UnknownOutcome",
    "Wait",
}
NAMES_SOMEBODY = {"Deferred", "Refusal", "RefusedRecipient"}


def written(tree: ast.AST) -> Iterator[str]:
    """Every text that stands where a reason belongs."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            found += [word.value for word in node.keywords if word.arg == "reason"]
            found += node.args[:1] if name in TAKES_A_REASON else []
            found += node.args[1:2] if name in NAMES_SOMEBODY else []
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            found += [value for key, value in pairs if getattr(key, "value", None) == "reason"]
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "reason":
            found += node.comparators
        yield from (
            part.value
            for item in found
            if item is not None
            for part in ast.walk(item)
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value
        )


@pytest.mark.parametrize("path", WRITERS)
def test_only_reasons_of_the_catalogue_are_written(path):
    found = set(written(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
    assert found <= set(Reason)
    if not path.startswith("content/"):
        assert not found, "channels and scheduler name the member"


def test_the_ledger_and_the_catalogue_mean_the_same():
    own = {DEFERRED, suspensions.ACCOUNT_GONE, *stopping.BY_PERSON}
    assert own <= set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_happened_and_what_to_do(reason):
    assert reason.what and not reason.what.endswith("。")
    assert reason.remedy.endswith("。")
    assert find_reason(str(reason)) is reason


def test_no_two_reasons_look_the_same():
    assert len({(reason.what, reason.remedy) for reason in Reason}) == len(Reason)


def test_no_two_reasons_share_a_code():
    assert len(Reason.__members__) == len(Reason)

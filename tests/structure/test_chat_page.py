"""What the page says that works on LINE is shown by a test that there is."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "chat.md"
ROW = re.compile(r"^\| [^|]+ \| [^|]+ \| `(test_\w+)` \|$", re.MULTILINE)


def known_tests() -> set[str]:
    folders = ("bot/line", "bot/resident", "bot/console", "content", "channels")
    files = [path for folder in folders for path in (ROOT / "tests" / folder).glob("test_*.py")]
    return {
        node.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_row_names_a_test() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = ROW.findall(text)
    assert len(named) >= 40
    assert len(named) == len([line for line in text.splitlines() if line.startswith("| ")]) - 1
    assert set(named) <= known_tests()

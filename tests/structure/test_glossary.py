"""The glossary and the code use the same words."""

import ast
import re
from pathlib import Path

from content.database import metadata
from content.schema import TABLE_MODULES

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "scheduler", "channels", "content")
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
BUILT, COMING = PAGE.split("\n## Coming\n")


def rows(text, columns):
    """The cells of every row that is no headline."""
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row] for row in found if row[0].strip() != "term"]
    assert cells and all(len(row) == columns for row in cells)
    return cells


def sources():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def names_in_code():
    """Everything that is defined somewhere: classes, functions, constants, fields."""
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id
            elif isinstance(node, ast.Assign):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def enumerations():
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and "StrEnum" in {ast.unparse(base) for base in node.bases}:
                yield node.name


def on_screen():
    """All that the rooms say to people, as one text."""
    said = [
        path.read_text(encoding="utf-8")
        for room in ("bot", "scheduler", "channels")
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".html", ".js")
    ]
    return "\n".join(said)


def quoted(cell):
    return re.findall(r"`([\w.]+)`", cell)


def test_every_name_of_the_glossary_is_one_of_the_code():
    known = set(names_in_code())
    named = [(term, name) for term, code, *_ in rows(BUILT, 5) for name in quoted(code)]
    assert not [(term, name) for term, name in named if name not in known]


def test_every_table_has_an_entry_and_every_column_that_is_named_is_there():
    assert TABLE_MODULES
    columns = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.c}
    named = {name for _, _, tables, *_ in rows(BUILT, 5) for name in quoted(tables)}
    assert not named - columns - set(metadata.tables)
    assert not set(metadata.tables) - named, "say in docs/glossary.md what these tables are"


def test_every_enumeration_has_an_entry():
    named = {name for _, code, *_ in rows(BUILT, 5) for name in quoted(code)}
    assert not set(enumerations()) - named, "say in docs/glossary.md what these words are"


def test_every_japanese_word_is_one_that_people_read():
    said = on_screen()
    words = [(term, word) for term, _, _, cell, _ in rows(BUILT, 5) for word in cell.split(", ") if word]
    assert not [(term, word) for term, word in words if word not in said]


def test_a_term_stands_there_once():
    terms = [row[0] for row in rows(BUILT, 5) + rows(COMING, 3)]
    assert len(terms) == len(set(terms))


def test_what_is_coming_is_not_there_yet():
    assert not {row[0] for row in rows(COMING, 3)} & set(metadata.tables), "move these up: they are built"

"""The house holds: rooms import one way, files have one subject, packages say what they are."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "scheduler", "channels", "content")
FOLDERS = (*ROOMS, "sandbox")
MOST_LINES = 300
# Files that hold one subject on more lines than that, with how far each may grow before it is
# time to find the second subject in it.
LONGER: dict[str, int] = {}
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in FOLDERS
    for path in (ROOT / room).rglob("*.py")
    if not path.name.startswith("0")
)
PACKAGES = [path for path in SOURCES if path.endswith("__init__.py")]
NOT_OURS = {".git", ".venv", "node_modules", "var", "build", "__pycache__"}


def lines(path: str) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def texts():
    """(path, text) of every text file of the project."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in NOT_OURS and not re.match(r"\..+(cache|hypothesis)", name)
        ]
        for name in files:
            path = Path(folder) / name
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def test_the_four_rooms_import_one_way():
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_no_room_above_it_even_inside_a_function(room):
    above = ROOMS[: ROOMS.index(room)]
    for path in (path for path in SOURCES if path.startswith(f"{room}/")):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            elif isinstance(node, ast.Import):
                imported = [item.name for item in node.names]
            else:
                continue
            assert not [name for name in imported if name.partition(".")[0] in above], path


def test_a_file_has_one_subject_and_fits_on_three_hundred_lines():
    too_long = {path: lines(path) for path in SOURCES if lines(path) > LONGER.get(path, MOST_LINES)}
    assert not too_long


def test_a_file_that_became_short_again_is_no_exception_any_more():
    assert [path for path in LONGER if lines(path) <= MOST_LINES] == []


@pytest.mark.parametrize("path", PACKAGES)
def test_a_package_says_what_it_is(path):
    assert ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))


def test_every_file_says_what_it_is():
    silent = [
        path
        for path in SOURCES
        if not ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    ]
    assert not silent


def test_the_tests_stand_in_one_folder_for_each_room():
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/*.py")}
    assert folders == {*FOLDERS, "journeys", "faults", "structure"}


def test_every_folder_of_tests_is_a_package():
    # Two files of one name in folders that are no packages are the same module to pytest.
    loose = {
        path.parent for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()
    }
    assert not loose


def test_no_file_names_the_host_of_a_package_registry():
    # Where packages come from is the business of the machine that installs them.
    # The backslashes keep this file from being found itself.
    hosts = re.compile(
        r"\bpypi\.org|pythonhosted\.org|npmjs\.(org|com)|yarnpkg\.com|proxy\.golang\.org|crates\.io|rubygems\.org"
    )
    found = {path: match.group() for path, text in texts() if (match := hosts.search(text))}
    assert not found


def test_all_requests_to_the_outside_leave_through_one_file():
    # The demo's actors are people with browsers and phones, and the door leads inwards: no ways out.
    mine = [path for path in SOURCES if not path.startswith(("sandbox/", "bot/demo/", "bot/door/"))]
    opens = [path for path in mine if "ClientSession(" in (ROOT / path).read_text(encoding="utf-8")]
    assert opens == ["channels/http.py"]


def test_the_bundled_town_is_a_town_that_loads():
    from content.town import load_town

    towns = sorted((ROOT / "examples").glob("*.toml"))
    assert towns
    for path in towns:
        assert load_town(path).categories


def test_sql_is_composed_in_content_alone():
    # A connection and an error may be named anywhere, a statement may not.
    harmless = {
        "AsyncConnection",
        "Connection",
        "DBAPIError",
        "IntegrityError",
        "SQLAlchemyError",
        "URL",
        "make_url",
    }
    found: dict[str, set[str]] = {}
    for path in (path for path in SOURCES if path.partition("/")[0] in ("bot", "scheduler", "channels")):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
                found.setdefault(path, set()).update({item.name for item in node.names} - harmless)
            elif isinstance(node, ast.Import) and any(
                item.name.partition(".")[0] == "sqlalchemy" for item in node.names
            ):
                found.setdefault(path, set()).add("sqlalchemy")
    assert not {path: names for path, names in found.items() if names}

"""The list of folders in docs/house.md is that of the tree, two levels deep."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "house.md"
# What tools make beside the sources.
MADE = re.compile(r"\..*|__pycache__|.*\.egg-info|build|dist|var|node_modules|\d.*")


def folders(inside, levels=2):
    """Folders with at least one file of the project in them, by their path."""
    for path in sorted(inside.iterdir()):
        if path.is_dir() and not MADE.fullmatch(path.name) and has_files(path):
            yield path.relative_to(ROOT).as_posix()
            if levels > 1:
                yield from folders(path, levels - 1)


def has_files(folder):
    return any(path.is_file() for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_the_page_lists_every_folder_of_the_top_two_levels_and_no_other():
    rows = re.findall(r"^\| (`.+?) \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [folder for row in rows for folder in re.findall(r"`([\w/]+)`", row)]
    assert len(listed) == len(set(listed))
    there = set(folders(ROOT))
    assert {"content", "content/ledger", "sandbox/line"} <= there
    assert not there - set(listed), "add them to docs/house.md"
    assert not set(listed) - there, "they are gone: take them out of docs/house.md"

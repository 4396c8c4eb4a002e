"""Every link from one page to another leads to something that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sandbox").rglob("*.md")]
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_leads_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_files_that_a_page_names_are_there(page):
    rooms = "bot|scheduler|channels|content|sandbox|tests|benchmarks|docs|examples"
    named = re.findall(rf"`((?:{rooms})/[\w./-]+\.\w+)\b", page.read_text(encoding="utf-8"))
    assert not [path for path in named if "NAME" not in path and not (ROOT / path).exists()]


def test_the_readme_leads_to_every_page_of_the_manual():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    manual = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert not manual - set(LINK.findall(readme))

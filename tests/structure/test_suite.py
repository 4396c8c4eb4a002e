"""How the whole suite ends: strict, or with a second chance for a few tests that fail in company."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import suite

# Fails in company, as one that has too little time there does; alone it passes.
SHY = """
from pathlib import Path
def test_shy_{n}():
    mark = Path(__file__).with_suffix(".{n}")
    seen = mark.exists()
    mark.touch()
    assert seen
"""
BROKEN = "def test_broken(): assert False\n"
FINE = "def test_fine(): pass\n"
NO_PYTHON = "def test_("
GOOD, BAD = (sys.executable, "-c", "print('all well')"), (sys.executable, "-c", "exit('not at all')")
HEADLINE = "PASSED ONLY WHEN ALONE"


@pytest.fixture
def play(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run a suite of these tests; the exit code and everything that was said."""
    # Nothing of this repository's own tests holds there.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").touch()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(*tests: str, once_more: int = 3, beside: tuple[str, ...] = GOOD) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text("".join(tests))
        code = suite.run(beside=beside, tests=suite.TESTS, once_more=once_more)
        return code, capfd.readouterr().out

    return run


def shy(number: int) -> list[str]:
    return [SHY.format(n=n) for n in range(number)]


def test_three_that_pass_alone_let_the_run_pass_and_are_named_at_the_end(play):
    code, said = play(FINE, *shy(3))
    assert code == 0
    names = said.rpartition(HEADLINE)[2]
    assert [f"test_it.py::test_shy_{n}" in names for n in range(3)] == [True] * 3
    assert "test_fine" not in names


def test_a_fourth_fails_the_run_without_another_try(play):
    code, said = play(*shy(4))
    assert code == 1 and "once more" not in said


def test_one_that_fails_again_fails_the_run(play):
    code, said = play(FINE, *shy(1), BROKEN)
    assert code == 1 and "once more, alone" in said and HEADLINE not in said


def test_without_a_second_chance_one_is_enough(play):
    code, said = play(*shy(1), once_more=0)
    assert code == 1 and "once more" not in said


def test_a_file_that_cannot_be_read_gets_no_second_chance(play):
    code, said = play(NO_PYTHON)
    assert code != 0 and "once more" not in said


def test_what_runs_beside_fails_the_run_too_and_speaks_after_the_tests(play):
    assert play(FINE)[0] == 0
    code, said = play(*shy(1), beside=BAD)
    assert code == 1
    assert said.index("1 passed") < said.index("not at all") < said.index(HEADLINE)

"""The whole suite: every test, with the types checked beside them, for `make test` and `.ci/run`.

With `--once-more 3` up to three failed tests are run once more, alone, and named at the end if they pass then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TYPES = (sys.executable, "-m", "mypy")
TESTS = (sys.executable, "-m", "pytest")
# pytest's own word for "ran to its end, and tests failed"; all else is no matter of a single test.
TESTS_FAILED = 1


def run(*, beside: Sequence[str], tests: Sequence[str], once_more: int) -> int:
    """Run the tests with a command beside them, whose words come after theirs; 0 when all is well."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "beside.txt").open("w+b") as words:
        other = subprocess.Popen(beside, stdout=words, stderr=subprocess.STDOUT)
        try:
            code, shy = _tests(tests, once_more, Path(folder) / "cache")
            other_code = other.wait()
        finally:
            if other.poll() is None:
                other.kill()
                other.wait()
        words.seek(0)
        _say(f"{' '.join(beside[-2:])}: exit code {other_code}", words.read().decode(errors="replace"))
    if shy:
        _say("PASSED ONLY WHEN ALONE: each of these is a defect, of the test or of what it tests", *shy)
    return code or other_code


def _tests(tests: Sequence[str], once_more: int, cache: Path) -> tuple[int, list[str]]:
    """The exit code, and the tests that failed in company and passed alone."""
    if not once_more:
        return subprocess.run(tests, check=False).returncode, []
    # A memory of its own, or failures of an earlier run would be among them.
    code = subprocess.run([*tests, "-o", f"cache_dir={cache}"], check=False).returncode
    failed = _failed(cache) if code == TESTS_FAILED else []
    if not 0 < len(failed) <= once_more:
        return code, []
    _say("once more, alone", *failed)
    code = subprocess.run([*TESTS, *failed], check=False).returncode
    return code, failed if code == 0 else []


def _failed(cache: Path) -> list[str]:
    path = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(path.read_text())) if path.exists() else []


def _say(headline: str, *lines: str) -> None:
    print(f"\n===== {headline} =====", *lines, sep="\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="All else is handed to pytest.")
    parser.add_argument("--once-more", type=int, default=0, metavar="NUMBER")
    chosen, rest = parser.parse_known_args()
    # Some containers set it. Without bytecode each of the hundred processes that the tests start, and each of
    # their workers, would compile every file anew: a fifth of the whole time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return run(beside=TYPES, tests=(*TESTS, *rest), once_more=chosen.once_more)


if __name__ == "__main__":
    sys.exit(main())

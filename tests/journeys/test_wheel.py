"""The wheel alone is enough: the whole demo plays from it, outside the clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.services]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    # What is in version control and what is not yet: a build must not write into the clone.
    shutil.copytree(
        ROOT,
        tree,
        symlinks=True,
        ignore=shutil.ignore_patterns(".git", ".venv*", "tests", "docs", "benchmarks", "*.egg-info", "build"),
    )
    built = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
            *("--wheel-dir", str(folder), str(tree)),
        ],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_every_file_that_the_code_reads_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    for room in ("bot", "channels", "content", "sandbox", "scheduler"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in there


def test_the_demo_plays_from_the_wheel_outside_the_clone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "clean"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", asked], text=True).strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The libraries are those that the tests use; the code is the wheel's alone.
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("__editable__", "kairanban")) and path.suffix != ".pth":
            (libraries / path.name).symlink_to(path)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")}
    environment.pop("PYTHONPATH", None)
    where = subprocess.check_output(
        [python, "-c", "import bot; print(bot.__file__)"], cwd=tmp_path, env=environment, text=True
    )
    assert str(site) in where
    played = subprocess.run(
        [python, "-m", "bot.cli", "demo", "--once", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout)["held"] is True

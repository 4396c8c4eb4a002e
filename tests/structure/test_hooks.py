"""What looks at a commit is what `make lint` runs."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_hooks_before_a_commit_are_the_tools_of_make_lint():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = {hook["entry"] for repo in config["repos"] for hook in repo["hooks"]}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipes = re.findall(r"^(?:lint|style):.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert len(recipes) == 2
    tools = {
        line.strip().replace("$(BIN)", ".venv/bin").removesuffix(" .")
        for recipe in recipes
        for line in recipe.splitlines()
    }
    assert hooks == tools

"""The bill of materials names every part of the lock that is installed, each once, with its version."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bot.bill_of_materials import bill_of_materials

LOCK = Path(__file__).parents[2] / "requirements.lock"


def test_it_holds_the_parts_of_the_lock_and_no_tool_of_the_tests() -> None:
    made = bill_of_materials()
    names = [item["name"] for item in made["components"]]
    # Some parts are locked in one version for each Python.
    locked = set(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", LOCK.read_text("utf-8"), re.MULTILINE))
    known = {name for name, _ in locked}
    assert len(names) == len(set(names)) and {"aiohttp", "sqlalchemy", "cryptography"} <= set(names)
    # Beside the lock only what an extra brings.
    wrong = [one for item in made["components"] if (one := (item["name"], item["version"])) not in locked]
    assert not [name for name, _ in wrong if name in known]
    assert not {"pytest", "playwright", "ruff", "mypy"} & set(names)


def test_every_part_is_reached_from_the_service_and_has_a_place_of_its_own() -> None:
    made = bill_of_materials()
    known = {item["bom-ref"] for item in made["components"]}
    assert made["metadata"]["component"]["version"] == version("kairanban")
    assert {one for item in made["dependencies"] for one in item["dependsOn"]} == known
    licensed = [item for item in made["components"] if "licenses" in item]
    assert len(licensed) > len(known) / 2
    assert bill_of_materials()["serialNumber"] == made["serialNumber"]


def test_the_command_prints_it(command_line: Callable[..., object]) -> None:
    assert '"CycloneDX"' in command_line("sbom").stdout  # type: ignore[attr-defined]

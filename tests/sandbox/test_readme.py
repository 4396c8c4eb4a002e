"""What sandbox/README.md promises to somebody who writes a LINE bot is what the stand-ins can do."""

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from bot.commands import sandbox as commands
from sandbox.line.faults import API_ACTIONS, WEBHOOK_ACTIONS
from sandbox.line.scenarios import SCENARIOS
from sandbox.mail.faults import SmtpFaults

PAGE = (Path(__file__).parents[2] / "sandbox" / "README.md").read_text(encoding="utf-8")


def listed(heading: str) -> set[str]:
    found = re.search(rf"{heading}: (.+?)\.\s", PAGE, re.DOTALL)
    assert found, heading
    return {name.strip(" \n`") for name in found[1].split(",")}


@pytest.mark.parametrize(
    ("heading", "there"),
    [("API actions", API_ACTIONS), ("Webhook actions", WEBHOOK_ACTIONS), ("Scenarios", tuple(SCENARIOS))],
)
def test_every_fault_and_scenario_is_named_and_no_other(heading, there):
    assert listed(heading) == set(there)


def test_every_fault_of_the_mail_server_is_named_and_no_other():
    table = PAGE.partition("| fault | what |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    names = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert names == {field.name for field in fields(SmtpFaults)}


@pytest.mark.parametrize("port", ["line", "smtp", "sns"])
def test_the_ports_are_those_of_the_commands(port):
    for name, parameter in signature(getattr(commands, port)).parameters.items():
        if name.endswith("port"):
            assert re.search(rf"\b{parameter.default}\b", PAGE)

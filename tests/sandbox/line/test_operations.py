"""The stand-in knows every operation of the Messaging API by LINE's own list, with its method."""

import re
from pathlib import Path

import pytest

from sandbox.line.operations import README, written
from sandbox.line.routes import all_routes
from tests.channels.line_openapi import line_facts

KNOWN = {(route.method, re.sub(r"{\w+}", "{}", route.template)): route for route in all_routes()}
OPERATIONS = line_facts()["operations"]


def route_of(operation):
    method, _, path = operation.partition(" ")
    return KNOWN.get((method, re.sub(r"{\w+}", "{}", path)))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_known(operation):
    assert route_of(operation)


def test_a_retry_key_is_taken_where_line_may_answer_that_it_has_been_used():
    conflicting = {name for name, one in OPERATIONS.items() if 409 in one["answers"]}
    assert {name for name in OPERATIONS if route_of(name).takes_retry_key} == conflicting


def test_the_readme_says_what_each_operation_answers():
    page = README.read_text("utf-8")
    assert page == written(page), "write it anew: python -m sandbox.line.operations"


def test_every_operation_of_lines_own_descriptions_is_known():
    folder = Path(__file__).parents[4] / "shared" / "line-openapi"
    if not folder.is_dir():
        pytest.skip("LINE's descriptions are not at ../shared/line-openapi")
    for file in sorted(folder.glob("*.yml")):
        path = ""
        # Paths stand at two blanks, methods at four.
        for line in file.read_text("utf-8").splitlines():
            if found := re.fullmatch(r'  "?(/[^":]*)"?:', line):
                path = found[1]
            elif (found := re.fullmatch(r"    (get|post|put|delete):", line)) and file.stem != "webhook":
                assert route_of(f"{found[1].upper()} {path}"), f"{file.stem}: {found[1]} {path}"

"""The stand-in knows every operation of the Messaging API by LINE's own list, with its method."""

import re

import pytest

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

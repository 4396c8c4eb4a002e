"""Small building blocks that check a JSON body and report every violation at once.

A checker is called with a value, its path (`messages[0].text`) and the list of violations to add to.
The wordings are those of the LINE Messaging API reference, #error-messages, where it shows one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.line.errors import Detail
from sandbox.line.textlength import utf16_units

Checker = Callable[[Any, str, list[Detail]], None]
Fields = Mapping[str, Checker]

EMPTY = "May not be empty"


def report(errors: list[Detail], path: str, message: str) -> None:
    """Add one violation."""
    errors.append({"message": message, "property": path})


def anything(value: Any, path: str, errors: list[Detail]) -> None:
    """Accept every value."""
    del value, path, errors


def boolean(value: Any, path: str, errors: list[Detail]) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        report(errors, path, "Must be a boolean")


def number(value: Any, path: str, errors: list[Detail]) -> None:
    """Accept any number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        report(errors, path, "Must be a number")


def integer(minimum: int, maximum: int = 2**31 - 1) -> Checker:
    """A whole number within the bounds."""

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            report(errors, path, "Must be a number")
        elif value < minimum:
            report(errors, path, f"Must be greater than or equal to {minimum}")
        elif value > maximum:
            report(errors, path, f"Must be less than or equal to {maximum}")

    return check


def text(
    maximum: int,
    minimum: int = 1,
    *,
    measure: Callable[[str], int] = utf16_units,
    pattern: str | None = None,
) -> Checker:
    """A string of `minimum` to `maximum` characters, counted by `measure`, matching `pattern`."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if not isinstance(value, str):
            report(errors, path, "Must be a string")
        elif minimum and not value:
            report(errors, path, EMPTY)
        elif 2 * len(value) > maximum and measure(value) > maximum:
            report(errors, path, f"Length must be between 0 and {maximum}")
        elif compiled and not compiled.fullmatch(value):
            report(errors, path, "invalid format")

    return check


def one_of(*values: str) -> Checker:
    """One of these strings."""
    message = f"Must be one of the following values: [{', '.join(values)}]"

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if value not in values:
            report(errors, path, message)

    return check


def url(maximum: int, *schemes: str) -> Checker:
    """A URI with one of `schemes` (default https) and a bounded length."""
    starts = tuple(f"{scheme}:" for scheme in schemes or ("https",))
    with_host = tuple(scheme for scheme in starts if scheme.startswith("http"))

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if not isinstance(value, str) or not value:
            report(errors, path, EMPTY)
        elif utf16_units(value) > maximum:
            report(errors, path, f"Length must be between 0 and {maximum}")
        elif (
            not value.lower().startswith(starts)
            or any(c.isspace() for c in value)
            or (value.lower().startswith(with_host) and not _has_host(value))
        ):
            report(errors, path, "invalid uri")

    return check


def _has_host(value: str) -> bool:
    try:
        return bool(urlsplit(value).hostname)
    except ValueError:
        return False


def array(item: Checker, maximum: int, minimum: int = 0) -> Checker:
    """A list of `minimum` to `maximum` items."""

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if not isinstance(value, list):
            report(errors, path, "Must be an array")
            return
        if not minimum <= len(value) <= maximum:
            report(errors, path, f"Size must be between {minimum} and {maximum}")
            return
        for index, entry in enumerate(value):
            item(entry, f"{path}[{index}]", errors)

    return check


def obj(required: Fields, optional: Fields | None = None, *, strict: bool = False) -> Checker:
    """An object. With `strict` a field outside both tables is a violation, else it is ignored.

    A null counts as absent, as many clients write one for a field that was not set.
    """
    known = {**required, **(optional or {})}

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if not isinstance(value, dict):
            report(errors, path, "Must be an object")
            return
        for name in required:
            if value.get(name) is None:
                report(errors, _join(path, name), EMPTY)
        for name, entry in value.items():
            checker = known.get(name)
            if checker is not None and entry is not None:
                checker(entry, _join(path, name), errors)
            elif strict and checker is None:
                report(errors, _join(path, name), "unknown field")

    return check


def typed(kinds: Mapping[str, Checker], field: str = "type") -> Checker:
    """An object whose `field` chooses the checker."""
    choice = one_of(*kinds)

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if not isinstance(value, dict):
            report(errors, path, "Must be an object")
            return
        kind = value.get(field)
        if not kind:
            report(errors, _join(path, field), EMPTY)
        elif not isinstance(kind, str) or kind not in kinds:
            choice(kind, _join(path, field), errors)
        else:
            kinds[kind](value, path, errors)

    return check


def both(*checkers: Checker) -> Checker:
    """Several checkers on one value."""

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        for checker in checkers:
            checker(value, path, errors)

    return check


def later(find: Callable[[], Checker]) -> Checker:
    """A checker that is looked up when it is used: for shapes that contain themselves."""

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        find()(value, path, errors)

    return check


def violations(checker: Checker, body: Any) -> list[Detail]:
    """Every violation in a body, in reading order."""
    errors: list[Detail] = []
    checker(body, "", errors)
    return errors


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

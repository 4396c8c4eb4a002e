"""`notice correct`, `withdraw` and `stop`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "words", [("correct", "99", "--title", "題", "--body", "本文"), ("withdraw", "99"), ("stop", "99")]
)
def test_a_notice_that_there_is_not_is_named(command_line: Run, words: tuple[str, ...]) -> None:
    result = command_line("notice", *words)
    assert result.exit_code == 1 and "99" in result.output

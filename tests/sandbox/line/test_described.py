"""Whatever LINE's own OpenAPI files allow or forbid: the stand-in answers, and in the shapes that they describe."""

import pytest

from tests.sandbox.line.line_described import FILES, FOLDER, faults_of, operations, served


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason=f"LINE's descriptions are not at {FOLDER}")
@pytest.mark.parametrize("file", FILES or ["none"])
def test_every_answer_is_one_that_line_describes(file):
    with served() as running:
        faults = [fault for operation in operations(file) for fault in faults_of(operation, running)]
    assert not faults, "\n\n".join(faults)

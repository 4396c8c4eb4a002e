"""The page on the road of a notice names every state that the tables allow, and no other."""

import re
from collections import defaultdict
from pathlib import Path

from sqlalchemy import CheckConstraint

from content.database import metadata
from content.schema import TABLE_MODULES

PAGE = Path(__file__).parents[2] / "docs" / "dataflow.md"
ROW = re.compile(r"^\| `(\w+)` \| (`[^|]+`) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def states_of_the_tables():
    assert TABLE_MODULES
    found = {}
    for table in metadata.tables.values():
        for item in table.constraints:
            if isinstance(item, CheckConstraint) and str(item.sqltext).startswith("state IN"):
                found[table.name] = set(re.findall(r"'(\w+)'", str(item.sqltext)))
    return found


def test_every_state_is_on_the_page_with_its_age_limit_and_who_looks():
    named: defaultdict[str, set[str]] = defaultdict(set)
    for table, states, limit, sweep in ROW.findall(PAGE.read_text(encoding="utf-8")):
        assert limit.strip() and sweep.strip()
        for state in re.findall(r"`(\w+)`", states):
            assert state not in named[table], f"{table} {state} stands there twice"
            named[table].add(state)
    assert dict(named) == states_of_the_tables()


def test_the_files_that_the_page_names_are_there():
    root = PAGE.parents[1]
    named = set(re.findall(r"`((?:bot|scheduler|channels|content)/[\w/]+\.py)`", PAGE.read_text("utf-8")))
    assert named and not [path for path in named if not (root / path).is_file()]

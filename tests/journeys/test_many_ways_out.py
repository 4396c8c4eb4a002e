"""One notice to LINE, mail and every kind of account that posts; then its correction everywhere, within a minute."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.post_kills import ACCOUNTS, post, posting_town
from tests.journeys.deployment import befriend, write_register

pytestmark = pytest.mark.slow

EDITS = {"mastodon", "facebook", "discord"}


async def test_a_notice_and_its_correction_go_out_everywhere(tmp_path: Path) -> None:
    async with posting_town(tmp_path, readers=True) as (town, sandbox):
        line_url = await town.start_line()
        inbox_url = await town.start_smtp()
        await town.init()
        register = tmp_path / "register.csv"
        await befriend(town, line_url, write_register(register, 5, 5))
        code, _, err = await town.run("subscribers", "import", str(register))
        assert code == 0, err
        await town.serve()
        channels = ("line", "mail", *dict.fromkeys(ACCOUNTS.values()))
        first = await post(town, "避難指示(槻木地区)", *channels)
        shown = await town.finished(first)
        assert {name: row["accepted"] for name, row in shown["channels"].items()} == {
            "line": 5,
            "mail": 5,
            **{service: list(ACCOUNTS.values()).count(service) for service in ACCOUNTS.values()},
        }
        assert len(shown["posts"]) == len(ACCOUNTS)
        began = time.monotonic()
        corrected = await town.json(
            *(
                "notice",
                "correct",
                str(first),
                "--title",
                "避難指示(船岡地区)",
                "--body",
                "船岡地区が正しい地区です。",
            ),
            *("--json", "--accept", "repeated"),
        )
        after = await town.finished(corrected["id"])
        assert time.monotonic() - began < 60
        assert {row["accepted"] for row in after["channels"].values()} <= {1, 2, 5}
        assert all(row["accepted"] == row["planned"] for row in after["channels"].values())
        for key, service in ACCOUNTS.items():
            old, new = [item for item in sandbox.posts if (item.service, item.account) == (service, key)]
            assert "【訂正】" in new.text and "船岡" in new.text
            assert (old.state == "edited") == (service in EDITS)
        picture = next(item for item in sandbox.posts if item.service == "threads")
        assert picture.picture.startswith(b"\xff\xd8")
        mails = await town.get_json(f"{inbox_url}/api/messages")
        assert len(mails) == 10

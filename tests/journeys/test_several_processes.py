"""PostgreSQL, one `serve` and two `worker` processes: they share a send, and killing one harms nobody."""

from __future__ import annotations

import signal
from pathlib import Path

import asyncpg
import pytest

from tests.journeys.deployment import deployed, until

# 120 batches on LINE: two processes alone cannot hold them all, so the third finds some too.
LINE, MAIL = 60_000, 2_000

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.services]


async def test_workers_share_a_send_and_may_die(tmp_path: Path, empty_postgres: str) -> None:
    async with deployed(tmp_path, KAIRANBAN_DATABASE_URL=empty_postgres) as town:
        line_url = await town.start_line()
        inbox_url = await town.start_smtp()
        await town.registered_and_slow(line_url, LINE, MAIL, latency_ms=1000)
        await town.serve()
        first, second = await town.start("worker"), await town.start("worker")
        await until(lambda: _all_here(empty_postgres), "serve and both workers to listen")
        posted = await town.json(
            *("notice", "post", "--category", "saigai", "--title", "避難指示", "--body", "にげてください"),
            *("--urgent", "--json", "--channel", "line", "--channel", "mail"),
        )
        await until(lambda: _owners(empty_postgres, 3), "all three processes to have a batch in flight")
        await first.end(signal.SIGKILL)
        shown = await town.finished(posted["id"])

        assert second.running
        alert = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"][0]
        mail = await town.get_json(f"{inbox_url}/api/stats")
        assert (alert["users"], alert["duplicated"]) == (LINE, 0)
        assert mail["recipients"] == MAIL
        assert shown["channels"]["line"]["accepted"] == LINE
        assert shown["channels"]["mail"]["accepted"] == MAIL
        assert [row["open"] for row in shown["channels"].values()] == [0, 0]
        assert await second.end() == 0


async def _all_here(url: str) -> bool:
    return await _ask(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'") >= 3


async def _owners(url: str, number: int) -> bool:
    return await _ask(url, "SELECT count(DISTINCT lease_owner) FROM batch WHERE lease_owner != ''") >= number


async def _ask(url: str, question: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(question))
    finally:
        await connection.close()

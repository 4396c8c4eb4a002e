"""/metrics: what a monitoring system reads, as Prometheus' own parser understands it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from bot.app import create_app
from bot.metrics import Metrics, measuring
from bot.service import Service, open_service
from content.clock import now_ms
from content.ledger import account_outages
from content.ledger.states import Outcome
from tests.bot.test_belonging import made
from tests.factories import make_delivery, make_subscribers
from tests.journeys.deployment import free_port

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    opened = await open_service(await made(tmp_path))
    yield opened
    await opened.database.close()


async def scraped(listen: str) -> dict[Sample, float]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{listen}/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = await answer.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return f"kairanban_{name}", frozenset(labels.items())


async def test_what_waits_and_what_stands_still_can_be_scraped(service: Service) -> None:
    now = now_ms()
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 30)
        await make_delivery(connection, [ids[:20], ids[20:]], lane="urgent", at=now - 90_000)
        await connection.run_sync(account_outages.begin, "line", reason="credentials", now=now)
    listen = f"127.0.0.1:{free_port()}"
    async with measuring(Metrics(service), listen):
        found = await scraped(listen)
        open_batches = {"account": "line", "lane": "urgent", "state": "ready"}
        assert found[sample("batches", **open_batches)] == 2
        assert found[sample("recipients_waiting", **open_batches)] == 30
        assert 90 <= found[sample("oldest_batch_age_seconds", **open_batches)] < 150
        assert found[sample("subscribers_active", account="line")] == 30
        assert found[sample("account_outage", account="line", reason="credentials")] == 1
        assert found[sample("recipients_last_day", account="line", outcome=Outcome.ACCEPTED)] == 0
        assert found[sample("held")] == 0
        assert sample("recipients_accepted_last_minute", account="line") not in found
        assert sample("loop_lag_seconds") in found
        assert found[("process_open_fds", frozenset())] > 0
        # Nothing that tells of a person, whatever the database holds.
        assert not [
            name for name, labels in found if any("@" in value or "U0" in value for _, value in labels)
        ]


async def test_while_the_database_is_away_there_are_no_figures(service: Service) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with measuring(Metrics(service), listen), aiohttp.ClientSession() as session:
        await service.database.close()
        service.database.path.rename(service.database.path.with_suffix(".away"))
        async with session.get(f"http://{listen}/metrics") as answer:
            assert (answer.status, await answer.text()) == (503, "database not reachable\n")


async def test_the_time_that_webhooks_take_is_counted_and_no_other(service: Service) -> None:
    metrics = Metrics(service)
    listen = f"127.0.0.1:{free_port()}"
    app = create_app(service, middlewares=[metrics.time_webhooks])
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/line/webhook", data=b"{}")).status == 403
        assert (await client.get("/healthz")).status == 200
    async with measuring(metrics, listen):
        found = await scraped(listen)
    assert found[sample("line_webhook_seconds_count")] == 1


async def test_without_an_address_nothing_listens(service: Service) -> None:
    async with measuring(None, ""):
        pass

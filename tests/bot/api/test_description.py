"""The description that machines read is that of what they are told, in every case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from bot.api.openapi import EXAMPLE, description
from bot.api.problems import KNOWN
from bot.api_reference import reference
from tests.bot.api.conftest import Caller, wanted


def fits(value: object, model: str) -> None:
    whole: dict[str, Any] = description()
    Draft202012Validator({**whole, "$ref": f"#/components/schemas/{model}"}).validate(value)


async def test_it_is_served(caller: Caller) -> None:
    async with caller.client.get("/api/v1/openapi.json") as answer:
        assert (answer.status, await answer.json()) == (200, description())


async def test_every_answer_is_as_described(caller: Caller) -> None:
    _, posted = await caller.post(wanted())
    fits(posted, "PostedJson")
    _, shown = await caller.show(posted["id"])
    fits(shown, "NoticeJson")
    _, refused = await caller.post(wanted())
    fits(refused, "ProblemJson")
    assert refused["findings"]
    _, unread = await caller.post(b"{")
    fits(unread, "ProblemJson")


def test_what_is_sent_as_example_is_as_described() -> None:
    fits(EXAMPLE, "NewNotice")
    fits(wanted(), "NewNotice")


def test_every_path_is_described_and_every_described_path_is_there(caller: Caller) -> None:
    served = {
        (route.method.lower(), route.resource.canonical.replace("{id}", "{id}"))
        for route in caller.client.app.router.routes()
        if route.resource
        and route.resource.canonical.startswith("/api/v1/notices")
        and route.method != "HEAD"
    }
    described = {(method, path) for path, methods in description()["paths"].items() for method in methods}
    assert served == described


def test_the_page_of_the_manual_is_the_one_the_description_makes() -> None:
    page = Path(__file__).parents[3] / "docs" / "api.md"
    assert page.read_text(encoding="utf-8") == reference(), "run: kairanban config api > docs/api.md"


def test_every_refusal_has_its_words_and_every_reference_its_schema() -> None:
    answers = [
        answer
        for methods in description()["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
    ]
    assert all(answer["description"] for answer in answers)
    used = {
        content["schema"]["$ref"].rpartition("/")[2]
        for answer in answers
        for content in answer["content"].values()
    }
    assert used <= set(description()["components"]["schemas"])
    assert all(status >= 400 and title and detail for status, title, detail in KNOWN.values())

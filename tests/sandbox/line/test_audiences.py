"""Audiences that a bot uploads, narrowcasts to them, and what LINE tells of readers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, STRANGER, text, until

GROUPS = "/v2/bot/audienceGroup"


async def uploaded(town, *ids, description="保護者"):
    body = {"description": description, "audiences": [{"id": one} for one in ids]}
    status, made, _ = await town.raw("POST", f"{GROUPS}/upload", json=body)
    assert status == 202, made
    return made["audienceGroupId"]


async def narrowcast(town, recipient):
    body = {"messages": [text()], "recipient": recipient}
    status, _, headers = await town.raw("POST", "/v2/bot/message/narrowcast", json=body)
    return status, headers["x-line-request-id"]


async def test_an_audience_is_made_filled_renamed_listed_and_deleted(town):
    number = await uploaded(town, PARENT)
    more = {"audienceGroupId": number, "audiences": [{"id": GRANDMOTHER}]}
    assert (await town.raw("PUT", f"{GROUPS}/upload", json=more))[0] == 202
    rename = {"description": "保育園の保護者"}
    assert (await town.raw("PUT", f"{GROUPS}/{number}/updateDescription", json=rename))[0] == 200
    group = (await town.raw("GET", f"{GROUPS}/{number}"))[1]["audienceGroup"]
    assert (group["audienceCount"], group["description"], group["status"]) == (2, "保育園の保護者", "READY")
    empty = await uploaded(town, description="空")
    listed = (await town.raw("GET", f"{GROUPS}/list?page=1&size=1"))[1]
    assert (listed["totalCount"], listed["hasNextPage"]) == (2, True)
    (newest,) = listed["audienceGroups"]
    assert (newest["audienceGroupId"], newest["status"]) == (empty, "IN_PROGRESS")
    assert (await town.raw("DELETE", f"{GROUPS}/{number}"))[0] == 200
    assert (await town.raw("GET", f"{GROUPS}/{number}"))[0] == 404


def all_of(both, one):
    return {"type": "audience", "audienceGroupId": both}


def without(both, one):
    excluded = {"type": "operator", "not": {"type": "audience", "audienceGroupId": one}}
    return {"type": "operator", "and": [all_of(both, one), excluded]}


@pytest.mark.parametrize(("make", "reached"), [(all_of, {PARENT, GRANDMOTHER}), (without, {GRANDMOTHER})])
async def test_a_narrowcast_reaches_the_friends_of_its_audience_alone(town, make, reached):
    await town.config(narrowcast__stepSeconds=0.01)
    both, one = await uploaded(town, PARENT, GRANDMOTHER, NEWCOMER), await uploaded(town, PARENT)
    status, request_id = await narrowcast(town, make(both, one))
    assert status == 202
    await until(lambda: town.channel.jobs[request_id].phase == "succeeded", "the narrowcast")
    assert {who for who in (PARENT, GRANDMOTHER, NEWCOMER) if town.chat(who)} == reached
    told = (await town.raw("GET", f"/v2/bot/insight/message/event?requestId={request_id}"))[1]["overview"]
    assert told["delivered"] == len(reached) and told["uniqueImpression"] is None


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        ({"type": "audience", "audienceGroupId": 1}, 400),
        ({"type": "redelivery", "requestId": "x"}, 501),
        ({"type": "operator"}, 400),
        ({"type": "operator", "and": ["x"]}, 400),
        ({"type": "friends"}, 400),
    ],
)
async def test_a_recipient_that_names_nobody_is_refused(town, recipient, status):
    assert (await narrowcast(town, recipient))[0] == status


async def test_what_is_no_audience_is_refused(town):
    wrong: list[Any] = [{}, {"description": ""}, {"description": "x" * 121}]
    wrong.append({"description": "a", "audiences": [{"id": "me"}]})
    for body in wrong:
        assert (await town.raw("POST", f"{GROUPS}/upload", json=body))[0] == 400
    unknown = {"audienceGroupId": 5, "audiences": [{"id": STRANGER}]}
    assert (await town.raw("PUT", f"{GROUPS}/upload", json=unknown))[0] == 400
    assert (await town.raw("GET", f"{GROUPS}/list"))[0] == 400
    assert (await town.raw("GET", f"{GROUPS}/nothing"))[0] == 400


async def test_of_few_readers_line_tells_nothing(town):
    assert (await town.raw("GET", "/v2/bot/insight/demographic"))[1] == {"available": False}
    path = "/v2/bot/insight/message/event/aggregation"
    _, told, _ = await town.raw("GET", f"{path}?customAggregationUnit=a&from=20260401&to=20260430")
    assert told["overview"]["uniqueImpression"] is None
    for wrong in (
        "",
        "?customAggregationUnit=a&from=20260401&to=20260601",
        "?customAggregationUnit=a&from=x&to=y",
    ):
        assert (await town.raw("GET", path + wrong))[0] == 400
    assert (await town.raw("GET", "/v2/bot/insight/message/event"))[0] == 400

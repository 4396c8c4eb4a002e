"""Audiences: lists of people that a bot uploads and then names in a narrowcast.

Messaging API reference, #manage-audience-group. Those by file, by clicks and by impressions, and shared ones, are not played.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.line.audience_group import AudienceGroup
from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Json, Reply, invalid_parameter, not_found
from sandbox.line.ids import USER_ID
from sandbox.line.users import User

MOST_GROUPS = 1_000
PAGE = 40


def create(call: Call) -> Reply:
    """From a list of user ids."""
    groups = call.channel.audiences
    if len(groups) >= MOST_GROUPS:
        raise ApiError(400, "TOO_MANY_AUDIENCE_GROUPS")
    _refuse_ifa(call)
    number = max(groups, default=10_000_000_000) + 1
    group = groups[number] = AudienceGroup(number, call.body["description"], call.now_ms, _ids(call))
    shown = group.public()
    told = (
        "audienceGroupId",
        "type",
        "description",
        "created",
        "permission",
        "expireTimestamp",
        "isIfaAudience",
    )
    return Reply(202, {name: shown[name] for name in (*told, "createRoute")})


def add(call: Call) -> Reply:
    """More people into one that is there."""
    group = call.channel.audiences.get(call.body["audienceGroupId"])
    if group is None:
        raise ApiError(400, "AUDIENCE_GROUP_NOT_FOUND")
    group.members |= _ids(call)
    return Reply(202)


def get(call: Call) -> Reply:
    return Reply(body={"audienceGroup": _group(call).public(), "jobs": []})


def delete(call: Call) -> Reply:
    del call.channel.audiences[_group(call).number]
    return Reply()


def describe(call: Call) -> Reply:
    _group(call).description = call.body["description"]
    return Reply()


def list_all(call: Call) -> Reply:
    """The newest first; `description` narrows."""
    page, size = _whole(call, "page", 1, 1_000_000), _whole(call, "size", 20, PAGE)
    if "page" not in call.query:
        raise invalid_parameter("page")
    wanted = call.query.get("description", "").casefold()
    groups = [one for one in call.channel.audiences.values() if wanted in one.description.casefold()][::-1]
    shown = groups[(page - 1) * size : page * size]
    body: Json = {
        "audienceGroups": [one.public() for one in shown],
        "hasNextPage": len(groups) > page * size,
        "totalCount": len(groups),
        "readWriteAudienceGroupTotalCount": len(groups),
        "page": page,
        "size": size,
    }
    return Reply(body=body)


def meant(call: Call, recipient: Any, people: Iterable[User]) -> list[User]:
    """Those of the people whom the recipient object of a narrowcast names. Raises 400, and 501 for redelivery."""
    return [user for user in people if _is_meant(call, recipient, user)]


def check_recipient(call: Call, recipient: Any) -> None:
    """Raises 400 for what names no audience, 501 for what is not played."""
    kind = recipient.get("type")
    if kind == "redelivery":
        raise ApiError(501, "sandbox: not implemented")
    if kind == "audience":
        if recipient.get("audienceGroupId") not in call.channel.audiences:
            raise ApiError(400, "AUDIENCE_GROUP_NOT_FOUND")
        return
    parts = _parts(recipient)
    if kind != "operator" or not parts:
        raise ApiError(400, "The property, 'recipient', in the request body is invalid (line: -, column: -)")
    for part in parts:
        check_recipient(call, part)


def _is_meant(call: Call, recipient: Any, user: User) -> bool:
    if recipient["type"] == "audience":
        return user.user_id in call.channel.audiences[recipient["audienceGroupId"]].members
    inside = [_is_meant(call, part, user) for part in _parts(recipient)]
    if "and" in recipient:
        return all(inside)
    return any(inside) if "or" in recipient else not inside[0]


def _parts(recipient: Any) -> list[Any]:
    given = recipient.get("and") or recipient.get("or") or recipient.get("not")
    parts = given if isinstance(given, list) else [given] if given else []
    return parts if all(isinstance(part, dict) for part in parts) else []


def _refuse_ifa(call: Call) -> None:
    if call.body.get("isIfaAudience"):
        raise ApiError(501, "sandbox: not implemented")


def _ids(call: Call) -> dict[str, None]:
    ids = [item["id"] for item in call.body.get("audiences") or ()]
    if any(not USER_ID.match(one) for one in ids):
        raise ApiError(400, "WRONG_AUDIENCE_ID_FORMAT")
    return dict.fromkeys(ids)


def _group(call: Call) -> AudienceGroup:
    text = call.params["audienceGroupId"]
    if not text.isdecimal():
        raise invalid_parameter("audienceGroupId")
    found = call.channel.audiences.get(int(text))
    if found is None:
        raise not_found()
    return found


def _whole(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid_parameter(name)
    return int(text)

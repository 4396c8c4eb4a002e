"""The endpoints of the Messaging API, with their rate limits (LINE Messaging API reference, #rate-limits)."""

from __future__ import annotations

from sandbox.line import (
    accounts,
    aliases_api,
    audiences,
    bodies_schema,
    chats_api,
    contents,
    counts,
    insight,
    liff_apps,
    login,
    menu_batch,
    menus_api,
    narrowcast,
    oauth,
    sending,
    webhook_api,
)
from sandbox.line.call import Handler, Route
from sandbox.line.limits import (
    DEFAULT,
    LOADING,
    MENU_LIST,
    MULTICAST,
    PER_HOUR_3,
    PER_HOUR_60,
    PER_HOUR_100,
    PER_MINUTE_60,
    PER_MINUTE_1000,
    TOKEN_ISSUE,
    Rate,
)
from sandbox.line.schema import Checker

_V2 = "/v2/bot"
_MESSAGE = f"{_V2}/message"
_MENU = f"{_V2}/richmenu"
_USER = f"{_V2}/user"

_COUNTED = ("reply", "push", "multicast", "broadcast")

# Known to LINE, answered with 501.
_MISSING = (
    ("GET", f"{_MESSAGE}/delivery/pnp"),
    ("POST", "/bot/pnp/push"),
    ("GET", f"{_V2}/insight/richmenu/{{richMenuId}}/summary"),
    ("GET", f"{_V2}/insight/richmenu/{{richMenuId}}/daily"),
    ("GET", f"{_V2}/membership/subscription/{{userId}}"),
    ("GET", f"{_V2}/membership/list"),
    ("GET", f"{_V2}/membership/{{membershipId}}/users/ids"),
    ("GET", f"{_V2}/coupon"),
    ("POST", f"{_V2}/coupon"),
    ("GET", f"{_V2}/coupon/{{couponId}}"),
    ("PUT", f"{_V2}/coupon/{{couponId}}/close"),
    ("POST", f"{_V2}/audienceGroup/upload/byFile"),
    ("PUT", f"{_V2}/audienceGroup/upload/byFile"),
    ("POST", f"{_V2}/audienceGroup/click"),
    ("POST", f"{_V2}/audienceGroup/imp"),
    ("GET", f"{_V2}/audienceGroup/shared/list"),
    ("GET", f"{_V2}/audienceGroup/shared/{{audienceGroupId}}"),
    ("POST", f"{_V2}/channel/detach"),
    ("POST", f"{_V2}/chat/{{chatId}}/control/acquire"),
    ("POST", f"{_V2}/chat/{{chatId}}/control/release"),
    ("GET", f"{_V2}/list"),
    ("POST", "/module/auth/v1/token"),
    ("POST", "/shop/v3/mission"),
)


def all_routes() -> list[Route]:
    """Every endpoint that LINE documents for a bot; what is missing here answers 501."""
    missing = [
        Route(method, path, oauth.not_implemented, public=path.startswith("/module"))
        for method, path in _MISSING
    ]
    return [
        *_sending(),
        *_counts(),
        *_accounts(),
        *_chats(),
        *_audiences(),
        *_menus(),
        *_liff(),
        *_aliases(),
        *_webhook(),
        *_tokens(),
        *missing,
    ]


def _sending() -> list[Route]:
    check = bodies_schema.VALIDATE
    names = ("reply", "push", "multicast", "narrowcast", "broadcast")
    checks = [
        Route("POST", f"{_MESSAGE}/validate/{name}", sending.validate, reads="json", schema=check)
        for name in names
    ]
    return [
        _send("reply", sending.reply, bodies_schema.REPLY, DEFAULT, takes_retry_key=False),
        _send("push", sending.push, bodies_schema.PUSH, DEFAULT),
        _send("multicast", sending.multicast, bodies_schema.MULTICAST, MULTICAST),
        _send("narrowcast", narrowcast.send, bodies_schema.NARROWCAST, PER_HOUR_60),
        _send("broadcast", sending.broadcast, bodies_schema.BROADCAST, PER_HOUR_60),
        Route("GET", f"{_MESSAGE}/progress/narrowcast", narrowcast.progress),
        *checks,
    ]


def _send(name: str, handler: Handler, schema: Checker, rate: Rate, *, takes_retry_key: bool = True) -> Route:
    return Route(
        "POST",
        f"{_MESSAGE}/{name}",
        handler,
        rate,
        reads="json",
        schema=schema,
        takes_retry_key=takes_retry_key,
        label=name,
    )


def _counts() -> list[Route]:
    delivered = [
        Route("GET", f"{_MESSAGE}/delivery/{name}", counts.sent_by(name), PER_HOUR_60) for name in _COUNTED
    ]
    return [
        *delivered,
        Route("GET", f"{_MESSAGE}/quota", counts.quota),
        Route("GET", f"{_MESSAGE}/quota/consumption", counts.consumption),
        Route("GET", f"{_MESSAGE}/aggregation/info", counts.units_used),
        Route("GET", f"{_MESSAGE}/aggregation/list", counts.unit_names),
        Route("GET", f"{_V2}/insight/followers", counts.insight_followers, PER_HOUR_60),
        Route("GET", f"{_V2}/insight/message/delivery", counts.insight_delivery, PER_HOUR_60),
        Route("GET", f"{_V2}/insight/demographic", insight.demographic, PER_HOUR_60),
        Route("GET", f"{_V2}/insight/message/event", insight.message_event, PER_HOUR_60),
        Route("GET", f"{_V2}/insight/message/event/aggregation", insight.per_unit, PER_HOUR_60),
    ]


def _accounts() -> list[Route]:
    read, by_token = bodies_schema.MARK_AS_READ, bodies_schema.MARK_AS_READ_BY_TOKEN
    content = f"{_MESSAGE}/{{messageId}}/content"
    return [
        Route("GET", f"{_V2}/profile/{{userId}}", accounts.profile),
        Route("GET", f"{_V2}/followers/ids", accounts.followers),
        Route("GET", f"{_V2}/info", accounts.bot_info),
        Route("POST", f"{_USER}/{{userId}}/linkToken", accounts.link_token),
        Route(
            "POST",
            f"{_V2}/chat/loading/start",
            accounts.loading,
            LOADING,
            reads="json",
            schema=bodies_schema.LOADING,
        ),
        Route(
            "POST", f"{_V2}/chat/markAsRead", accounts.mark_as_read_by_token, reads="json", schema=by_token
        ),
        Route("POST", f"{_MESSAGE}/markAsRead", accounts.mark_as_read, reads="json", schema=read),
        Route("GET", content, contents.whole),
        Route("GET", f"{content}/preview", contents.preview),
        Route("GET", f"{content}/transcoding", contents.transcoding),
    ]


def _audiences() -> list[Route]:
    group = f"{_V2}/audienceGroup"
    one, rate = f"{group}/{{audienceGroupId}}", PER_MINUTE_60
    create, add = bodies_schema.AUDIENCE_CREATE, bodies_schema.AUDIENCE_ADD
    describe = bodies_schema.AUDIENCE_DESCRIBE
    return [
        Route("POST", f"{group}/upload", audiences.create, rate, reads="json", schema=create),
        Route("PUT", f"{group}/upload", audiences.add, rate, reads="json", schema=add),
        Route("GET", f"{group}/list", audiences.list_all, rate),
        Route("GET", one, audiences.get, rate),
        Route("DELETE", one, audiences.delete, rate),
        Route("PUT", f"{one}/updateDescription", audiences.describe, rate, reads="json", schema=describe),
    ]


def _chats() -> list[Route]:
    found = [Route("GET", f"{_V2}/group/{{groupId}}/summary", chats_api.summary)]
    for kind in ("group", "room"):
        one = f"{_V2}/{kind}/{{{kind}Id}}"
        found += [
            Route("GET", f"{one}/members/count", chats_api.count(kind)),
            Route("GET", f"{one}/members/ids", chats_api.member_ids(kind)),
            Route("GET", f"{one}/member/{{userId}}", chats_api.member(kind)),
            Route("POST", f"{one}/leave", chats_api.leave(kind)),
        ]
    return found


def _menus() -> list[Route]:
    one = f"{_MENU}/{{richMenuId}}"
    menu, batch = bodies_schema.RICH_MENU, bodies_schema.MENU_BATCH
    return [
        Route("POST", _MENU, menus_api.create, PER_HOUR_100, reads="json", schema=menu),
        Route("POST", f"{_MENU}/validate", menus_api.validate, reads="json", schema=menu),
        Route("GET", f"{_MENU}/list", menus_api.list_all, MENU_LIST),
        Route(
            "POST", f"{_MENU}/bulk/link", menus_api.bulk_link, reads="json", schema=bodies_schema.BULK_LINK
        ),
        Route(
            "POST",
            f"{_MENU}/bulk/unlink",
            menus_api.bulk_unlink,
            reads="json",
            schema=bodies_schema.BULK_UNLINK,
        ),
        Route("POST", f"{_MENU}/batch", menu_batch.start, PER_HOUR_3, reads="json", schema=batch),
        Route("POST", f"{_MENU}/validate/batch", menu_batch.validate, reads="json", schema=batch),
        Route("GET", f"{_MENU}/progress/batch", menu_batch.progress, PER_HOUR_100),
        Route("GET", one, menus_api.get),
        Route("DELETE", one, menus_api.delete, PER_HOUR_100),
        Route("POST", f"{one}/content", menus_api.upload, reads="raw"),
        Route("GET", f"{one}/content", menus_api.download),
        Route("GET", f"{_USER}/all/richmenu", menus_api.get_default),
        Route("DELETE", f"{_USER}/all/richmenu", menus_api.clear_default),
        Route("POST", f"{_USER}/all/richmenu/{{richMenuId}}", menus_api.set_default),
        Route("GET", f"{_USER}/{{userId}}/richmenu", menus_api.get_linked),
        Route("DELETE", f"{_USER}/{{userId}}/richmenu", menus_api.unlink),
        Route("POST", f"{_USER}/{{userId}}/richmenu/{{richMenuId}}", menus_api.link),
    ]


def _liff() -> list[Route]:
    one, add, change = "/liff/v1/apps/{liffId}", bodies_schema.LIFF_ADD, bodies_schema.LIFF_CHANGE
    return [
        Route("POST", "/liff/v1/apps", liff_apps.add, reads="json", schema=add),
        Route("GET", "/liff/v1/apps", liff_apps.list_all),
        Route("PUT", one, liff_apps.change, reads="json", schema=change),
        Route("DELETE", one, liff_apps.delete),
    ]


def _aliases() -> list[Route]:
    one = f"{_MENU}/alias/{{richMenuAliasId}}"
    return [
        Route("POST", f"{_MENU}/alias", aliases_api.create, reads="json", schema=bodies_schema.ALIAS_CREATE),
        Route("GET", f"{_MENU}/alias/list", aliases_api.list_all),
        Route("POST", one, aliases_api.update, reads="json", schema=bodies_schema.ALIAS_UPDATE),
        Route("GET", one, aliases_api.get),
        Route("DELETE", one, aliases_api.delete, PER_HOUR_100),
    ]


def _webhook() -> list[Route]:
    endpoint = f"{_V2}/channel/webhook/endpoint"
    return [
        Route("GET", endpoint, webhook_api.get_endpoint, PER_MINUTE_1000),
        Route(
            "PUT",
            endpoint,
            webhook_api.set_endpoint,
            PER_MINUTE_1000,
            reads="json",
            schema=bodies_schema.WEBHOOK_ENDPOINT,
        ),
        Route(
            "POST",
            f"{_V2}/channel/webhook/test",
            webhook_api.test_endpoint,
            PER_HOUR_60,
            reads="optional",
            schema=bodies_schema.WEBHOOK_TEST,
        ),
    ]


def _tokens() -> list[Route]:
    return [
        Route("POST", "/oauth2/v3/token", oauth.issue_stateless, reads="form", public=True),
        Route(
            "POST", "/v2/oauth/accessToken", oauth.issue_short_lived, TOKEN_ISSUE, reads="form", public=True
        ),
        Route("POST", "/v2/oauth/verify", oauth.verify_posted, reads="form", public=True),
        Route("POST", "/v2/oauth/revoke", oauth.revoke, reads="form", public=True),
        Route("POST", "/oauth2/v2.1/token", oauth.issue_bound, reads="form", public=True),
        Route("POST", "/oauth2/v2.1/revoke", oauth.revoke_bound, reads="form", public=True),
        Route("GET", "/oauth2/v2.1/tokens/kid", oauth.bound_kids, public=True),
        Route("GET", "/oauth2/v2.1/verify", oauth.verify_queried, public=True),
        Route("POST", "/oauth2/v2.1/verify", login.verify_id_token, reads="form", public=True),
    ]

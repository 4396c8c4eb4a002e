"""The calls to LINE's Messaging API that carry no notice: replies, profiles, quota, rich menus. Raw JSON.

Every call raises the errors of `channels.channel` as `channels.line.answers.check` maps them.
Source: https://developers.line.biz/en/reference/messaging-api/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time as wall_clock
from typing import Any
from urllib.parse import quote

from channels.channel import BatchRefused, Quota, TemporaryFailure
from channels.http import HttpAnswer, HttpClient
from channels.line.answers import check, decode
from channels.reasons import Reason

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Profile:
    """What LINE tells about a friend. `language` is a BCP 47 tag, "" when the person has not consented."""

    user_id: str = field(repr=False)
    display_name: str = field(repr=False)
    language: str = ""


FOLLOWER_NAMES = ("followers", "targetedReaches", "blocks")


@dataclass(frozen=True, slots=True)
class FollowerCounts:
    """`followers` ever added the account, those who blocked it since included."""

    followers: int | None
    targeted_reaches: int | None
    blocks: int | None


class LineApi:
    """One channel's credentials and connections.

    `api_base` and `data_base` are origins without a trailing path (https://api.line.me and
    https://api-data.line.me); `token` is the channel access token.
    """

    def __init__(
        self, api_base: str, data_base: str, token: str, *, timeout: float = 10.0, connections: int = 50
    ) -> None:
        self._api_base = api_base.rstrip("/")
        self._data_base = data_base.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._http = HttpClient(timeout=timeout, connections=connections)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """The answer to a POST of ready-made JSON bytes, whatever its status."""
        sent = {**self._authorization, "Content-Type": JSON_TYPE, **(headers or {})}
        return await self._http.request("POST", self._api_base + path, headers=sent, body=body)

    async def reply(self, reply_token: str, messages: Sequence[dict[str, Any]]) -> None:
        """Answer one event with 1 to 5 messages. The token serves once, within about a minute.

        There is no retry key for replies: after UnknownOutcome the reply probably went out.
        """
        await self._post_json(
            "/v2/bot/message/reply", {"replyToken": reply_token, "messages": list(messages)}
        )

    async def push(self, user_id: str, text: str, retry_key: str) -> None:
        """One text to one person; the same key again sends it no second time."""
        body = encode({"to": user_id, "messages": [{"type": "text", "text": text}]})
        answer = await self.post("/v2/bot/message/push", body, {"X-Line-Retry-Key": retry_key})
        # 409: it was accepted before.
        if answer.status != HTTPStatus.CONFLICT:
            check(answer)

    async def show_loading(self, user_id: str, seconds: int) -> None:
        """Dots in the chat until our answer comes, at most so many seconds (a multiple of 5, up to 60)."""
        await self._post_json("/v2/bot/chat/loading/start", {"chatId": user_id, "loadingSeconds": seconds})

    async def profile(self, user_id: str) -> Profile | None:
        """The friend's profile; None when blocked, gone or unknown."""
        try:
            found = await self._get_json(f"/v2/bot/profile/{user_id}")
        except BatchRefused as error:
            if error.reason == Reason.NOT_FOUND:
                return None
            raise
        return Profile(user_id, str(found.get("displayName", "")), str(found.get("language", "")))

    async def followers(self, start: str = "") -> tuple[list[str], str]:
        """A page of up to 1,000 friends by user id, and where the next begins, "" after the last.

        Only for verified accounts: any other raises BatchRefused.
        """
        query = f"?limit=1000{f'&start={quote(start)}' if start else ''}"
        answer = await self._call("GET", f"/v2/bot/followers/ids{query}")
        if answer.status == HTTPStatus.FORBIDDEN:
            # Here it is not about the token.
            raise BatchRefused(Reason.INVALID_REQUEST, "LINEが友だちの一覧を出しませんでした（403）。")
        check(answer)
        page = decode(answer)
        found = [str(item) for item in page.get("userIds", [])]
        return found, str(page.get("next", ""))

    async def follower_counts(self, day: date) -> FollowerCounts | None:
        """LINE's figures of a day in Japan; None while it has not counted them yet, as a rule until the next day.

        A number that LINE keeps to itself (below 20) is None.
        """
        found = await self._get_json(f"/v2/bot/insight/followers?date={day:%Y%m%d}")
        if found.get("status") == "unready":
            return None
        return FollowerCounts(
            *(number if isinstance(number := found.get(name), int) else None for name in FOLLOWER_NAMES)
        )

    async def bot_info(self) -> dict[str, Any]:
        """userId, basicId, displayName and chatMode of the account."""
        return await self._get_json("/v2/bot/info")

    async def webhook_endpoint(self) -> tuple[str, bool] | None:
        """Where LINE sends what friends do, and whether it does; None when nothing is set."""
        try:
            found = await self._get_json("/v2/bot/channel/webhook/endpoint")
        except BatchRefused as error:
            if error.reason == Reason.NOT_FOUND:
                return None
            raise
        return str(found.get("endpoint", "")), bool(found.get("active"))

    async def set_webhook_endpoint(self, url: str) -> None:
        """From now on LINE sends what friends do there. Raises BatchRefused for a URL that it does not take."""
        path, headers = "/v2/bot/channel/webhook/endpoint", {"Content-Type": "application/json"}
        body = encode({"endpoint": url})
        check(
            await self._http.request(
                "PUT", self._api_base + path, body=body, headers=self._authorization | headers
            )
        )

    async def own_clock_ahead(self) -> float | None:
        """By how many seconds our clock is ahead of LINE's, to one second (`Date`, RFC 9110 §6.6.1); None when it does
        not tell."""
        begun = wall_clock()
        answer = await self._call("GET", "/v2/bot/info")
        check(answer)
        try:
            said = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError):
            return None
        return (begun + wall_clock()) / 2 - said

    async def quota(self) -> Quota:
        """This month's limit and use."""
        limit = await self._get_json("/v2/bot/message/quota")
        used = await self._get_json("/v2/bot/message/quota/consumption")
        try:
            cap = None if limit["type"] == "none" else int(limit["value"])
            return Quota(cap, int(used["totalUsage"]))
        except (KeyError, TypeError, ValueError):
            raise TemporaryFailure(Reason.UNREADABLE, "LINEの配信数の応答を読み取れませんでした。") from None

    async def create_rich_menu(self, menu: dict[str, Any]) -> str:
        """The id of the new rich menu; it shows nowhere before it has an image and is made the default."""
        return str((await self._post_json("/v2/bot/richmenu", menu))["richMenuId"])

    async def upload_rich_menu_image(self, rich_menu_id: str, png: bytes) -> None:
        """Give a rich menu its picture (PNG, at most 1 MB, the size that the menu states)."""
        url = f"{self._data_base}/v2/bot/richmenu/{rich_menu_id}/content"
        headers = {**self._authorization, "Content-Type": "image/png"}
        check(await self._http.request("POST", url, headers=headers, body=png))

    async def set_default_rich_menu(self, rich_menu_id: str) -> None:
        """Show this rich menu to every friend who has none of their own."""
        check(await self.post(f"/v2/bot/user/all/richmenu/{rich_menu_id}", b""))

    async def has_rich_menu_image(self, rich_menu_id: str) -> bool:
        """Whether its picture was uploaded; without one it cannot be shown."""
        url = f"{self._data_base}/v2/bot/richmenu/{rich_menu_id}/content"
        answer = await self._http.request("GET", url, headers=self._authorization)
        if answer.status in (200, 404):
            return answer.status == 200
        check(answer)
        return False

    async def set_rich_menu_alias(self, alias: str, rich_menu_id: str) -> None:
        """Let an alias lead to this rich menu, whether it is there already or not."""
        path = f"/v2/bot/richmenu/alias/{alias}"
        try:
            await self._post_json(path, {"richMenuId": rich_menu_id})
        except BatchRefused as error:
            if error.reason != Reason.NOT_FOUND:
                raise
            await self._post_json(
                "/v2/bot/richmenu/alias", {"richMenuAliasId": alias, "richMenuId": rich_menu_id}
            )

    async def default_rich_menu(self) -> str:
        """The id of the menu that every friend without one of their own sees, "" for none."""
        try:
            return str((await self._get_json("/v2/bot/user/all/richmenu")).get("richMenuId", ""))
        except BatchRefused as error:
            if error.reason == Reason.NOT_FOUND:
                return ""
            raise

    async def list_rich_menus(self) -> list[dict[str, Any]]:
        """The rich menus made through the API, as LINE describes them."""
        found = (await self._get_json("/v2/bot/richmenu/list")).get("richmenus", [])
        return [menu for menu in found if isinstance(menu, dict)]

    async def delete_rich_menu(self, rich_menu_id: str) -> None:
        """Remove a rich menu."""
        check(await self._call("DELETE", f"/v2/bot/richmenu/{rich_menu_id}"))

    async def link_rich_menu(self, rich_menu_id: str, user_ids: Sequence[str]) -> None:
        """Show up to 500 friends this menu instead of the default one; LINE does it in the background."""
        await self._post_json(
            "/v2/bot/richmenu/bulk/link", {"richMenuId": rich_menu_id, "userIds": list(user_ids)}
        )

    async def close(self) -> None:
        """Let connections go."""
        await self._http.close()

    async def _call(self, method: str, path: str) -> HttpAnswer:
        return await self._http.request(method, self._api_base + path, headers=self._authorization)

    async def _get_json(self, path: str) -> dict[str, Any]:
        answer = await self._call("GET", path)
        check(answer)
        return decode(answer)

    async def _post_json(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        answer = await self.post(path, encode(content))
        check(answer)
        return decode(answer)


def encode(content: Any) -> bytes:
    """Compact UTF-8 JSON: half the bytes of escaped Japanese."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

"""The invitation to friends who were taken in from LINE's list: once, by multicast, with the buttons to choose."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bot.line import bubbles, greetings
from bot.line.bubbles import Message
from bot.line.choices import first_preferences
from bot.service import Service
from channels.channel import BatchRefused
from channels.line.answers import check
from channels.line.api import LineApi, encode
from content.ledger import friend_invitations
from content.ledger.friend_invitations import InvitationBatch
from content.register.address_book import open_addresses
from content.town import Town

MULTICAST = "/v2/bot/message/multicast"
WORDS = {
    "ja": "{town}です。いつも友だちでいてくださり、ありがとうございます。受け取るお知らせを選べるようになりました。"
    "選ばないときは、避難など命に関わるお知らせだけをお届けします。",
    "ja-easy": "{town}です。友（とも）だちに なってくれて ありがとうございます。ほしい お知（し）らせを えらべます。"
    "えらばないときは、命（いのち）を 守（まも）る お知（し）らせだけ 来（き）ます。",
    "en": "This is {town}. Thank you for being our friend on LINE. You can now choose which notices you want. "
    "If you choose none, only evacuation orders and other life-saving notices are sent.",
}


def invitation(town: Town, language: str) -> list[Message]:
    words = WORDS.get(language, WORDS["en"]).format(town=town.name_in(language))
    return [bubbles.text_message(words), greetings.start(first_preferences(town, language))]


async def send_invitations(
    service: Service, api: LineApi, account: str, on_batch: Callable[[int], None] = lambda sent: None
) -> int:
    """Send what is planned and not sent yet; how many it went to.

    Raises ChannelError when LINE takes nothing just now: a second run goes on with the same retry keys.
    """
    async with service.database.read() as connection:
        waiting = await friend_invitations.to_send(connection, account)
    sent = 0
    for batch in waiting:
        sent += await _send(service, api, account, batch)
        on_batch(sent)
    return sent


async def _send(service: Service, api: LineApi, account: str, batch: InvitationBatch) -> int:
    opened = await service.database.read_step(
        partial(open_addresses, keys=service.keys, account=account, subscriber_ids=batch.recipients)
    )
    # Whoever has left since is not written to.
    to = [clear for clear, _ in opened.clear.values() if clear]
    refused = ""
    if to:
        body = encode({"to": to, "messages": invitation(service.town, batch.language)})
        answer = await api.post(MULTICAST, body, {"X-Line-Retry-Key": batch.retry_key})
        try:
            check(answer)
        except BatchRefused as error:
            refused = error.reason
    async with service.database.write() as connection:
        await friend_invitations.settle(connection, batch.id, at=service.database.now(), refused=refused)
    return 0 if refused else len(to)

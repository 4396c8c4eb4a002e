"""Whether a link in the words of a notice can be opened: asked once, for a short time, without following it."""

from __future__ import annotations

from typing import Literal

from channels.channel import ChannelError
from channels.reasons import Reason

# "" answers; dead: there is no such page or host; private: it leads into an internal network.
LinkAnswer = Literal["", "dead", "private", "unasked"]
MAX_WAIT = 2.0
# Other refusals may be meant for programs alone, such as 403.
GONE = (404, 410)
HEADERS = {"User-Agent": "kairanban (link check)", "Accept": "*/*"}


async def ask_link(url: str, *, allow_private: bool = False) -> LinkAnswer:
    """What a browser would find there. Never raises for an answer that does not come."""
    # Here, since most commands never open a connection and aiohttp takes its time.
    from channels.http import HttpClient, PrivateAddress, UnusableUrl

    client = HttpClient(
        timeout=MAX_WAIT, connect_timeout=MAX_WAIT, connections=1, allow_private=allow_private
    )
    try:
        answer = await client.request("GET", url, headers=HEADERS, answer_limit=1)
    except PrivateAddress:
        return "private"
    except UnusableUrl:
        return "dead"
    except ChannelError as error:
        return "dead" if error.reason == Reason.UNREACHABLE else "unasked"
    finally:
        await client.close()
    return "dead" if answer.status in GONE or answer.status >= 500 else ""

"""How long a connection stands before a domain that says nothing, by a clock that jumps."""

import asyncio
from typing import Any, cast

import pytest

from channels.mail.smtp_errand import Envelope, Loss, Reply, Stage
from channels.mail.smtp_session import SLOW, SmtpSession
from tests.virtual_time import run_virtually


class Silent:
    """A server that is heard for the last time at `answers_at`, and the errand of one mail."""

    def __init__(self, answers_at: float) -> None:
        self.answers_at = answers_at
        self.lost_at = 0.0
        self._mails = [Envelope("town@example.jp", "reader@example.jp", b"x")]

    def next(self, *, behind: bool) -> Envelope | None:
        return self._mails.pop() if self._mails else None

    def accept(self) -> None:
        raise AssertionError

    def refuse(self, stage: Stage, reply: Reply) -> bool:
        raise AssertionError

    def may_write(self) -> bool:
        return True

    def withdraw(self) -> None:
        raise AssertionError

    def may_wait(self) -> bool:
        return False

    def lose(self, loss: Loss) -> None:
        assert loss.at_recipient and loss.stalled
        self.lost_at = asyncio.get_running_loop().time()

    def write(self, data: bytes) -> None:
        if data.startswith(b"MAIL"):
            asyncio.get_running_loop().call_at(self.answers_at, self.session.data_received, b"250 fine\r\n")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.session = cast(SmtpSession, protocol)

    def abort(self) -> None:
        pass


@pytest.mark.parametrize("answers_at", [0.0, 0.05, 0.3, SLOW, 1.2])
def test_a_silence_at_a_recipient_is_noticed_when_it_is_too_long_and_not_at_the_next_look(
    answers_at: float,
) -> None:
    async def story() -> None:
        silent = Silent(answers_at)
        session = SmtpSession(timeout=30.0, stall=5.0, pipelining=False, size=0)
        session.attach(cast(Any, silent))
        session.begin(silent)
        await asyncio.sleep(10)
        assert silent.lost_at - answers_at == pytest.approx(SLOW, abs=0.001)

    run_virtually(story())

"""The Message-ID of a mail: the same when it is repeated, and never that of another mail, whatever database it comes from."""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from bot.accounts import channels_by_account
from bot.settings import MailSettings, Settings
from channels.channel import Recipient
from channels.mail.channel import MailChannel
from content.database.identity import new_identity, new_salt
from content.keys import Keys
from tests.channels.announcements import FLOOD
from tests.factories import SHIBATA, create_town

KEYS = Keys({1: b"k" * 32})
READER = Recipient(17, "parent@example.jp", new_salt())


def message_id(
    keys: Keys,
    recipient: Recipient = READER,
    *,
    version_id: int = FLOOD.version_id,
    public_id: str = "0123456789ab",
) -> str:
    settings = Settings(
        town=SHIBATA,
        mail=MailSettings(
            smtp_url=SecretStr("smtp://127.0.0.1:1"), sender="柴田町 <oshirase@town.example.jp>"
        ),
    )
    channel = channels_by_account(settings, keys)(create_town().account["mail"])
    assert isinstance(channel, MailChannel)
    template = channel.prepare(replace(FLOOD, version_id=version_id, public_id=public_id), "ja")
    head = channel._writer(template)(recipient, recipient.address).content.split(b"\r\n\r\n")[0]
    (found,) = [line for line in head.decode().split("\r\n") if line.startswith("Message-ID: ")]
    return found


def test_a_repeated_mail_bears_the_same_message_id() -> None:
    keys = KEYS.bound_to(new_identity())
    assert message_id(keys) == message_id(keys)


def test_another_database_notice_version_or_registration_bears_another() -> None:
    """Numbers come again after a restore or a move; servers that de-duplicate would drop the second mail."""
    keys = KEYS.bound_to(new_identity())
    others = [
        message_id(KEYS.bound_to(new_identity())),
        message_id(Keys({1: b"o" * 32}).bound_to(new_identity())),
        message_id(keys, version_id=FLOOD.version_id + 1),
        # The same numbers as in a copy of long ago, drawn anew since.
        message_id(keys, public_id="ba9876543210"),
        message_id(keys, READER._replace(salt=new_salt())),
        message_id(keys, READER._replace(subscriber_id=18)),
    ]
    assert len({message_id(keys), *others}) == 1 + len(others)


def test_who_reads_a_message_id_cannot_make_a_link_to_unsubscribe_of_it() -> None:
    keys = KEYS.bound_to(new_identity())
    mark = message_id(keys).partition("@")[0].rpartition(".")[2]
    assert mark not in keys.sign("unsubscribe", "17", READER.salt)
    assert int(mark, 16) != READER.salt

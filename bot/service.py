"""What every part of the bot room shares: settings, town, database and keys of one running service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bot.accounts import channels_by_account
from bot.audit_keeping import line_keeper
from bot.belonging import bind
from bot.letters import letter_sender
from bot.monthly_sending import month_sender
from bot.operators import operator_teller
from bot.settings import Settings
from bot.staff_notes import note_sender
from content.clock import DAY
from content.database import Database
from content.keys import Keys, load_keys
from content.notices.records import take_in_profile, town_now
from content.schema import require_current
from content.town import Town, TownProfileError, load_town
from scheduler.town_context import TownContext

# Languages beside those that the code brings.
TRANSLATIONS = Path(__file__).parent / "translations"


@dataclass(frozen=True, slots=True)
class Service:
    """One town's service."""

    settings: Settings
    context: TownContext

    @property
    def town(self) -> Town:
        return self.context.town

    @property
    def database(self) -> Database:
        return self.context.database

    @property
    def keys(self) -> Keys:
        return self.context.keys

    def with_town(self, town: Town) -> Service:
        """The same service as it stands with this town's records."""
        return replace(self, context=replace(self.context, town=town))


async def open_service(settings: Settings) -> Service:
    """Raises TownProfileError, KeyFileError, WrongDatabase or SchemaMismatch, each with its remedy."""
    if any(TRANSLATIONS.glob("*.toml")):
        # It knows the words of everything, which most commands need not.
        from bot.translations import take_in

        take_in()
    town = load_town(settings.town)
    refuse_shared_credentials(town)
    keys = load_keys(settings.secret_key_file)
    database = Database(settings.database_url.get_secret_value())
    try:
        await require_current(database)
        await database.ask_time()
        keys = await bind(database, town, keys)
        await take_in_profile(database, town, database.now())
        async with database.read() as connection:
            town = await town_now(connection, town)
    except BaseException:
        await database.close()
        raise
    return Service(settings, open_town_context(settings, town, database, keys))


def refuse_shared_credentials(town: Town) -> None:
    """Two accounts of a channel would send with the same credentials: a drill account with the live ones.

    Raises TownProfileError. Webhooks carry their own secret in each address.
    """
    for channel in ("line", "mail"):
        keys = [account.key for account in town.accounts if account.channel == channel]
        if len(keys) > 1:
            raise TownProfileError(
                f"accounts: {' and '.join(keys)} would both send with the one set of {channel} credentials, "
                "so a drill would leave through the live account. Keep one account per channel; to allow "
                'drills through it write also_carries = ["drill"]'
            )


def open_town_context(settings: Settings, town: Town, database: Database, keys: Keys) -> TownContext:
    context = TownContext(
        town=town,
        database=database,
        keys=keys,
        channel_of=channels_by_account(settings, keys),
        notice_url=lambda public_id: f"{settings.public_url}/n/{public_id}",
        keep_recipients=settings.keep_recipients_days * DAY,
        tell_operators=operator_teller(settings),
        send_letter=letter_sender(settings, town),
        send_note=note_sender(settings, town),
    )
    return replace(
        context,
        send_month=month_sender(settings, context),
        keep_audit_line=line_keeper(settings, town.name),
    )

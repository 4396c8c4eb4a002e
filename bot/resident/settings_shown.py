"""How the page of settings shows what is set: the address, the pause and the quiet hours."""

from __future__ import annotations

from datetime import date

from bot.resident.settings_words import SettingsWords, words_for
from content import quiet_hours
from content.register import addresses
from content.register.subscribers import UNTIL_CHANGED, Preferences
from content.town import Town

SPANS = ("20-7", "21-7", "22-6", "23-6")


def shown_address(town: Town, account: str, plain: str) -> str:
    """Her address, enough to know it again; nobody knows her own id of LINE."""
    if account in town.account and town.account[account].channel == "line":
        return "LINE"
    return addresses.masked("mail", plain) if plain else ""


def pause_choice(preferences: Preferences, today: date) -> str:
    if not preferences.is_paused(today):
        return "none"
    return "open" if preferences.paused_until == UNTIL_CHANGED else "until"


def spans_of(own: str, words: SettingsWords) -> list[tuple[str, str]]:
    """(value, words) of the quiet hours to choose from, her own among them."""
    values = sorted(
        {*SPANS, own} - {"", quiet_hours.NONE}, key=lambda span: quiet_hours.hours(span) or (0, 0)
    )
    return [(value, hours_words(value, words)) for value in values]


def hours_words(text: str, words: SettingsWords) -> str:
    found = quiet_hours.hours(text)
    if words is words_for("ja"):
        return quiet_hours.in_words(text)
    return "–" if found is None else f"{found[0]}:00–{found[1]}:00"


def clock_time(day_time: str) -> str:
    """7:30 of 07:30."""
    return day_time.removeprefix("0")

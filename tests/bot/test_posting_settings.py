"""What accounts that post need of the settings, and what must not be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.posting import missing_of, shared_credentials
from bot.settings import Settings
from content.town import Account
from tests.factories import SHIBATA, create_town

LIVE = Account(key="masto", channel="mastodon")
DRILL = Account(key="masto-drill", channel="mastodon", mode="drill")


def settings(**accounts: Any) -> Settings:
    return Settings(town=SHIBATA, accounts=accounts)


def test_what_is_empty_is_named_as_it_is_written_in_the_environment():
    found = missing_of(settings(masto={"token": "a"}), [LIVE])
    assert found == {"masto": ["KAIRANBAN_ACCOUNTS__MASTO__API_BASE"]}


def test_a_drill_with_the_credentials_of_the_live_account_is_refused():
    same = {"api_base": "https://m.example.jp", "token": "a"}
    known = settings(**{"masto": same, "masto-drill": same})
    assert "masto and masto-drill" in shared_credentials(known, [LIVE, DRILL])
    apart = settings(**{"masto": same, "masto-drill": {**same, "token": "b"}})
    assert shared_credentials(apart, [LIVE, DRILL]) == ""


def test_secrets_are_masked_when_the_settings_are_shown():
    assert "geheim" not in str(settings(masto={"token": "geheim"}).model_dump(mode="json"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"also_carries": ["drill"]},
        {"categories": ["nonsense"]},
        {"language": "fr"},
        {"parts": 0},
    ],
    ids=["drills through a live account", "no such category", "no such language", "no post"],
)
def test_a_profile_with_an_account_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError, match="masto"):
        create_town(accounts=[{"key": "masto", "channel": "mastodon", **wrong}])


def test_an_account_with_readers_has_no_topic():
    with pytest.raises(ValidationError, match="accounts that post"):
        create_town(accounts=[{"key": "line", "channel": "line", "topic": "公式"}])

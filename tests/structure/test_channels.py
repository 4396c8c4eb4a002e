"""A channel is known in every place that needs to know it, as CONTRIBUTING.md lists them."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.accounts import channels_by_account
from bot.console.words import channel_words
from bot.posting import NEEDED
from bot.settings import MailSettings, Settings
from content.accounts import POSTING
from content.keys import Keys
from content.register.addresses import BadAddress, normalise
from content.town import Account, ChannelName, load_town
from tests.channels import posting

ROOT = Path(__file__).parents[2]
SHIBATA = ROOT / "examples" / "shibata.toml"
CHANNELS = get_args(ChannelName)
WITH_READERS = [name for name in CHANNELS if name not in POSTING]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_channel_has_a_folder_and_every_folder_is_a_channel():
    folders = {path.parent.name for path in (ROOT / "channels").glob("*/channel.py")}
    files = {name for name in POSTING if (ROOT / "channels" / f"{name}.py").is_file()}
    assert folders | files == set(CHANNELS)


@pytest.mark.parametrize("name", CHANNELS)
def test_staff_read_a_name_for_it(name):
    assert channel_words(name) != name


@pytest.mark.parametrize("name", CHANNELS)
async def test_its_account_opens_this_channel_and_no_other(name):
    mail = MailSettings.model_validate({"smtp_url": "smtp://127.0.0.1:1", "from": "town@example.jp"})
    channel_of = channels_by_account(Settings(town=SHIBATA, mail=mail), Keys({1: b"k" * 32}))
    channel = channel_of(Account(key="account", channel=name))
    assert channel.name == name
    await channel.open().close()


async def test_an_account_of_a_channel_that_nobody_knows_goes_out_by_no_other():
    channel_of = channels_by_account(Settings(town=SHIBATA), Keys({1: b"k" * 32}))
    known = Account(key="account", channel="webhook")
    unknown = known.model_copy(update={"channel": "pigeon"})
    with pytest.raises(KeyError):
        channel_of(unknown)


@pytest.mark.parametrize("name", WITH_READERS)
def test_its_addresses_are_checked(name):
    with pytest.raises(BadAddress) as refused:
        normalise(name, "")
    assert "unknown channel" not in str(refused.value)


@pytest.mark.parametrize("name", CHANNELS)
def test_it_keeps_what_every_channel_keeps(name):
    text = (ROOT / "tests" / "channels" / "test_conformance.py").read_text(encoding="utf-8")
    parameters = re.findall(r"params=\[(.+?)\]", text)
    posts = "*posting.NAMES" if name in POSTING else f'"{name}"'
    assert parameters and all(posts in found for found in parameters)
    assert name not in POSTING or name in posting.NAMES


@pytest.mark.parametrize("name", sorted(POSTING))
def test_where_it_posts_there_is_a_stand_in_and_the_example_shows_how(name):
    assert (ROOT / "sandbox" / "sns" / f"{name}.py").is_file()
    assert f'# channel = "{name}"' in SHIBATA.read_text(encoding="utf-8")
    assert name in NEEDED


def test_the_accounts_that_the_example_shows_are_such_as_a_town_can_have(tmp_path):
    lines = SHIBATA.read_text(encoding="utf-8").split("\n")
    begin = next(place for place, line in enumerate(lines) if line == "# [[accounts]]")
    end = next(place for place in range(begin, len(lines)) if not lines[place].startswith("#"))
    lines[begin:end] = [line.removeprefix("#").removeprefix(" ") for line in lines[begin:end]]
    profile = tmp_path / "town.toml"
    profile.write_text("\n".join(lines), encoding="utf-8")
    assert {item.channel for item in load_town(profile).accounts} == set(CHANNELS)


@pytest.mark.parametrize("name", WITH_READERS)
def test_it_has_a_stand_in_and_the_example_town_uses_it(name):
    assert (ROOT / "sandbox" / name).is_dir()
    assert name in load_town(SHIBATA).channels


def test_the_files_that_the_guide_names_are_there():
    named = re.findall(r"`((?:bot|channels|content|docs|examples|sandbox|scheduler|tests)/[^`\s]+)`", GUIDE)
    assert len(named) > 20
    assert not [path for path in named if "NAME" not in path and not (ROOT / path).exists()]

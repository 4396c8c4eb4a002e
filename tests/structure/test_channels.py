"""A channel is known in every place that needs to know it, as CONTRIBUTING.md lists them."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.console.words import channel_words
from content.register.addresses import BadAddress, normalise
from content.town import ChannelName, load_town

ROOT = Path(__file__).parents[2]
CHANNELS = get_args(ChannelName)
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_channel_has_a_folder_and_every_folder_is_a_channel():
    folders = {path.parent.name for path in (ROOT / "channels").glob("*/channel.py")}
    assert folders == set(CHANNELS)


@pytest.mark.parametrize("name", CHANNELS)
def test_staff_read_a_name_for_it(name):
    assert channel_words(name) != name


@pytest.mark.parametrize("name", CHANNELS)
def test_its_addresses_are_checked(name):
    with pytest.raises(BadAddress) as refused:
        normalise(name, "")
    assert "unknown channel" not in str(refused.value)


@pytest.mark.parametrize("name", CHANNELS)
def test_it_keeps_what_every_channel_keeps(name):
    text = (ROOT / "tests" / "channels" / "test_conformance.py").read_text(encoding="utf-8")
    parameters = re.findall(r"params=\[(.+?)\]", text)
    assert parameters and all(f'"{name}"' in found for found in parameters)


@pytest.mark.parametrize("name", CHANNELS)
def test_it_has_a_stand_in_and_the_example_town_uses_it(name):
    assert (ROOT / "sandbox" / name).is_dir()
    assert name in load_town(ROOT / "examples" / "shibata.toml").channels


def test_the_files_that_the_guide_names_are_there():
    named = re.findall(r"`((?:bot|channels|content|docs|examples|sandbox|scheduler|tests)/[^`\s]+)`", GUIDE)
    assert len(named) > 20
    assert not [path for path in named if "NAME" not in path and not (ROOT / path).exists()]

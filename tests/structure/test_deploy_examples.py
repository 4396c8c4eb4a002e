"""The examples for running it (settings, systemd, reverse proxies) fit the service: they are read here, since nobody starts them."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from bot.accounts import missing_settings, unsafe_links
from bot.cli import COMMANDS
from bot.door.body_limits import body_limit
from bot.door.descriptors import WANTED
from bot.settings import Settings
from content.town import load_town
from tests.factories import SHIBATA

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
NGINX, CADDY = DEPLOY / "nginx.conf", DEPLOY / "Caddyfile"
# What they mean by one, in bytes.
MEGABYTE = {"nginx.conf": 2**20, "Caddyfile": 10**6}
# Seconds that a process takes to end at the most.
ENDS_WITHIN = 5


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser


def test_the_sample_of_settings_is_taken_and_lacks_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kairanban.toml").write_bytes((DEPLOY / "kairanban.toml").read_bytes())
    settings = Settings()
    assert missing_settings(settings, load_town(SHIBATA)) == []
    assert unsafe_links(settings, load_town(SHIBATA)) == ""
    assert settings.web.trusted_proxies and settings.alarms.mail_to


def test_the_lines_that_are_commented_out_are_taken_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DEPLOY / "kairanban.toml").read_text(encoding="utf-8")
    whole = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    assert len(tomllib.loads(whole)["web"]) > len(tomllib.loads(text)["web"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kairanban.toml").write_text(whole, encoding="utf-8")
    Settings()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_there_is_as_nobody_special(path: Path) -> None:
    service = unit(path)["Service"]
    (command,) = re.findall(r"\.venv/bin/kairanban (\w+)", service["ExecStart"])
    assert command in COMMANDS
    assert service["User"] == "kairanban" and service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict" and service["UMask"] == "0077"
    if service.get("Type") == "exec":
        assert int(service["LimitNOFILE"]) >= WANTED
        assert int(service["TimeoutStopSec"]) > ENDS_WITHIN
        assert service["Restart"] == "always"


def test_a_proxy_passes_on_who_it_is_and_never_what_a_visitor_claims() -> None:
    assert "X-Forwarded-For $remote_addr;" in NGINX.read_text(encoding="utf-8")
    assert "X-Forwarded-For {remote_host}" in CADDY.read_text(encoding="utf-8")
    for path in (NGINX, CADDY):
        text = path.read_text(encoding="utf-8")
        assert Settings.model_fields["web"].default.listen in text
        assert "readyz" in text and "metrics" in text
        (largest,) = re.findall(r"(?:client_max_body_size|max_size) (\d+)", text)
        assert int(largest) * MEGABYTE[path.name] >= body_limit("/console/notices/picture")


def test_the_documents_name_every_example() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for path in DEPLOY.iterdir():
        assert path.relative_to(ROOT).as_posix() in manual, path.name

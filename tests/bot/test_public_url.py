"""Links in mail lead to residents' own screens: by https, or nothing is sent."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bot.accounts import unsafe_links
from bot.settings import Settings, WebSettings
from content.town import Town
from tests.factories import SHIBATA


def settings(public_url: str) -> Settings:
    return Settings(town=SHIBATA, web=WebSettings(public_url=public_url))


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "http://oshirase.example.jp",
        "http://192.168.1.5:8080",
        "http://10.0.0.1",
        "https://",
        "ftp://127.0.0.1",
        "oshirase.example.jp",
        "http://127.0.0.1.example.jp",
        "//127.0.0.1",
    ],
)
def test_a_town_with_mail_needs_an_https_address(town: Town, public_url: str) -> None:
    assert "KAIRANBAN_WEB__PUBLIC_URL" in unsafe_links(settings(public_url), town)


@pytest.mark.parametrize(
    "public_url",
    [
        "https://oshirase.example.jp",
        "https://a.jp/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
    ],
)
def test_https_or_a_loopback_address_that_is_written_out_will_do(town: Town, public_url: str) -> None:
    assert unsafe_links(settings(public_url), town) == ""


def config_check(tmp_path: Path, files: int | None = None, **changed: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")}

    def fewer() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "config", "check"],
        env={**kept, "KAIRANBAN_TOWN": str(SHIBATA), **changed},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=fewer,
    )
    return done.returncode, done.stderr


def test_config_check_refuses_mail_without_https(tmp_path: Path) -> None:
    code, err = config_check(tmp_path)
    assert code == 2 and "https" in err
    code, err = config_check(tmp_path, KAIRANBAN_WEB__PUBLIC_URL="https://oshirase.example.jp")
    assert code == 0, err


def test_config_check_refuses_a_machine_with_too_few_descriptors(tmp_path: Path) -> None:
    code, err = config_check(tmp_path, 128, KAIRANBAN_WEB__PUBLIC_URL="https://oshirase.example.jp")
    assert code == 2 and "128 files" in err and "LimitNOFILE" in err

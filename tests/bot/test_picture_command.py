"""`kairanban notice post` with pictures and a place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests import picture_files as files

Run = Callable[..., Result]
POST = ("notice", "post", "--category", "kosodate", "--title", "給水のお知らせ", "--channel", "webhook")
WORDS = ("--body", "船岡公民館で給水します。10時から始めます。", "--reason", "試し", "--json")


@pytest.fixture
def run(command_line: Run, tmp_path: Path) -> Run:
    (tmp_path / "a.jpg").write_bytes(files.photo())
    (tmp_path / "b.png").write_bytes(files.png())
    (tmp_path / "page.png").write_bytes(b"<html>")
    return command_line


def test_pictures_and_a_place_are_posted_and_told(run: Run) -> None:
    shown = ("--picture", "a.jpg", "--alt", "給水車の写真", "--picture", "b.png", "--alt", "給水所の地図")
    place = ("--place", "船岡公民館", "--address", "船岡中央1-1", "--point", "38.0561,140.7653")
    posted = run(*POST, *WORDS, *shown, *place, "--at", "2090-04-01T10:00", "--until", "2090-04-02")
    assert posted.exit_code == 0, posted.stderr
    told = json.loads(posted.stdout)
    assert [item["alt"] for item in told["pictures"]] == [{"ja": "給水車の写真"}, {"ja": "給水所の地図"}]
    assert told["pictures"][0]["url"].startswith(f"{told['url']}/")
    assert told["place"]["label"] == "船岡公民館" and told["place"]["latitude"] == 38.0561
    assert told["expires_at"].startswith("2090-04-02T23:59")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--picture", "a.jpg"), "--alt: 1 pictures take 1 descriptions"),
        (("--picture", "a.jpg", "--alt", ""), "画像の説明がありません"),
        (("--picture", "page.png", "--alt", "給水車の写真"), "page.png: JPEGかPNG"),
        (("--picture", "none.png", "--alt", "給水車の写真"), "none.png"),
        (("--place", "公民館"), "--place and --point belong together"),
        (("--place", "公民館", "--point", "駅前"), "--point: 位置を読み取れません"),
        (("--place", "公民館", "--point", "140.7,38.0"), "緯度と経度が逆"),
        (
            ("--picture", "a.jpg", "--alt", "給水車の写真", "--channel", "line"),
            "pictures: LINEは、https:// で始まるアドレスの画像だけ",
        ),
        (("--picture", "b.png", "--alt", "IMG_2041.png", "--at", "2090-04-01T10:00"), "picture-alt-poor"),
    ],
)
def test_what_cannot_be_shown_names_its_flag_and_stores_nothing(
    run: Run, flags: tuple[str, ...], says: str
) -> None:
    refused = run(*POST, *WORDS, *flags)
    assert refused.exit_code == 2, refused.output
    assert says in refused.stderr + refused.stdout
    assert run("notice", "show", "1").exit_code == 1

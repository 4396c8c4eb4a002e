"""A notice as a file: by the usual mapping, that of the example, and those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import Result

from bot.outlets.current import Current, as_current
from bot.outlets.export import USUAL, Mapping, MappingRefused, as_text, as_xml, read_mapping, wrapped
from bot.service import Service
from content.clock import today_jst
from content.notices import notices
from tests.bot.resident.test_pages import TEXTS, publish

EXAMPLE = Path(__file__).parents[3] / "examples" / "mappings" / "broadcast.toml"


async def item_of(service: Service, **changes: object) -> Current:
    number = await publish(service, **changes)
    async with service.database.read() as connection:
        found = await notices.get(connection, number)
        (item,) = await as_current(service, connection, [found])
    return item


async def test_the_example_makes_the_files_that_it_says(service: Service) -> None:
    item, mapping = await item_of(service, urgency="urgent", texts=TEXTS), read_mapping(EXAMPLE)
    text = as_text(mapping, item).decode("cp932")
    assert text.startswith("災害・避難\r\n【緊急】避難してください\r\n\r\n川があふれます。\r\n")
    assert "\r\n\r\n\r\n" not in text
    root = ElementTree.fromstring(as_xml(mapping, item))
    assert root.tag == "oshirase" and root.findtext("kenmei_eigo") == "[URGENT] Evacuate now"
    assert root.findtext("honbun") == "川があふれます。\n<b>小学校</b>へ。"


async def test_a_drill_is_marked_in_files_too(service: Service) -> None:
    item = await item_of(service, mode="drill")
    assert "【訓練】" in as_text(USUAL, item).decode() and "【訓練】".encode() in as_xml(USUAL, item)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[text]\nlayout = 3", "text.layout"),
        ("[text]\nlayout = ''\nencoding = 'latin1'", "text.encoding"),
        ("[text]\nlayout = ''\nwidth = -1", "text.width"),
        ("[xml]\nroot = 'a b'\nelements = {a = ''}", "xml.root"),
        ("[xml]\nroot = 'a'\nelements = {'1' = ''}", "no name of an element"),
        ("[xml]\nroot = 'a'\nelements = {}", "xml.elements"),
        ("[other]", "other"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_named(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(written)
    with pytest.raises(MappingRefused, match=said):
        read_mapping(path)


async def test_what_a_file_cannot_say_is_refused_and_not_replaced(service: Service) -> None:
    item = await item_of(service, texts={"ja": ("花火🎆", "مرحبا")})
    mapping = Mapping.model_validate(
        {
            "text": {"layout": "{title}", "encoding": "cp932"},
            "xml": {"root": "a", "encoding": "cp932", "elements": {"t": "{title}", "b": "{body}"}},
        }
    )
    with pytest.raises(MappingRefused, match="🎆"):
        as_text(mapping, item)
    root = ElementTree.fromstring(as_xml(USUAL, item))
    assert root.findtext("title") == "花火🎆"
    assert "&#127878;" in as_xml(mapping, item).decode("cp932")
    with pytest.raises(MappingRefused, match="nothing that a notice has"):
        as_text(Mapping.model_validate({"text": {"layout": "{adress}"}}), item)
    with pytest.raises(MappingRefused, match="no \\[xml\\]"):
        as_xml(Mapping(), item)


def test_lines_are_as_wide_as_they_may_be() -> None:
    assert wrapped("あいうえお", 4) == ["あい", "うえ", "お"]
    assert wrapped("ab漢c", 3) == ["ab", "漢c"]
    assert wrapped("👨‍👩‍👧👨‍👩‍👧", 2) == ["👨‍👩‍👧", "👨‍👩‍👧"]
    assert wrapped("", 10) == [""]


def test_the_command_writes_a_notice_that_is_out_and_no_other(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    posted = (
        "notice",
        "post",
        "--category",
        "event",
        "--title",
        "花火",
        "--body",
        "4月11日の夜7時から、白石川の河原で花火を上げます。",
        "--channel",
        "line",
    )
    assert command_line("init", "--login", "admin", "--password-file", password(tmp_path)).exit_code == 0
    done = command_line(*posted, "--at", f"{today_jst() + timedelta(days=1)}T12:00")
    assert done.exit_code == 0, done.stderr
    early = command_line("notice", "export", "1")
    assert early.exit_code == 1 and "まだ出ていません" in early.stderr
    assert command_line("notice", "export", "99").exit_code == 1
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[other]")
    assert command_line("notice", "export", "1", "--mapping", str(wrong)).exit_code == 2


def password(folder: Path) -> str:
    path = folder / "password"
    path.write_text("himitsu-no-kotoba")
    return str(path)

"""Word calendars: what a spreadsheet writes is read, and what is doubtful is named with its line."""

from __future__ import annotations

from datetime import date

import pytest

from content.notices.calendars import CalendarError, WordCalendar, read_calendar

TABLE = "日付,病院,電話\r\n2026-12-31,船岡医院,0224-00-0001\r\n2027/1/1,槻木病院,0224-00-0002\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_table_is_read_as_spreadsheets_write_it(encoding: str) -> None:
    columns, days = read_calendar(TABLE.encode(encoding))
    assert columns == ("病院", "電話")
    assert days["2027-01-01"] == {"病院": "槻木病院", "電話": "0224-00-0002"}
    calendar = WordCalendar(key="doctor", name="当番医", columns=columns, days=days)
    assert calendar.words_of(date(2026, 12, 31)) == {"病院": "船岡医院", "電話": "0224-00-0001"}
    assert calendar.words_of(date(2026, 12, 30)) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "ファイルが空です"),
        ("病院,日付\n".encode(), "最初の列は「日付」"),
        ("日付\n2026-12-31\n".encode(), "項目の名前が空か"),
        ("日付,病院,病院\n".encode(), "同じ名前が2つ"),
        (
            "日付,病院\n2026-12-31,あ\n2026/12/31,い\n".encode(),
            "3行目の日付 2026-12-31 は、2行目にもあります",
        ),
        ("日付,病院\n2026-02-30,あ\n".encode(), "2行目の日付「2026-02-30」を読み取れません"),
        ("日付,病院\n12/31,あ\n".encode(), "2行目の日付「12/31」"),
        ("日付,病院\n2026-12-31,\n".encode(), "2行目の「病院」が空"),
        ("日付,病院\n2026-12-31,あ,い\n".encode(), "2行目の列の数が 3"),
        ("日付,病院\n".encode(), "日付の行がありません"),
        ("日付,病院\n2026-12-31,あ\n".encode("utf-16"), "文字コードを読み取れません"),
        (b"\xff\xfe\x00\x81", "文字コードを読み取れません"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(content: bytes, told: str) -> None:
    with pytest.raises(CalendarError, match=told):
        read_calendar(content)

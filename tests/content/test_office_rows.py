"""A table as an office has it is taken as the register's own: headings, orders, names, dates, what Excel does to them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.register import office_cells
from content.register.csv_files import decoded
from content.register.registration import Registration
from content.register.subscribers_csv import ImportRefused, read_rows, read_table
from content.town import Town
from tests.factories import PARENT, create_town, jst

TOWN = create_town()


def read(*lines: str) -> list[Registration]:
    return read_rows(io.StringIO("\n".join(lines), newline=""), TOWN)


def test_a_list_in_japanese_in_any_order_with_names_and_dates_as_people_write_them() -> None:
    category, area = TOWN.category["kosodate"], TOWN.area["funaoka"]
    one, other = read(
        "地区,メールアドレス,登録日,お知らせの種類,子どもの生まれ月,ことば,,",
        f"{area.name('ja')},Taro@example.jp,2019/4/1,{category.name('ja')}、event,令和３年４月;2023/11,英語,,",
        ",,,,,,,",
        ",hanako@example.jp,R1.5.1 9:30,,,,,",
    )
    assert (one.channel, one.account, one.registered_at) == ("mail", "mail", jst(2019, 4, 1))
    assert one.preferences.categories == {"kosodate", "event", "saigai"}
    assert one.preferences.areas == {"funaoka"}
    assert one.preferences.birth_months == {"2021-04", "2023-11"}
    assert one.preferences.language == "en"
    assert (other.registered_at, other.preferences.language) == (jst(2019, 5, 1, 9, 30), "ja")


def test_what_excel_puts_around_a_text_is_taken_off(town: Town) -> None:
    (found,) = read("配信手段,宛先,登録日", f'ＬＩＮＥ,"=""{PARENT.address}""",="2021/04/01"')
    assert (found.channel, found.address, found.registered_at) == ("line", PARENT.address, jst(2021, 4, 1))


def test_what_excel_saves_is_read_in_both_of_its_encodings() -> None:
    text = f"メールアドレス,地区\r\na@example.jp,{TOWN.area['funaoka'].name('ja')}\r\n"
    for encoding in ("cp932", "utf-8-sig", "utf-8"):
        found = decoded(text.encode(encoding))
        assert found is not None
        (one,) = read_rows(io.StringIO(found, newline=""), TOWN)
        assert one.preferences.areas == {"funaoka"}


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("氏名,メールアドレス", "「氏名」は使えません"),
        ("地区", "「宛先」の列がありません"),
        ("宛先,地区", "「配信手段」の列がありません"),
        ("配信手段,宛先,地区,areas", "2つあります"),
        ("a@example.jp,b", "この見出しは使えません"),
    ],
)
def test_a_heading_that_cannot_be_is_named_with_the_remedy(heading: str, words: str) -> None:
    with pytest.raises(ImportRefused, match=words) as refused:
        read(heading, "x,y")
    assert refused.value.problems[0].line == 1
    assert "a@example.jp" not in str(refused.value)


def test_bad_rows_are_set_aside_with_their_reason_and_the_good_ones_kept() -> None:
    lines = [
        "メールアドレス,地区",
        "a@example.jp,船岡",
        "not one,",
        "b@example.jp,Atlantis,more",
        "c@example.jp,",
    ]
    table = read_table(io.StringIO("\n".join(lines), newline=""), TOWN)
    assert [item.address for item in table.registrations][-1] == "c@example.jp"
    assert [(problem.line, problem.column) for _, problem in table.bad][:2] in (
        [(3, "address"), (4, "address")],
        [(2, "areas"), (3, "address")],
    )
    assert table.header == ("メールアドレス", "地区")


def test_a_column_of_reasons_from_the_last_time_is_no_obstacle() -> None:
    (found,) = read("メールアドレス,理由", "a@example.jp,3行目「宛先」: だめでした")
    assert found.address == "a@example.jp"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2019/4/1", "2019-04-01"),
        ("2019年4月1日", "2019-04-01"),
        ("2019.4.1 9:05", "2019-04-01T09:05:00"),
        ("令和元年5月1日", "2019-05-01"),
        ("Ｈ３１．４．１", "2019-04-01"),
        ("s64/1/7", "1989-01-07"),
        ("2026-04-01T00:30:00Z", "2026-04-01T00:30:00Z"),
        ("4月1日", "4月1日"),
        ("yesterday", "yesterday"),
        ("43556", "43556"),
    ],
)
def test_dates_come_to_one_form_or_stay_as_they_were(cell: str, moment: str) -> None:
    assert office_cells.moment(cell) == moment


def test_a_name_that_two_things_bear_leads_nowhere() -> None:
    names = {"a": {"ja": "西"}, "b": {"ja": "西"}, "c": {"ja": "東", "en": "East"}}
    assert office_cells.keys("西;ＥＡＳＴ、a", office_cells.by_name(names)) == "西;c;a"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_whatever_stands_in_a_file_is_read_or_refused_and_never_repeated(
    one: str, two: str, three: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["メールアドレス", "地区", "登録日"], [one, two, three]])
    table = read_table(io.StringIO(out.getvalue(), newline=""), TOWN)
    assert len(table.registrations) + len(table.bad) <= 1


def test_the_sample_is_taken_by_the_example_town() -> None:
    text = (Path(__file__).parents[2] / "examples" / "subscribers.csv").read_text(encoding="utf-8")
    one, other = read_rows(io.StringIO(text, newline=""), TOWN)
    assert one.registered_at == jst(2019, 4, 1)
    assert other.preferences.categories == {"saigai", "kosodate", "event"}
    assert other.preferences.birth_months == {"2021-04", "2023-11"}

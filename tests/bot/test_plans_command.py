"""Plans on the command line: in and out as TOML, wrong ones named, and the sheet as a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.bot.sheets_story import PLANS

Run = Callable[..., Result]
PLAN = '[[plans]]\nkey = "p"\nname = "計画"\nfirst_year = 2024\nlast_year = 2027\n'
INDICATOR = '[[indicators]]\nkey = "i"\nplan = "p"\nname = "指標"\n'


def test_three_towns_come_in_go_out_and_come_in_unchanged(command_line: Run, tmp_path: Path) -> None:
    for town in ("shibata", "shimotsuke", "toride"):
        dry = command_line("records", "import", str(PLANS / f"{town}.toml"), "--dry-run")
        assert dry.exit_code == 0 and "追加: plan" in dry.output
        assert command_line("records", "import", str(PLANS / f"{town}.toml")).exit_code == 0
    out = command_line("records", "export").stdout
    sections = tomllib.loads(out)
    assert len(sections["plans"]) == 3 and len(sections["policies"]) == 10 + 3 + 44
    card = next(item for item in sections["indicators"] if item["key"] == "my_number_cards")
    assert card["targets"]["2022"] == "80%" and card["targets"]["2021"]["as_of"] == "2022-01-01"
    line = next(item for item in sections["indicators"] if item["key"] == "line_registrations")
    assert line["targets"]["2019"] == "–" and line["actuals"][0]["text"] == "約2,800"
    again = tmp_path / "again.toml"
    again.write_text(out, encoding="utf-8")
    repeated = command_line("records", "import", str(again))
    assert repeated.exit_code == 0 and "追加" not in repeated.output and "変更" not in repeated.output
    assert command_line("records", "export").stdout == out
    told = json.loads(command_line("report", "sheet", "shibata-5", "--fiscal-year", "2022", "--json").stdout)
    rates = {row["policy"]: row["value"] for row in told["rows"] if row["part"] == "達成率"}
    assert rates["Ⅰ-1 モバイル端末アプリの活用"] == "約62.2%" and told["town_code"] == "043231"
    counted, *entered = json.loads(
        command_line("report", "indicators", "--fiscal-year", "2022", "--json").stdout
    )
    assert counted["indicator"] == "line_registrations" and counted["plan"] == "第5次柴田町情報化計画"
    years = {item["indicator"]: item["years"][0] for item in entered if item["years"]}
    assert (years["my_number_cards"]["actual"], years["my_number_cards"]["rate_percent"]) == (74.9, 93.6)
    assert years["web_accessibility"]["actual_text"] == "AAに一部準拠"
    assert "AAに一部準拠" in command_line("report", "indicators", "--csv").stdout
    assert "未達成" in command_line("report", "indicators", "--key", "security_incidents").stdout
    file = tmp_path / "sheet.xlsx"
    assert (
        command_line("report", "sheet", "toride-3", "--fiscal-year", "2017", "--out", str(file)).exit_code
        == 0
    )
    assert file.read_bytes().startswith(b"PK")
    wrong = command_line("report", "sheet", "shibata-5", "--fiscal-year", "26")
    assert wrong.exit_code == 2 and "2019〜2022 年度です(西暦4桁" in wrong.output
    unknown = command_line("report", "sheet", "nothing", "--fiscal-year", "2022")
    assert unknown.exit_code == 2 and "shibata-5(第5次柴田町情報化計画)" in unknown.output


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (PLAN.replace("2024", "26"), "年度は西暦4桁で書いてください(「26」ではなく"),
        (PLAN.replace("2027", "2023"), "終わりの年度は"),
        (
            PLAN + INDICATOR + 'targets = { "" = 200 }\n',
            "targets: 年度は西暦4桁で書いてください(「」ではなく",
        ),
        (PLAN + INDICATOR + "targets = { 26 = 200 }\n", "年度は西暦4桁で"),
        (PLAN + INDICATOR + "targets = { 2030 = 200 }\n", "計画の期間(2024–2027年度)にありません"),
        (PLAN + INDICATOR + 'targets = { 2024 = "1e9" }\n', "「1e9」は数として読めません"),
        (PLAN + INDICATOR + "targets = { 2024 = -1 }\n", "0 から 999,999,999 まで"),
        (PLAN + INDICATOR + "targets = { 2024 = 1e9 }\n", "0 から 999,999,999 まで"),
        (
            PLAN + INDICATOR + 'actuals = [{ year = 2024, text = "1" }, { year = 2024, text = "2" }]\n',
            "2024年度の実績が2つあります",
        ),
        (
            PLAN + INDICATOR + 'actuals = [{ year = 2024, text = "1", as_of = 2999-03-31 }]\n',
            "まだ来ていない日です",
        ),
        (PLAN + INDICATOR + 'actuals = [{ year = 2100, text = "1" }]\n', "まだ始まっていません"),
        (
            PLAN + INDICATOR + f'remarks = [{{ month = "2024-04", text = "{"長" * 5_000}" }}]\n',
            "500文字までにしてください",
        ),
        (INDICATOR, "計画「p」はありません"),
        (
            PLAN + '[[policies]]\nkey = "q"\nplan = "p"\nname = "施策"\nindicators = ["z"]\n',
            "指標「z」はありません",
        ),
        (PLAN + '[[sheets]]\nkey = "p-2024"\nplan = "p"\nyear = 2024\nentries = { z = {} }\n', "施策「z」は"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_changes(
    command_line: Run, tmp_path: Path, file: str, told: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(file, encoding="utf-8")
    refused = command_line("records", "import", str(path))
    assert refused.exit_code == 2 and told in refused.output.replace("\n", "")
    assert "[[plans]]" not in command_line("records", "export").stdout


def test_a_fiscal_year_of_two_digits_is_refused_by_the_report(command_line: Run) -> None:
    refused = command_line("report", "indicators", "--fiscal-year", "26")
    assert refused.exit_code == 2 and "西暦4桁" in refused.output


def test_a_chart_is_written_as_a_file(command_line: Run, tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    done = command_line("report", "indicators", "--key", "line_registrations", "--chart", str(chart))
    assert done.exit_code == 0 and "団体コード" in chart.read_text("utf-8")
    refused = command_line("report", "indicators", "--chart", str(tmp_path / "chart.gif"))
    assert refused.exit_code == 2 and "--key" in refused.output

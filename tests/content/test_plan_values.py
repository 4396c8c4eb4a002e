"""Values of a plan: kept as they are printed, and a number only where one stands."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from content.plans.models import Actual, PlanIndicator
from content.plans.values import Value


def indicator(**changes) -> PlanIndicator:
    return PlanIndicator.model_validate({"key": "k", "name": "登録の数", **changes})


@pytest.mark.parametrize(
    ("printed", "kept", "figure", "about", "bound"),
    [
        (2000, "2,000", 2000, "", ""),
        ("2,000", "2,000", 2000, "", ""),
        ("３，０００人", "3,000人", 3000, "", ""),
        ("約2,800", "約2,800", 2800, "約", ""),
        ("70名以上", "70名以上", 70, "", "以上"),
        ("(45.5 %)*", "(45.5 %)*", Decimal("45.5"), "", ""),
        ("13(国推奨データセットの公開)", "13(国推奨データセットの公開)", 13, "", ""),
        ("0件", "0件", 0, "", ""),
        ("11種類", "11種類", 11, "", ""),
        ("AA の維持", "AA の維持", None, "", ""),
        ("3,00", "3,00", None, "", ""),
        ("1e9", "1e9", None, "", ""),
        ("", "", None, "", ""),
        ("-", "–", None, "", ""),
        ("ー", "–", None, "", ""),
    ],
)
def test_what_is_printed_is_kept_and_its_number_is_read(printed, kept, figure, about, bound):
    value = Value.model_validate(printed)
    assert (value.text, value.figure, value.about, value.bound) == (kept, figure, about, bound)


def test_a_dash_and_a_blank_are_two_things():
    dash, blank = Value.model_validate("–"), Value.model_validate("")
    assert dash.is_dash and not dash.is_blank and blank.is_blank and not blank.is_dash and dash != blank


def test_words_that_hold_a_number_are_counted_only_when_it_is_given():
    assert Value(text="子育て関係(8)").figure is None
    assert Value(text="子育て関係(8)", number=Decimal(8)).figure == 8


@pytest.mark.parametrize("wrong", ["-5", -5, "1,000,000,000", 10**12, True])
def test_a_number_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError):
        Value.model_validate(wrong)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"targets": {26: 200}}, "年度は西暦4桁で書いてください(「26」ではなく"),
        ({"targets": {"": 200}}, "年度は西暦4桁で"),
        ({"targets": {2026: "たくさん"}}, "2026年度の目標「たくさん」は数として読めません"),
        ({"targets": {2026: "1e9"}}, "数として読めません"),
        (
            {"actuals": [{"year": 2022, "text": "5"}, {"year": 2022, "text": "6"}]},
            "2022年度の実績が2つあります",
        ),
        ({"actuals": [{"text": "5"}]}, "Field required"),
        ({"remarks": [{"month": "2022-04", "text": "あ" * 5_000}]}, "at most 500"),
        ({"remarks": [{"month": "2022-13", "text": "あ"}]}, "pattern"),
    ],
)
def test_what_cannot_be_is_refused_and_named(changes, told):
    with pytest.raises(ValidationError, match=r".*"):
        try:
            indicator(**changes)
        except ValidationError as error:
            assert told in str(error)
            raise


def test_words_are_a_value_of_an_indicator_in_words():
    found = indicator(kind="text", targets={2020: "AAの維持"})
    assert found.targets[2020].text == "AAの維持"


@given(
    st.one_of(
        st.integers(0, 999_999_999),
        st.sampled_from(["約2,800", "–", "", "(45.5%)*", "70名以上", "AAの維持", "１２"]),
    ),
    st.sampled_from(["", "注"]),
)
def test_a_value_goes_out_and_comes_in_unchanged(printed, note):
    value = Value.model_validate({"text": printed, "note": note})
    out = value.model_dump(mode="json", exclude_defaults=True)
    assert Value.model_validate(out) == value
    actual = Actual.model_validate({"year": 2022, "text": printed, "note": note})
    assert Actual.model_validate(actual.model_dump(mode="json", exclude_defaults=True)) == actual

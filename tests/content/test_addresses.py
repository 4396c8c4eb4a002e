"""What an address on each channel looks like, and that a refusal never repeats it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.register.addresses import BadAddress, lookup_part, normalise, normalise_sought

SECRET = "whsec_" + "A" * 32


def test_a_line_user_id_is_taken_as_it_is():
    assert normalise("line", "U" + "0af9" * 8) == "U" + "0af9" * 8


@pytest.mark.parametrize(
    "address",
    ["", "U123", "u" + "a" * 32, "U" + "A" * 32, "U" + "a" * 33, "U" + "g" * 32, "C" + "a" * 32],
)
def test_what_is_no_line_user_id_is_refused(address):
    with pytest.raises(BadAddress, match="32けた"):
        normalise("line", address)


def test_spaces_around_an_address_are_dropped():
    assert normalise("mail", " a@example.jp \n") == "a@example.jp"


def test_the_domain_of_a_mail_address_is_lowered_and_its_name_kept():
    assert normalise("mail", "Taro.Sato@Example.JP") == "Taro.Sato@example.jp"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hanako@docomo.ne.jp", "hanako@docomo.ne.jp"),
        ("Hanako@T.Vodafone.ne.jp", "hanako@t.vodafone.ne.jp"),
        ("Hanako@au.com", "hanako@au.com"),
        # Nobody knows whether these tell large letters from small ones.
        ("Hanako@plateau.com", "Hanako@plateau.com"),
        ("Hanako@example.jp", "Hanako@example.jp"),
        ("ｈａｎａｋｏ＠ｄｏｃｏｍｏ．ｎｅ．ｊｐ", "hanako@docomo.ne.jp"),
        ("花子@example.jp", "花子@example.jp"),
        ("hanako@しばた.例え.jp", "hanako@xn--68jq4c.xn--r8jz45g.jp"),
    ],
)
def test_an_address_is_found_however_a_phone_writes_it(typed, kept):
    assert normalise("mail", typed) == kept
    assert normalise("mail", kept) == kept


@pytest.mark.parametrize(
    "address",
    [
        "hana..ko@docomo.ne.jp",
        "hanako.@docomo.ne.jp",
        ".hanako@docomo.ne.jp",
        "-.-hanako-.-@ezweb.ne.jp",
        "a/b+c_d?e@example.jp",
        "taro@lg.town.shibata.miyagi.jp",
    ],
)
def test_the_addresses_that_old_phone_carriers_gave_out_are_taken(address):
    assert normalise("mail", address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hanako",
        "@example.jp",
        "hanako@",
        "hanako@localhost",
        "hana ko@example.jp",
        "hanako@example.jp\nBcc: all@example.jp",
        "hanako@example..jp",
        "花\u200b子@example.jp",
        "花" * 22 + "@example.jp",
        "a@b@example.jp",
        "<hanako@example.jp>",
        "hanako@example.jp,taro@example.jp",
        "x" * 65 + "@example.jp",
        "x@" + "a" * 60 + ("." + "b" * 60) * 4 + ".jp",
    ],
)
def test_what_is_no_mail_address_is_refused(address):
    with pytest.raises(BadAddress, match=r"name@example\.jp"):
        normalise("mail", address)


def test_a_webhook_is_a_url_and_a_secret():
    assert normalise("webhook", f"https://bus.example.jp/hook {SECRET}") == (
        f"https://bus.example.jp/hook {SECRET}"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://bus.example.jp/hook",
        "https://bus.example.jp/hook whsec_short",
        f"ftp://bus.example.jp/hook {SECRET}",
        f"https:///hook {SECRET}",
        f"bus.example.jp {SECRET}",
        f"https://bus.example.jp/hook  {SECRET}",
        f"https://[::1/hook {SECRET}",
        f"https://[bus]/hook {SECRET}",
    ],
)
def test_what_is_no_webhook_is_refused(address):
    with pytest.raises(BadAddress, match="URL、空白、秘密"):
        normalise("webhook", address)


def test_a_webhook_is_found_by_its_url_whatever_its_secret():
    other = "whsec_" + "B" * 32
    assert lookup_part("webhook", f"https://bus.example.jp/hook {SECRET}") == lookup_part(
        "webhook", f"https://bus.example.jp/hook {other}"
    )
    assert lookup_part("mail", "a@example.jp") == "a@example.jp"


@pytest.mark.parametrize(
    "typed", [" https://bus.example.jp/hook\n", f"https://bus.example.jp/hook {SECRET}\n"]
)
def test_a_webhook_is_sought_by_its_url_with_its_secret_or_without(typed):
    assert lookup_part("webhook", normalise_sought("webhook", typed)) == "https://bus.example.jp/hook"


@pytest.mark.parametrize("typed", ["", "bus.example.jp", "https://bus.example.jp/hook secret"])
def test_what_is_no_webhook_is_not_sought(typed):
    with pytest.raises(BadAddress):
        normalise_sought("webhook", typed)


def test_an_unknown_channel_names_those_that_reach_people():
    with pytest.raises(BadAddress, match="line, mail, webhook"):
        normalise("pigeon", "a@example.jp")


@given(st.sampled_from(["line", "mail", "webhook", "pigeon"]), st.text(min_size=8) | st.emails())
def test_a_refusal_never_repeats_the_address(channel, address):
    try:
        assert normalise(channel, address).strip()
    except BadAddress as refused:
        assert address.strip() == "" or address.strip() not in str(refused)


@given(st.sampled_from(["line", "mail", "webhook"]), st.from_regex(r"(https://\[?|a@)[\w.:\]/ ]*\Z"))
def test_a_normalised_address_stays_as_it_is(channel, address):
    try:
        once = normalise(channel, address)
    except BadAddress:
        return
    assert normalise(channel, once) == once


def test_a_webhook_may_have_two_secrets_while_one_replaces_the_other():
    both = f"https://bus.example.jp/hook {SECRET} whsec_{'B' * 32}"
    assert normalise("webhook", both) == both
    with pytest.raises(BadAddress):
        normalise("webhook", f"{both} {SECRET}")

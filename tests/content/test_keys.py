"""Sealed addresses, look-up hashes and tokens, all from one key file."""

import base64
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.key_file import KeyFileError, create_key_file
from content.key_ring import KeyRing
from content.keys import Keys, SealMisplaced, load_keys
from tests.factories import sealed_for_no_row

OLD, NEW = b"o" * 32, b"n" * 32
ADDRESS = "parent@example.jp"
ROW, OTHER_ROW = "address 17 mail", "address 18 mail"


def write_key_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def line(number, root):
    return f"{number} {base64.b64encode(root).decode()}\n"


def test_what_is_sealed_opens_again(keys):
    assert keys.open(keys.seal(ADDRESS, ROW), ROW) == ADDRESS


@given(st.text())
def test_any_text_can_be_sealed(plain):
    keys = Keys({1: OLD})
    assert keys.open(keys.seal(plain, ROW), ROW) == plain


def test_the_same_address_is_sealed_differently_each_time(keys):
    assert len({keys.seal(ADDRESS, ROW) for _ in range(20)}) == 20


def test_a_sealed_address_does_not_show_the_address(keys):
    assert b"parent" not in keys.seal(ADDRESS, ROW)


def test_after_a_key_is_in_force_old_seals_still_open_and_new_ones_use_it():
    sealed_before = Keys({1: OLD}).seal(ADDRESS, ROW)
    assert Keys({1: OLD, 2: NEW}).seal(ADDRESS, ROW)[1] == 1
    both = Keys({1: OLD, 2: NEW}, ring=KeyRing(sealing=2))
    assert both.open(sealed_before, ROW) == ADDRESS
    assert both.seal(ADDRESS, ROW)[1] == 2


def test_lookups_and_tokens_stay_the_same_when_a_key_is_added():
    one, both = Keys({1: OLD}), Keys({1: OLD, 2: NEW})
    assert one.lookup("mail", ADDRESS) == both.lookup("mail", ADDRESS)
    assert both.verify("unsubscribe", one.sign("unsubscribe", "17")) == "17"
    assert one.session_secret == both.session_secret


def test_a_seal_of_a_key_that_is_gone_says_which_key_is_missing():
    sealed = Keys({1: OLD, 2: NEW}, ring=KeyRing(sealing=2)).seal(ADDRESS, ROW)
    with pytest.raises(KeyFileError, match="key 2"):
        Keys({1: OLD}).open(sealed, ROW)


def test_a_key_file_of_another_database_is_refused():
    with pytest.raises(KeyFileError, match="does not belong"):
        Keys({1: NEW}).open(Keys({1: OLD}).seal(ADDRESS, ROW), ROW)


def test_a_changed_byte_is_noticed(keys):
    sealed = bytearray(keys.seal(ADDRESS, ROW))
    sealed[-1] ^= 1
    with pytest.raises(KeyFileError):
        keys.open(bytes(sealed), ROW)


def test_a_seal_that_was_copied_to_another_row_does_not_open(keys):
    with pytest.raises(SealMisplaced):
        keys.open(keys.seal(ADDRESS, ROW), OTHER_ROW)


def test_of_many_the_misplaced_one_stays_closed_and_the_others_open(keys):
    sealed = keys.seal(ADDRESS, ROW)
    assert keys.open_many([(sealed, ROW), (sealed, OTHER_ROW), (b"", ROW)]) == [ADDRESS, None, None]


def test_without_the_key_of_one_nothing_is_opened():
    sealed = Keys({1: OLD, 2: NEW}, ring=KeyRing(sealing=2)).seal(ADDRESS, ROW)
    with pytest.raises(KeyFileError, match="key 2"):
        Keys({1: OLD}).open_many([(sealed, ROW)])


def test_a_seal_of_an_earlier_version_opens_until_it_is_made_anew(keys):
    before = sealed_for_no_row(OLD, ADDRESS)
    assert Keys({1: OLD}).open(before, ROW) == ADDRESS


def test_a_lookup_is_16_bytes_that_differ_by_account_and_address(keys):
    found = keys.lookup("mail", ADDRESS)
    assert len(found) == 16
    assert found == keys.lookup("mail", ADDRESS)
    assert found != keys.lookup("mail-drill", ADDRESS)
    assert found != keys.lookup("mail", "other@example.jp")


def test_a_lookup_needs_the_key():
    assert Keys({1: OLD}).lookup("mail", ADDRESS) != Keys({1: NEW}).lookup("mail", ADDRESS)


def test_a_token_gives_its_value_back(keys):
    assert keys.verify("unsubscribe", keys.sign("unsubscribe", "17")) == "17"


def test_a_value_with_dots_survives_in_a_token(keys):
    assert keys.verify("unsubscribe", keys.sign("unsubscribe", "17.notice.3")) == "17.notice.3"


def test_a_token_for_one_purpose_does_not_serve_another(keys):
    assert keys.verify("preferences", keys.sign("unsubscribe", "17")) is None


def test_a_token_of_another_key_file_is_refused(keys):
    assert keys.verify("unsubscribe", Keys({1: OLD}).sign("unsubscribe", "17")) is None


def test_a_changed_token_is_refused(keys):
    token = keys.sign("unsubscribe", "17")
    assert keys.verify("unsubscribe", token.replace("17", "18", 1)) is None
    assert keys.verify("unsubscribe", token[:-1]) is None


@given(st.text() | st.text().map(lambda text: f"17.{text}"))
def test_whatever_stands_in_a_link_is_refused_without_an_error(token):
    assert Keys({1: OLD}).verify("unsubscribe", token) is None


def test_a_half_character_from_a_broken_link_is_refused_without_an_error(keys):
    assert keys.verify("unsubscribe", "17.\udce3") is None
    assert keys.verify("unsubscribe", "\udce3.abc") is None


def test_a_new_key_file_is_private_and_can_be_loaded(tmp_path):
    path = tmp_path / "var" / "secret.key"
    create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = load_keys(path)
    assert load_keys(path).open(keys.seal(ADDRESS, ROW), ROW) == ADDRESS


def test_two_new_key_files_differ(tmp_path):
    create_key_file(tmp_path / "a")
    create_key_file(tmp_path / "b")
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_an_existing_key_file_is_never_replaced(tmp_path):
    path = write_key_file(tmp_path / "secret.key", line(1, OLD))
    with pytest.raises(FileExistsError):
        create_key_file(path)
    assert path.read_text() == line(1, OLD)


def test_a_missing_key_file_names_the_remedy(tmp_path):
    with pytest.raises(KeyFileError, match="kairanban init"):
        load_keys(tmp_path / "secret.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_touch_is_refused_with_the_remedy(tmp_path, mode):
    path = write_key_file(tmp_path / "secret.key", line(1, OLD))
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "not a key file",
        "1 ***",
        "one " + base64.b64encode(OLD).decode(),
        line(1, OLD) + "2",
        "1 " + base64.b64encode(OLD).decode()[:24],
        line(1, OLD[:31]),
        line(1, OLD) + line(2, b""),
        line(0, OLD),
        line(-1, OLD),
        line(256, OLD),
        line(1, OLD) + line(1, NEW),
    ],
    ids=[
        "empty",
        "blank lines",
        "words",
        "no base64",
        "no number",
        "half a line",
        "cut short",
        "31 bytes",
        "an empty second key",
        "number 0",
        "negative number",
        "number 256",
        "the same number twice",
    ],
)
def test_a_file_that_is_not_in_its_form_is_refused(tmp_path, text):
    path = write_key_file(tmp_path / "secret.key", text)
    with pytest.raises(KeyFileError):
        load_keys(path)


def test_binary_rubbish_is_no_key_file(tmp_path):
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(range(128, 256)))
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a secret key file"):
        load_keys(path)


def test_every_key_of_a_file_opens_and_the_first_seals_until_the_database_says_otherwise(tmp_path):
    path = write_key_file(tmp_path / "secret.key", line(1, OLD) + "\n" + line(2, NEW))
    keys = load_keys(path)
    assert keys.numbers == {1, 2}
    assert keys.seal(ADDRESS, ROW)[1] == 1

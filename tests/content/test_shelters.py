"""The open-data file of evacuation sites, in every form in which towns publish it; and what is nearest."""

from __future__ import annotations

import pytest

from content.clock import DAY
from content.notices.records import RecordKind, all_records
from content.notices.shelter_list import compare, take_in
from content.notices.shelters import (
    Hazard,
    OpeningState,
    Shelter,
    distance_km,
    nearest,
    openings,
    set_opening,
)
from content.notices.shelters_csv import ShelterFileError, read_shelters
from tests.factories import create_town

OLD = (
    "NO,名称,名称_カナ,住所,方書,緯度,経度,電話番号,災害種別_洪水,災害種別_崖崩れ、土石流及び地滑り,"
    "災害種別_地震,指定避難所との重複,想定収容人数,対象となる町会・自治会,備考\n"
    '1,船岡小学校,フナオカショウガッコウ,宮城県柴田郡柴田町大字船岡1-1,,38.0556,140.7653,(0224)11-1111,,○,○,1,"1,200人",,土足禁止\n'
    "2,東船岡公園,,柴田町東船岡2,,38.06,140.78,,1,,,,,,\n"
)
NEW = (
    "全国地方公共団体コード,ID,地方公共団体名,名称,名称_カナ,名称_英字,所在地_連結表記,緯度,経度,電話番号,"
    "災害種別_洪水,災害種別_崖崩れ、土石流及び地滑り,災害種別_地震,指定避難所との重複,想定収容人数,"
    "対象となる町会・自治会,備考\n"
    "043231,0001,宮城県柴田町,船岡小学校,フナオカショウガッコウ,Funaoka Elementary School,"
    "宮城県柴田郡柴田町大字船岡1-1,38.0556,140.7653,(0224)11-1111,0,1,1,1,1200,,土足禁止\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("text", [OLD, NEW], ids=["old", "new"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_both_generations_are_read_in_every_encoding(text, encoding, ends):
    first = read_shelters(text.replace("\n", ends).encode(encoding), create_town()).shelters[0]
    assert first.name() == "船岡小学校"
    assert (first.latitude, first.longitude, first.capacity) == (38.0556, 140.7653, 1200)
    assert first.hazards == (Hazard.LANDSLIDE, Hazard.EARTHQUAKE)
    assert (first.area, first.for_staying, first.note) == ("funaoka", True, "土足禁止")


def test_a_site_is_the_same_in_the_file_of_another_year():
    old, new = (read_shelters(text.encode(), create_town()).shelters[0] for text in (OLD, NEW))
    assert old.key == new.key
    assert new.name("en") == "Funaoka Elementary School"


def test_the_longer_name_of_a_district_is_meant():
    _, park = read_shelters(OLD.encode(), create_town()).shelters
    assert park.area == "higashifunaoka"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "空です"),
        ("名称,住所\nA,B\n", "「緯度」の列がありません"),
        ("NO,緯度,経度\n1,38,140\n", "「名称」の列がありません"),
        ("名称,緯度,経度\n", "行がありません"),
        ("名称,緯度,経度\nA,38.0,140.7\n\nA,38.1,140.8\n", "4行目の名称「A」は、2行目にもあります"),
        ("名称,緯度,経度\n,38.0,140.7\n", "2行目の「名称」が空です"),
        ("名称,緯度,経度\nA,北緯38度,140.7\n", "2行目の「緯度」が「北緯38度」です"),
        ("名称,緯度,経度\nA,nan,140.7\n", "「緯度」"),
        ("名称,緯度,経度\nA,140.7,38.0\n", "「緯度」"),
        ("名称,緯度,経度\nA,38.0,14.07\n", "日本の外"),
        ("名称,緯度,経度,災害種別_洪水\nA,38.0,140.7,たぶん\n", "「災害種別_洪水」が「たぶん」です"),
        (f"名称,緯度,経度,備考\nA,38.0,140.7,{'長' * 501}\n", "「備考」が長すぎます"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text, told):
    with pytest.raises(ShelterFileError, match=told):
        read_shelters(text.encode(), create_town())


def test_a_site_without_a_place_is_taken_in_with_a_warning():
    read = read_shelters("名称,緯度,経度\nA,,\nB,0,0\n".encode(), create_town())
    assert [item.latitude for item in read.shelters] == [None, None]
    assert len(read.warnings) == 2


def test_no_file_makes_the_reader_stumble():
    with pytest.raises(ShelterFileError, match="文字コード"):
        read_shelters(b"\x00\xff\xfe" * 10, create_town())


def test_distances_are_those_of_the_globe():
    assert distance_km(38.0556, 140.7653, 38.0556, 140.7653) == 0
    assert distance_km(35.681236, 139.767125, 34.702485, 135.495951) == pytest.approx(403, abs=3)


def test_the_nearest_come_first_and_places_far_away_have_none():
    def site(key, latitude, **changes):
        return Shelter(key=key, names={"ja": key}, latitude=latitude, longitude=140.76, **changes)

    sites = [site("far", 38.2), site("near", 38.05), site("shut", 38.04, closed=True)]
    assert [one.shelter.key for one in nearest(sites, 38.04, 140.76, 5)] == ["near", "far"]
    assert nearest(sites, 0, 0, 5) == []
    assert nearest([], 38.04, 140.76, 5) == []


async def test_a_new_list_takes_the_place_of_the_old_one_and_keeps_what_staff_set(database):
    town = create_town()
    first = read_shelters(OLD.encode(), town).shelters
    async with database.write() as connection:
        change = await compare(connection, first)
        assert (len(change.added), change.same) == (2, 0)
        assert await take_in(connection, change, staff="bosai", at=1)
    async with database.write() as connection:
        assert (await compare(connection, first)).is_empty
        moved = [first[0].model_copy(update={"area": "", "phone": "0224-22-2222"})]
        change = await compare(connection, moved)
        assert (len(change.changed), len(change.gone)) == (1, 1)
        assert await take_in(connection, change, staff="bosai", at=2)
        found = {item.key: item.content for item in await all_records(connection, RecordKind.SHELTER)}
    assert found[first[0].key].area == "funaoka"
    assert found[first[0].key].phone == "0224-22-2222"
    assert found[first[1].key].closed


async def test_what_staff_have_said_of_a_site_is_known_for_three_days(database):
    async with database.write() as connection:
        await set_opening(connection, "s-1", OpeningState.OPEN, staff="bosai", at=1_000)
        await set_opening(connection, "s-1", OpeningState.FULL, staff="bosai", at=2_000)
        assert (await openings(connection, 2_000 + 3 * DAY - 1))["s-1"].state == OpeningState.FULL
        assert await openings(connection, 2_000 + 3 * DAY) == {}
        await set_opening(connection, "s-1", None, staff="bosai", at=3_000)
        assert await openings(connection, 3_000) == {}

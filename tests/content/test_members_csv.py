"""Members of groups from a list: all of it or nothing, each mistake with its line and remedy."""

from __future__ import annotations

import pytest

from content.register.members_csv import MembersRefused, change_members, decode, read
from content.register.memberships import members_of
from tests.factories import APRIL_TUESDAY, NEWCOMER, PARENT, create_town, make_subscriber

HEAD = "group,action,channel,address,until\n"
TOWN = create_town()


def wanted(*rows: str):
    return read(HEAD + "\n".join(rows), TOWN, list(TOWN.group))


async def test_members_are_added_and_taken_out(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        newcomer = await make_subscriber(connection, keys, NEWCOMER, groups={"kucho"})
        rows = wanted(f"kucho,add,line,{PARENT.address},2027-03-31", f"kucho,remove,mail,{NEWCOMER.address},")
        assert await change_members(connection, keys, rows, at=APRIL_TUESDAY) == (1, 1)
        assert await change_members(connection, keys, rows, at=APRIL_TUESDAY) == (0, 0)
        (member,) = await members_of(connection, "kucho")
    assert (member.number, str(member.until)) == (parent.id, "2027-03-31") and newcomer.id != parent.id


async def test_one_who_is_not_registered_stops_all_of_it(sqlite_database, keys):
    async with sqlite_database.write() as connection:
        await make_subscriber(connection, keys, PARENT)
        rows = wanted(f"kucho,add,line,{PARENT.address},", "kucho,add,mail,nobody@example.jp,")
        with pytest.raises(MembersRefused, match="3行目「address」: mail に登録がありません"):
            await change_members(connection, keys, rows, at=APRIL_TUESDAY)
        assert await members_of(connection, "kucho") == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nobody,add,mail,a@example.jp,", "2行目: 「group」: そのグループはありません"),
        ("kucho,put,mail,a@example.jp,", "2行目: 「action」: add か remove"),
        ("kucho,add,fax,a@example.jp,", "2行目: 「channel」"),
        ("kucho,add,mail,example.jp,", "2行目: 「address」: メールアドレスは"),
        ("kucho,add,mail,a@example.jp,soon", "2行目: 「until」"),
        ("kucho", "2行目: 「action」"),
    ],
)
def test_each_mistake_has_its_line(row, said):
    with pytest.raises(MembersRefused, match=said):
        wanted(row)


def test_wrong_headers_and_encodings_are_named():
    with pytest.raises(MembersRefused, match="group、action の列がありません"):
        read("グループ,channel,address\n", TOWN, ["kucho"])
    with pytest.raises(MembersRefused, match="文字を読めません"):
        decode(b"\xff\xfe\x00\x81")
    assert decode("名前".encode("cp932")) == decode(b"\xef\xbb\xbf" + "名前".encode()) == "名前"

"""Taking a file of evacuation sites into the records: what is new, what differs, what is no longer in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.records import RecordKind, TownRecord, add_record, all_records, change_record
from content.notices.shelters import Shelter


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a file would change: `changed` and `gone` with the record that there is."""

    added: tuple[Shelter, ...]
    changed: tuple[tuple[Shelter, TownRecord], ...]
    gone: tuple[tuple[Shelter, TownRecord], ...]
    same: int

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.gone)


async def compare(connection: AsyncConnection, shelters: Sequence[Shelter]) -> ListChange:
    """A district that staff have given a site stays where the file names none."""
    known = {item.key: item for item in await all_records(connection, RecordKind.SHELTER)}
    added, changed, same = [], [], 0
    for shelter in shelters:
        before = known.pop(shelter.key, None)
        if before is None:
            added.append(shelter)
            continue
        own_area = before.content.area if before.content is not None else ""
        kept = shelter if shelter.area else shelter.model_copy(update={"area": own_area})
        if before.content == kept:
            same += 1
        else:
            changed.append((kept, before))
    gone = [
        (item.content.model_copy(update={"closed": True}), item)
        for item in known.values()
        if item.content is not None and not item.content.closed
    ]
    return ListChange(tuple(added), tuple(changed), tuple(gone), same)


async def take_in(connection: AsyncConnection, change: ListChange, *, staff: str, at: int) -> bool:
    """False when somebody else has changed a site meanwhile: then the transaction has to be rolled back."""
    kind = RecordKind.SHELTER
    done = [await add_record(connection, kind, item, staff=staff, at=at) for item in change.added]
    done += [
        await change_record(connection, kind, item, version=before.version, staff=staff, at=at)
        for item, before in (*change.changed, *change.gone)
    ]
    return all(done)

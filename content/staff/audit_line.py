"""One line a day that proves the audit trail from outside: kept elsewhere, it shows later that nothing before it was
taken away or written anew, not even by somebody who has the service's own key.

`kairanban-audit 1 CODE DAY NUMBER:HASH MARK`: the town, the day in Japan, the newest link, and a keyed mark by which the
service knows its own lines again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date

from content.key_ring import KeyPurpose, PurposeKey
from content.keys import Keys
from content.staff.audit_chain import Head

FORM = re.compile(
    r"kairanban-audit 1 (?P<code>\d{6}) (?P<day>\d{4}-\d\d-\d\d) (?P<head>\d{1,18}:[0-9a-f]{0,16}) (?P<mark>[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """`head` as `audit_chain.Head` writes it."""

    code: str
    day: date
    head: str
    mark: str

    def __str__(self) -> str:
        return f"{_told(self.code, self.day, self.head)} {self.mark}"

    @property
    def number(self) -> int:
        return int(self.head.partition(":")[0])


def make(keys: Keys, code: str, day: date, head: Head) -> AuditLine:
    newest = keys.of_purpose(KeyPurpose.AUDIT)[0]
    return AuditLine(code, day, str(head), _mark(newest, code, day, str(head)))


def read(text: str) -> AuditLine | None:
    """None for what is no such line. A mail may stand around it."""
    found = FORM.search(text)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    return AuditLine(found["code"], day, found["head"], found["mark"])


def is_own(keys: Keys, line: AuditLine) -> bool:
    """Whether this service wrote it."""
    return any(
        hmac.compare_digest(line.mark, _mark(key, line.code, line.day, line.head))
        for key in keys.of_purpose(KeyPurpose.AUDIT)
    )


def _told(code: str, day: date, head: str) -> str:
    return f"kairanban-audit 1 {code} {day.isoformat()} {head}"


def _mark(key: PurposeKey, code: str, day: date, head: str) -> str:
    told = b"line\n" + _told(code, day, head).encode()
    return hmac.digest(key.secret, told, hashlib.sha256).hex()[:32]

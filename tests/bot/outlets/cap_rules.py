"""What the Common Alerting Protocol 1.2 asks of an alert, as far as we write one (OASIS 2010, §3.2 and its figures).

For a clone without the schema of OASIS: order of the elements, which must be there, and the words that are allowed.
"""

from __future__ import annotations

import re
from typing import Any

from bot.outlets.cap import NAMESPACE

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
NAME = re.compile(r"[^\s,<&]+")
# Element → its parts in order; ! must be there, * may come again.
PARTS = {
    "alert": "identifier! sender! sent! status! msgType! source scope! restriction addresses code* note references"
    " incidents info*",
    "info": "language category!* event! responseType* urgency! severity! certainty! audience eventCode* effective onset"
    " expires senderName headline description instruction web contact parameter* resource* area*",
    "area": "areaDesc! polygon* circle* geocode* altitude ceiling",
    "geocode": "valueName! value!",
}
ALLOWED = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
FORMS = {"sent": TIME, "expires": TIME, "identifier": NAME, "sender": NAME}


class CapRules:
    """In the place of a schema."""

    def assertValid(self, alert: Any) -> None:  # noqa: N802 - as lxml calls it
        self._check(alert, "alert")

    def _check(self, element: Any, name: str) -> None:
        assert element.tag == f"{{{NAMESPACE}}}{name}"
        known = PARTS[name].split()
        order = [part.rstrip("!*") for part in known]
        found = [str(part.tag).rpartition("}")[2] for part in element if part.tag != SIGNATURE]
        places = [order.index(part) for part in found]
        assert places == sorted(places), f"the parts of {name} stand in another order: {found}"
        for part, rule in zip(order, known, strict=True):
            assert part in found or "!" not in rule, f"{name} lacks {part}"
            assert found.count(part) <= 1 or "*" in rule, f"{name} has {part} twice"
        for part in element:
            if part.tag == SIGNATURE:
                continue
            kind = str(part.tag).rpartition("}")[2]
            if kind in PARTS:
                self._check(part, kind)
                continue
            text = part.text or ""
            assert text, f"{kind} is empty"
            assert kind not in ALLOWED or text in ALLOWED[kind].split(), f"{kind} says {text}"
            assert kind not in FORMS or FORMS[kind].fullmatch(text), f"{kind} is written {text}"

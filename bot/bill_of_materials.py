"""The parts that the service is made of (SBOM), as CycloneDX 1.5 JSON: what is installed, with versions and licences.

Source: the CycloneDX 1.5 JSON reference (cyclonedx.org); package URLs of type pypi as in the purl specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any
from uuid import NAMESPACE_URL, uuid5

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MARKER = re.compile(r";.*extra\s*==")
LONGEST_LICENCE = 120


def bill_of_materials() -> dict[str, Any]:
    """Of the service and every part that it needs, whether or not an extra asks for it; what is not installed is not in it."""
    own = distribution("kairanban")
    parts = {_key(part): part for part in _needed(own, set())}
    components = [_component(parts[key]) for key in sorted(parts)]
    listed = "\n".join(item["purl"] for item in components)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same parts have the same number.
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, listed)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "name": "kairanban",
                "version": own.version,
                "bom-ref": _purl(own),
            },
        },
        "components": components,
        "dependencies": [
            {"ref": _purl(part), "dependsOn": sorted(_purl(one) for one in _direct(part))}
            for part in [own, *(parts[key] for key in sorted(parts))]
        ],
    }


def _needed(part: Distribution, seen: set[str]) -> Iterator[Distribution]:
    for one in _direct(part):
        if _key(one) not in seen:
            seen.add(_key(one))
            yield one
            yield from _needed(one, seen)


def _direct(part: Distribution) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    own = part.metadata["Name"] == "kairanban"
    for line in part.requires or ():
        name = NAME.match(line)
        # Extras of parts are theirs; ours are installed when somebody chose them.
        if name is None or (MARKER.search(line) and not own) or 'extra == "dev"' in line:
            continue
        try:
            one = distribution(name[0])
        except PackageNotFoundError:
            continue
        found[_key(one)] = one
    return list(found.values())


def _component(part: Distribution) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "name": _key(part),
        "version": part.version,
        "purl": _purl(part),
        "bom-ref": _purl(part),
    }
    licence = _said(part, "License-Expression") or _said(part, "License") or _classified(part)
    if licence and len(licence) <= LONGEST_LICENCE and "\n" not in licence:
        made["licenses"] = [{"license": {"name": licence}}]
    return made


def _said(part: Distribution, field: str) -> str:
    return next(iter(part.metadata.get_all(field) or ()), "")


def _classified(part: Distribution) -> str:
    found = [line for line in part.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    return found[0].rpartition(":: ")[2] if found else ""


def _purl(part: Distribution) -> str:
    return f"pkg:pypi/{_key(part)}@{part.version}"


def _key(part: Distribution) -> str:
    """As PEP 503 normalises names."""
    return re.sub(r"[-_.]+", "-", part.metadata["Name"]).lower()

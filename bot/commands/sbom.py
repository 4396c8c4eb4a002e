"""sbom: the parts that the service is made of."""

from __future__ import annotations

from bot.commands.common import print_json


def sbom() -> None:
    """Print the installed parts with versions and licences, as CycloneDX 1.5 JSON."""
    from bot.bill_of_materials import bill_of_materials

    print_json(bill_of_materials())

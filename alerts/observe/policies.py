"""The policy that holds for each home."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import structlog

from alerts.observe.columns import Rows
from alerts.policy import Level, Policy, Resolved, inherit
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)


def load_policies(connection: Connection, homes: Collection[int]) -> dict[int, Policy]:
    """Of these homes, in two statements however many they are."""
    if not homes:
        return {}
    regions = connection.execute(QUERIES["regions"]).fetchall()
    return policies_of(regions, connection.execute(QUERIES["homes_of"], {"homes": list(homes)}).fetchall())


def policies_of(regions: Rows, homes: Rows) -> dict[int, Policy]:
    """Each region is resolved once; most homes set nothing and share their community's.

    What cannot be used is logged where it is set, once: a district's is not said again for each of its homes.
    """
    by_id = {row["id"]: row for row in regions}
    resolved: dict[int, Resolved] = {}

    def of_region(region_id: int) -> Resolved:
        if region_id not in resolved:
            row = by_id[region_id]
            above = of_region(row["parent_id"]) if row["parent_id"] is not None else None
            resolved[region_id] = _below(row, above)
        return resolved[region_id]

    policies = {}
    for row in homes:
        found = of_region(row["region_id"])
        if row["policy"]:
            found = _below(row, found)
        policies[row["id"]] = found.policy
    return policies


def _below(row: Mapping[str, Any], above: Resolved | None) -> Resolved:
    """What holds in a region or home, below what holds above it. Logs what is wrong with its own values."""
    found = inherit([Level(row["key"], row["policy"])], above)
    own = found.faults[len(above.faults) if above else 0 :]
    if own:
        structlog.get_logger().warning("policy_fault", of=row["key"], faults=own)
    return found

"""The policy that holds for each home."""

from collections.abc import Collection
from typing import Final

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
    """Each region is resolved once; most homes set nothing and share their community's."""
    by_id = {row["id"]: row for row in regions}
    resolved: dict[int, Resolved] = {}

    def of_region(region_id: int) -> Resolved:
        if region_id not in resolved:
            row = by_id[region_id]
            above = of_region(row["parent_id"]) if row["parent_id"] is not None else None
            resolved[region_id] = inherit([Level(row["key"], row["policy"])], above)
        return resolved[region_id]

    policies = {}
    for row in homes:
        found = of_region(row["region_id"])
        if row["policy"]:
            found = inherit([Level(row["key"], row["policy"])], found)
        if found.faults:
            structlog.get_logger().warning("policy_fault", home=row["key"], faults=found.faults)
        policies[row["id"]] = found.policy
    return policies

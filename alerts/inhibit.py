"""The cause mutes its consequences: whoever knows that the gateway is offline need not hear of its ten devices.

Causes are a regional incident (alerts/regional.py), maintenance and planned absence (alerts/planned.py), and another
finding about the same home. A muted finding is kept in `muted_finding` with its cause. When the cause ends and it still
holds, it comes up.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from alerts.detect.findings import Finding
from alerts.slices import ALL
from core.model import AlertKind
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)

# What is only inferred from what sensors did not say, or from how long they have said the same.
INFERRED: Final = frozenset(
    {
        AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.LONG_STAY, AlertKind.NOT_RETURNED,
        AlertKind.LEFT_AT_NIGHT, AlertKind.DOOR_OPEN, AlertKind.NO_DOOR, AlertKind.APPLIANCE_ON, AlertKind.WATER_LOW,
    }
)  # fmt: skip
MUTES: Final = {
    AlertKind.GATEWAY_OFFLINE: INFERRED
    | {AlertKind.DEVICE_SILENT, AlertKind.HUB_DOWN, AlertKind.CANNOT_WATCH, AlertKind.SENSOR_STUCK},
    AlertKind.CANNOT_WATCH: INFERRED,
    # One cause, one call: who lies on the floor draws no water, and who is away for days uses no door.
    AlertKind.INACTIVITY: frozenset({AlertKind.WATER_LOW, AlertKind.NO_DOOR, AlertKind.NOT_RETURNED}),
    AlertKind.NOT_RETURNED: frozenset({AlertKind.WATER_LOW, AlertKind.NO_DOOR, AlertKind.LEFT_AT_NIGHT}),
}


Cause = Callable[[Finding], str | None]


class Muted(NamedTuple):
    finding: Finding
    cause: str  # a dedup key, `absence:{id}` or `maintenance:{id}`


def inhibit(
    findings: Sequence[Finding], gateways: Mapping[int, int] = MappingProxyType({}), outside: Sequence[Cause] = ()
) -> tuple[list[Finding], list[Muted]]:
    """Parts findings into those that stand and those that something mutes.

    Args:
        outside: causes that are no findings; the first that knows one has the word.
        gateways: home id -> how many gateways it has; 1 where it is not here. While one of several speaks, the home
            is seen by it: then a gateway mutes devices only, never a silence.
    """
    away = Counter(finding.home_id for finding in findings if finding.kind is AlertKind.GATEWAY_OFFLINE)
    causes: dict[tuple[int, AlertKind], str] = {}
    for kind, muted_kinds in reversed(MUTES.items()):  # the first of MUTES has the last word
        for finding in findings:
            if finding.kind is kind:
                partly = kind is AlertKind.GATEWAY_OFFLINE and away[finding.home_id] < gateways.get(finding.home_id, 1)
                mutes = frozenset({AlertKind.DEVICE_SILENT}) if partly else muted_kinds
                causes.update({(finding.home_id, muted): finding.dedup_key for muted in mutes})
    standing, muted = [], []
    for finding in findings:
        named = (cause(finding) for cause in outside)
        cause = next((one for one in named if one), None) or causes.get((finding.home_id, finding.kind))
        if cause is None:
            standing.append(finding)
        else:
            muted.append(Muted(finding, cause))
    return standing, muted


def keep_muted(
    connection: Connection, now: datetime, muted: Sequence[Muted], looked: Container[str] = frozenset(AlertKind),
    slices: Sequence[int] = ALL,
) -> None:  # fmt: skip
    """Brings `muted_finding` in line with this tick, for the kinds and slices of homes that it looked for.

    What has ended, or has another cause now, stays on record.
    """
    rows = connection.execute(QUERIES["muted"], {"slices": list(slices)}).fetchall()
    before = {row["dedup_key"]: row["cause"] for row in rows if row["kind"] in looked}
    wanted = {finding.dedup_key: cause for finding, cause in muted}
    ended = [key for key, cause in before.items() if wanted.get(key) != cause]
    if ended:
        connection.execute(QUERIES["unmute"], {"keys": ended, "now": now})
    fresh = [(finding, cause) for finding, cause in muted if before.get(finding.dedup_key) != cause]
    if fresh:
        connection.execute(
            QUERIES["mute"],
            {"keys": [finding.dedup_key for finding, _ in fresh], "homes": [finding.home_id for finding, _ in fresh],
             "kinds": [finding.kind.value for finding, _ in fresh], "causes": [cause for _, cause in fresh],
             "now": now},
        )  # fmt: skip

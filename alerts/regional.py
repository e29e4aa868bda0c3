"""Many gateways of a region gone at once is one incident, not a hundred alerts: a power cut, a provider's fault.

The incident is an alert about the region, with its homes in `alert_home`; it mutes what they say of their own
equipment. It ends when most of them are back, and who is still away then has an alert of their own.
docs/adr/0020 says why it is an alert like the others.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from alerts.detect.findings import Finding
from alerts.inhibit import MUTES
from alerts.lifecycle import Over, announce, end_itself, end_themselves, region_policy
from alerts.policy import Level, Policy, inherit
from alerts.quiet import tell_at, zone_of
from core.model import AlertKind, Severity
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "regional.sql")
LOOK_BACK: Final = timedelta(days=30)  # longer than any `remind_s` that makes sense
MUTED: Final = MUTES[AlertKind.GATEWAY_OFFLINE] | {AlertKind.GATEWAY_OFFLINE}
Since = Mapping[int, datetime]  # home id -> since when its gateway is away


@dataclass(frozen=True)
class Incidents:
    """What a look found: alerts opened and ended, and home id -> dedup key of the incident that it belongs to."""

    opened: Sequence[int]
    ended: Sequence[int]
    of_home: Mapping[int, str]

    def cause(self, finding: Finding) -> str | None:
        """The incident that mutes the finding."""
        return self.of_home.get(finding.home_id) if finding.kind in MUTED else None


def look(connection: Connection, now: datetime, findings: Sequence[Finding], own: Set[int]) -> Incidents:
    """Opens, widens and ends incidents, from this tick's findings and what other workers know of their homes.

    One worker does that at a time, until its transaction ends. Another does not wait for it: it mutes by the incidents
    that stand, and what its homes say besides is taken in by the next look.

    Args:
        own: the homes that the findings are about; of all others the last known state counts.
    """
    away: dict[int, datetime] = {}
    for finding in findings:
        if finding.kind is AlertKind.GATEWAY_OFFLINE:
            away[finding.home_id] = min(finding.began_at, away.get(finding.home_id, finding.began_at))
    for row in connection.execute(QUERIES["known_offline"]):
        if row["home_id"] not in own:
            away[row["home_id"]] = row["at"]
    (look,) = connection.execute(QUERIES["claim_look"])
    known = connection.execute(QUERIES["known_incidents"], {"since": now - LOOK_BACK}).fetchall()
    if not known and len(away) < 2:
        return Incidents([], [], {})
    regions = {row["id"]: row["region_id"] for row in connection.execute(QUERIES["region_of"], {"homes": list(away)})}
    tree = _Tree(connection.execute(QUERIES["tree"]).fetchall())
    of_home: dict[int, str] = {}
    ended: list[int] = []
    for row in known:
        if row["resolved_at"] is not None:
            _as_resolved(connection, now, row, away, of_home)
            continue
        policy = region_policy(connection, row["region_id"]).policy
        members = _members(row, policy, away, regions, tree)
        if 2 * len(members) >= policy.outage_homes:
            of_home |= dict.fromkeys(members, str(row["dedup_key"]))
            if look["mine"]:
                _add(connection, now, row["id"], members - set(row["homes"]))
        elif look["mine"] and connection.execute(QUERIES["still_open"], {"id": row["id"]}).fetchone():
            _end(connection, now, row["id"], policy, tree.below(row["region_id"]))
            ended.append(row["id"])
    if not look["mine"]:
        return Incidents([], [], of_home)
    rest = {home: since for home, since in away.items() if home not in of_home}
    opened = []
    for region, homes in tree.outages(rest, regions):
        alert = _open(connection, now, tree.rows[region], homes, rest)
        if alert is not None:
            opened.append(alert)
            of_home.update(dict.fromkeys(homes, _key(region)))
    return Incidents(opened, ended, of_home)


def _members(
    incident: Mapping[str, Any], policy: Policy, away: Since, regions: Mapping[int, int], tree: "_Tree"
) -> set[int]:
    """Who is away and belongs to it: was in it before, or lies in its region and went when it began or later."""
    within = tree.below(incident["region_id"])
    since = incident["began_at"] - timedelta(seconds=policy.outage_window_s)
    before = set(incident["homes"])
    return {home for home in away if home in before or (regions[home] in within and away[home] >= since)}


def _end(connection: Connection, now: datetime, alert_id: int, policy: Policy, within: Set[int]) -> None:
    """Fewer than half of what makes one are still away."""
    zone = zone_of(connection, sorted(within))
    morning = tell_at(now, AlertKind.REGIONAL_OUTAGE, Severity.NORMAL, policy, zone)
    end_itself(connection, alert_id, None, now, {}, morning)


def _as_resolved(
    connection: Connection, now: datetime, incident: Mapping[str, Any], away: Since, of_home: dict[int, str]
) -> None:
    """A person's word holds for `remind_s`: what was away when they gave it raises nothing anew until then."""
    policy = region_policy(connection, incident["region_id"]).policy
    if now - incident["resolved_at"] >= timedelta(seconds=policy.remind_s):
        return
    same = [home for home in incident["homes"] if home in away and away[home] <= incident["resolved_at"]]
    if 2 * len(same) >= policy.outage_homes:
        of_home.update(dict.fromkeys(same, incident["dedup_key"]))


def _open(
    connection: Connection, now: datetime, region: Mapping[str, Any], homes: Sequence[int], away: Since
) -> int | None:
    """None when another worker has just opened it: the next tick finds it open."""
    row = connection.execute(
        QUERIES["open_incident"],
        {"region_id": region["id"], "dedup_key": _key(region["id"]), "now": now,
         "began_at": min(away[home] for home in homes),
         "parameters": Jsonb({"region": region["name"], "homes": len(homes)})},
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    _add(connection, now, row["id"], set(homes))
    return int(row["id"])


def _add(connection: Connection, now: datetime, alert_id: int, homes: set[int]) -> None:
    if not homes:
        return
    connection.execute(QUERIES["add_homes"], {"alert_id": alert_id, "homes": sorted(homes), "now": now})
    connection.execute(QUERIES["count_homes"], {"alert_id": alert_id})
    absorbed = connection.execute(QUERIES["absorbed"], {"homes": sorted(homes)}).fetchall()
    # of which nobody need hear: they go on under the incident's name
    end_themselves(connection, now, [Over(row["id"], row["home_id"], {"incident": alert_id}, None) for row in absorbed])
    announce(connection, alert_id, None)


def _key(region: int) -> str:
    return f"v1:{AlertKind.REGIONAL_OUTAGE}:r{region}"


class _Tree:
    """The regions, with what holds in each."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = {row["id"]: row for row in rows}
        self._children: dict[int | None, list[int]] = {}
        for row in rows:
            self._children.setdefault(row["parent_id"], []).append(row["id"])

    def below(self, region: int) -> set[int]:
        """It and all regions below."""
        found = {region}
        for child in self._children.get(region, ()):
            found |= self.below(child)
        return found

    def outages(self, away: Since, regions: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
        """(region, homes): for each outage the smallest region that holds all of it."""
        for top in self._children.get(None, ()):
            yield from self._outages(top, away, regions)

    def _outages(self, region: int, away: Since, regions: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
        within = self.below(region)
        homes = {home: since for home, since in away.items() if regions[home] in within}
        policy = self._policy(region)
        if len(homes) < 2:
            return
        at_once = _at_once(homes, timedelta(seconds=policy.outage_window_s))
        installed = sum(self.rows[one]["homes"] for one in within)
        if len(at_once) >= policy.outage_homes and len(at_once) >= policy.outage_share * installed:
            parts = [self.below(child) for child in self._children.get(region, ())]
            touched = sum(any(regions[home] in part for home in at_once) for part in parts)
            if touched + any(regions[home] == region for home in at_once) > 1 or not touched:
                yield region, at_once
                return
        for child in self._children.get(region, ()):
            yield from self._outages(child, away, regions)

    def _policy(self, region: int) -> Policy:
        levels = []
        step: int | None = region
        while step is not None:
            levels.append(Level(self.rows[step]["key"], self.rows[step]["policy"]))
            step = self.rows[step]["parent_id"]
        return inherit(reversed(levels)).policy


def _at_once(away: Since, window: timedelta) -> list[int]:
    """The most homes that went within one window, by id."""
    ordered = sorted(away, key=lambda home: away[home])
    first, best = 0, (0, 0)
    for last, home in enumerate(ordered):
        while away[home] - away[ordered[first]] > window:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    return sorted(ordered[best[0] : best[1]])

"""Try a change before it goes live: the stored past once under the rules in force and once under new ones.

What would have come, gone or moved, in which homes, and how many alarms a home would have a month. The detectors,
learning, inhibition and what was planned are production's (alerts/hindsight/); nothing is written.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from alerts.hindsight.alarms import Alarm, Answer
from alerts.hindsight.play import STEP_S, Hindsight
from alerts.hindsight.stored import homes_of, readings_from, regions_of, register_from
from alerts.observe.columns import Rows
from alerts.observe.policies import policies_of
from alerts.planned import load_plans
from alerts.policy import Level, Policy, Resolved, check_policy, inherit
from alerts.visits import load_log
from core.errors import RegisterError
from core.model import AlertKind, Outcome, Severity
from store.pool import Connection

GROUP: Final = 50  # homes played together, so that memory is bounded
TEACH: Final = timedelta(days=28)
SAME_S: Final = 12 * 3600.0  # alerts of one kind in one home that are closer than this are the same one, moved
MOVED_S: Final = 300.0
_COMES_AFTER_S: Final = {Severity.URGENT: 3600.0, Severity.NORMAL: 6 * 3600.0}
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Rules:
    """New settings: `everywhere` for every home, whatever is set below; then by region and by home, nearest wins."""

    everywhere: Mapping[str, Any] = field(default_factory=dict)
    regions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    homes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """An alert that one of the two has. `change`: came, gone or moved. Times are the openings; None = not there."""

    home_id: int
    home: str
    kind: AlertKind
    severity: Severity
    change: str
    old_at: datetime | None
    new_at: datetime | None


@dataclass(frozen=True)
class Shadow:
    """What a trial found.

    Attributes:
        homes, days: how much was played.
        old, new: alerts by kind under the rules in force and under the new ones.
        old_a_month, new_a_month: alarms (urgent or normal) a home and 30 days.
        budget_a_month: how many false ones the new rules' budget allows a home.
        differences: in the order of time.
    """

    homes: int
    days: int
    old: Mapping[AlertKind, int]
    new: Mapping[AlertKind, int]
    old_a_month: float
    new_a_month: float
    budget_a_month: float
    differences: Sequence[Difference]


def read_rules(path: Path) -> Rules:
    """From a TOML file with the tables [policy], [region.KEY] and [home.KEY]. Raises RegisterError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path}: {error}") from error
    unknown = set(document) - {"policy", "region", "home"}
    if unknown:
        raise RegisterError(f"{path}: there is no table [{min(unknown)}]; write [policy], [region.KEY] or [home.KEY]")
    rules = Rules(document.get("policy", {}), document.get("region", {}), document.get("home", {}))
    for table in (rules.everywhere, *rules.regions.values(), *rules.homes.values()):
        check_policy(table)
    return rules


def try_out(
    connection: Connection, now: datetime, rules: Rules, days: int, *, home_ids: Sequence[int] | None = None,
    teach: timedelta = TEACH, step_s: float = STEP_S, as_person: bool = False,
    progress: Progress = lambda share: None,
) -> Shadow:  # fmt: skip
    """Plays the last `days` days twice.

    Args:
        connection: of an owner or the alerts service; with `as_person` of the api.
        home_ids: which homes; None = all.
        teach: how much of the time before is only learned from.
        step_s: between two sweeps.

    Raises:
        RegisterError: a region or home of `rules` is not there, or no home is.
    """
    homes, regions = homes_of(connection, home_ids), regions_of(connection)
    if not homes:
        raise RegisterError("there is no home with a gateway to try the rules on")
    _check_keys(rules, homes, regions)
    old_policies, new_policies = policies_of(regions, homes), policies_under(rules, regions, homes)
    names = {row["id"]: row["name"] or row["key"] for row in homes}
    old: list[Alarm] = []
    new: list[Alarm] = []
    start = now - timedelta(days=days)
    for first in range(0, len(homes), GROUP):
        group = homes[first : first + GROUP]
        readings = readings_from(
            connection, register_from(connection, group, [Policy()] * len(group)), start - teach, now,
            as_person=as_person,
        )  # fmt: skip
        plans = load_plans(connection, [row["id"] for row in group], start, now)
        log = load_log(connection, [row["id"] for row in group], start - teach, now)
        for at, (alarms, policies) in enumerate(((old, old_policies), (new, new_policies))):
            register = register_from(connection, group, [policies[row["id"]] for row in group])
            hindsight = Hindsight(
                register, (start - teach).timestamp(), now.timestamp(), _judge, plans=plans, visits=log
            )
            cut = int((readings["stored"] < start.timestamp()).sum())
            hindsight.teach(readings[:cut], start.timestamp())
            alarms += hindsight.run(
                readings[cut:], (), start.timestamp(), now.timestamp(), step_s,
                _part(progress, first + at / 2 * len(group), len(group) / 2, len(homes)),
            )  # fmt: skip
    progress(1.0)
    budget = sum(30 / new_policies[row["id"]].false_alarm_days for row in homes) / len(homes)
    return Shadow(
        len(homes), days, _by_kind(old), _by_kind(new), _a_month(old, len(homes), days),
        _a_month(new, len(homes), days), round(budget, 3), differences(old, new, names, now),
    )  # fmt: skip


def _part(progress: Progress, done: float, size: float, total: float) -> Progress:
    """The progress of a part of the whole: `size` of `total` homes, after `done`."""
    return lambda share: progress((done + share * size) / total)


def policies_under(rules: Rules, regions: Rows, homes: Rows) -> dict[int, Policy]:
    """What would hold for each home."""
    by_id = {row["id"]: row for row in regions}
    found = {}
    for row in homes:
        above = []
        at: int | None = row["region_id"]
        while at is not None:
            above.append(by_id[at])
            at = by_id[at]["parent_id"]
        levels = [Level(region["key"], region["policy"]) for region in reversed(above)]
        levels += [Level(row["key"], row["policy"]), Level("rules", rules.everywhere)]
        levels += [Level(region["key"], rules.regions.get(region["key"], {})) for region in reversed(above)]
        levels.append(Level(row["key"], rules.homes.get(row["key"], {})))
        resolved: Resolved = inherit(levels)
        found[row["id"]] = resolved.policy
    return found


def differences(
    old: Sequence[Alarm], new: Sequence[Alarm], names: Mapping[int, str], now: datetime
) -> list[Difference]:
    """Pairs alerts of one home, kind and subject that are near in time; the others came or are gone."""
    left = sorted(new, key=lambda alarm: alarm.opened_at)
    found: list[Difference] = []

    def note(alarm: Alarm, change: str, old_at: datetime | None, new_at: datetime | None) -> None:
        found.append(
            Difference(alarm.home_id, names[alarm.home_id], alarm.kind, alarm.severity, change, old_at, new_at)
        )

    for alarm in sorted(old, key=lambda alarm: alarm.opened_at):
        near = [one for one in left if one.dedup_key == alarm.dedup_key and _apart(one, alarm) <= SAME_S]
        if not near:
            note(alarm, "gone", alarm.opened_at, None)
            continue
        twin = min(near, key=lambda one: _apart(one, alarm))
        left.remove(twin)
        if _apart(twin, alarm) > MOVED_S:
            note(alarm, "moved", alarm.opened_at, twin.opened_at)
    for alarm in left:
        note(alarm, "came", None, alarm.opened_at)
    return sorted(found, key=lambda one: (one.old_at or one.new_at or now, one.home_id))


def _apart(one: Alarm, other: Alarm) -> float:
    return abs((one.opened_at - other.opened_at).total_seconds())


def _judge(alarm: Alarm) -> Answer | None:
    """Somebody comes, and it was right: what people really said of the old alerts says nothing about the new."""
    after = _COMES_AFTER_S.get(alarm.severity)
    return None if after is None else Answer(after, Outcome.HELPED)


def _by_kind(alarms: Sequence[Alarm]) -> dict[AlertKind, int]:
    counts = {kind: sum(alarm.kind is kind for alarm in alarms) for kind in AlertKind}
    return {kind: count for kind, count in counts.items() if count}


def _a_month(alarms: Sequence[Alarm], homes: int, days: int) -> float:
    calls = sum(alarm.severity is not Severity.NOTICE for alarm in alarms)
    return round(calls * 30 / (homes * days), 3)


def _check_keys(rules: Rules, homes: Rows, regions: Rows) -> None:
    for keys, rows, what in ((rules.regions, regions, "region"), (rules.homes, homes, "home")):
        unknown = set(keys) - {row["key"] for row in rows}
        if unknown:
            raise RegisterError(f"the rules name a {what} {min(unknown)!r} that is not there")

"""Alerts as people see them: open ones, one whole story, and how the last weeks went."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from api.access import Visit
from api.reads import QUERIES
from api.reads.homes import day_bounds, local_day
from core.errors import NotFound
from core.model import Role

PAGE: Final = 50
OPEN_LIMIT: Final = 200  # more open alerts than anybody can look at
LOOK_BACK: Final = timedelta(days=30)
ORDER: Final = {"urgent": 0, "normal": 1, "notice": 2}

Row = dict[str, Any]


def list_alerts(
    visit: Visit, *, open_only: bool, home: int | None = None, kind: str | None = None, staff: bool = False,
    before: int | None = None, limit: int = PAGE,
) -> list[Row]:  # fmt: skip
    """Alerts that the person may see, newest first, before a given one. Audited."""
    alerts = _alerts(visit, open_only=open_only, home=home, kind=kind, staff=staff, before=before, limit=limit)
    visit.audit("read.alerts", (alert["home_id"] for alert in alerts if alert["home_id"] is not None))
    return alerts


def open_alerts_of_staff(visit: Visit) -> list[Row]:
    """What is open in one's own homes: the most severe first, then those nobody has, then the oldest."""
    alerts = list_alerts(visit, open_only=True, staff=True, limit=OPEN_LIMIT)
    return sorted(alerts, key=lambda alert: (ORDER[alert["severity"]], alert["state"] != "open", alert["opened_at"]))


def one_alert(visit: Visit, alert_id: int) -> Row:
    """One alert. Raises NotFound."""
    alerts = _alerts(visit, alert=alert_id, limit=1)
    if not alerts:
        raise NotFound(f"there is no alert {alert_id} that you may see")
    if alerts[0]["home_id"] is not None:
        visit.audit("read.alert", [alerts[0]["home_id"]])
    return alerts[0]


def signs_by_home(alerts: list[Row]) -> list[list[Row]]:
    """The same in the same order, those of one home together: a worker goes there once. An incident is by itself."""
    groups: dict[Any, list[Row]] = {}
    for alert in alerts:
        groups.setdefault(alert["home_id"] or ("incident", alert["id"]), []).append(alert)
    return list(groups.values())


def incident_homes(visit: Visit, alert_id: int) -> list[Row]:
    """The homes of a regional incident, as far as one may see them. Audited."""
    homes = visit.connection.execute(QUERIES["incident_homes"], {"alert": alert_id}).fetchall()
    visit.audit("read.homes", (home["id"] for home in homes))
    return homes


def who_could_take_it(visit: Visit, alert: Row) -> list[Row]:
    """People to whom the alert may be handed on: id, name, role. Who is no staff hands it on to staff."""
    asked = {"home": alert["home_id"], "region": alert["region_id"], "person": visit.person.id}
    people = visit.connection.execute(QUERIES["who_could_take_it"], asked).fetchall()
    return [person for person in people if alert["staff"] or person["role"] != Role.FAMILY]


def was_told(visit: Visit, alert_id: int) -> bool:
    """Whether this person was told of the alert."""
    row = visit.connection.execute(QUERIES["was_told"], {"alert": alert_id, "person": visit.person.id}).fetchone()
    return bool(row and row["told"])


def events(visit: Visit, alert_id: int) -> list[Row]:
    """What happened to it, in order."""
    return visit.connection.execute(QUERIES["alert_events"], {"alert": alert_id}).fetchall()


def deliveries(visit: Visit, alert_id: int) -> list[Row]:
    """Who was told by which channel, and whether it arrived."""
    return visit.connection.execute(QUERIES["deliveries"], {"alert": alert_id}).fetchall()


def staff_told(visit: Visit, alert_id: int) -> tuple[datetime | None, bool]:
    """When somebody of the staff was first reached about it (None: not yet), and whether a message is under way."""
    row = visit.connection.execute(QUERIES["staff_told"], {"alert": alert_id}).fetchone()
    assert row is not None  # sums over no rows are a row
    return row["at"], row["being_told"]


def alert_counts(visit: Visit) -> list[Row]:
    """By community of one's own: open now, and the last 30 days' answers (seconds)."""
    asked = {"person": visit.person.id, "since": visit.now - LOOK_BACK}
    return visit.connection.execute(QUERIES["alert_counts"], asked).fetchall()


def precision(visit: Visit, months: int, zone: str) -> list[Row]:
    """By month (in `zone`) and kind, of one's own regions, newest first: raised, judged by a person, helped, false and
    why."""
    first = _months_back(local_day(visit.now, zone).replace(day=1), months - 1)
    asked = {"person": visit.person.id, "since": day_bounds(first, zone)[0], "zone": zone}
    rows = visit.connection.execute(QUERIES["precision"], asked).fetchall()
    return [
        {**row, "precision": round(1 - row["false_alarms"] / row["judged"], 4) if row["judged"] else None}
        for row in rows
    ]


def _months_back(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _alerts(
    visit: Visit, *, alert: int | None = None, home: int | None = None, kind: str | None = None,
    open_only: bool = False, staff: bool = False, before: int | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    asked = {"person": visit.person.id, "alert": alert, "home": home, "kind": kind, "open": open_only,
             "staff": staff, "before": before, "limit": limit}  # fmt: skip
    return visit.connection.execute(QUERIES["alerts"], asked).fetchall()

"""What a person does about an alert: who may, and the audit. The alert's own rules stand in alerts.lifecycle."""

from datetime import datetime

from alerts import lifecycle
from api.access import Visit
from api.reads import alerts as reads
from api.reads.homes import need_staff_of
from core.model import FalseReason, Outcome


def acknowledge(visit: Visit, alert_id: int, until: datetime | None = None) -> None:
    """ "I have it." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.acknowledge")
    lifecycle.acknowledge(visit.connection, alert_id, visit.person.id, visit.now, until)


def on_site(visit: Visit, alert_id: int) -> None:
    """ "I am there." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.on_site")
    lifecycle.on_site(visit.connection, alert_id, visit.person.id, visit.now)


def resolve(visit: Visit, alert_id: int, outcome: Outcome, note: str = "", reason: FalseReason | None = None) -> None:
    """ "It is over, and this is how it ended." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.resolve")
    lifecycle.resolve(visit.connection, alert_id, visit.person.id, visit.now, outcome, note, reason)


def _allow(visit: Visit, alert_id: int, what: str) -> None:
    home = reads.one_alert(visit, alert_id)["home_id"]
    need_staff_of(visit, home)
    visit.audit(what, [home])

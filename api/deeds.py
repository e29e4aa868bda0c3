"""What a person does about an alert: who may, and the audit. The alert's own rules stand in alerts.lifecycle.

Staff of the home may do everything. Whoever was told of the alert (family, a volunteer) may take it, be there and hand
it on: who is asked may answer. That it is over is said by staff.
"""

from datetime import datetime

from alerts import lifecycle
from alerts.notify import answers
from api.access import Visit
from api.reads import alerts as reads
from core.errors import NotAllowed, NotFound
from core.model import FalseReason, Outcome, Source


def acknowledge(visit: Visit, alert_id: int, source: Source, until: datetime | None = None) -> datetime:
    """ "I have it", until when. Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.acknowledge", told=True)
    return lifecycle.acknowledge(visit.connection, alert_id, visit.person.id, visit.now, until, source=source)


def on_site(visit: Visit, alert_id: int, source: Source) -> None:
    """ "I am there." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.on_site", told=True)
    lifecycle.on_site(visit.connection, alert_id, visit.person.id, visit.now, source=source)


def pass_on(visit: Visit, alert_id: int, source: Source) -> None:
    """ "I cannot, tell the next." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.pass_on", told=True)
    answers.pass_on(visit.connection, alert_id, visit.person.id, visit.now, source)


def hand_on(visit: Visit, alert_id: int, source: Source, to: int, why: str = "") -> None:
    """ "Please take it over." Only to somebody who may know of it. Raises NotFound, NotAllowed, Conflict."""
    alert = _allow(visit, alert_id, "alert.hand_on", told=True)
    if all(person["id"] != to for person in reads.who_could_take_it(visit, alert)):
        raise NotFound(f"there is no person {to} who looks after this home")
    lifecycle.hand_on(visit.connection, alert_id, visit.person.id, to, visit.now, source=source, why=why)


def resolve(
    visit: Visit, alert_id: int, source: Source, outcome: Outcome, note: str = "", reason: FalseReason | None = None
) -> None:
    """ "It is over, and this is how it ended." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.resolve")
    lifecycle.resolve(
        visit.connection, alert_id, visit.person.id, visit.now, outcome, note, source=source, reason=reason
    )


def reopen(visit: Visit, alert_id: int, source: Source, why: str = "") -> None:
    """ "It is not over after all." Raises NotFound, NotAllowed, Conflict."""
    _allow(visit, alert_id, "alert.reopen")
    lifecycle.reopen(visit.connection, alert_id, visit.person.id, visit.now, source=source, why=why)


def _allow(visit: Visit, alert_id: int, what: str, *, told: bool = False) -> reads.Row:
    alert = reads.one_alert(visit, alert_id)
    if not (alert["staff"] or (told and reads.was_told(visit, alert_id))):
        raise NotAllowed("this is for the staff who look after this home, and for those who were told")
    if alert["home_id"] is not None:
        visit.audit(what, [alert["home_id"]])
    return alert

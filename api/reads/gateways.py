"""Gateways as staff see them: are they what they shall be, what do they hear, which SOS buttons are to be tested."""

from datetime import timedelta
from typing import Any, Final

from api.access import Visit
from api.reads.homes import need_staff_of
from core.errors import NotAllowed
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "gateways.sql")
TEST_EVERY: Final = timedelta(days=35)  # a button that nobody has pressed for so long is not known to work

Row = dict[str, Any]


def gateways(visit: Visit, home_id: int) -> list[Row]:
    """The gateways of a home, each with its `devices`. For its staff, audited. Raises NotFound, NotAllowed."""
    need_staff_of(visit, home_id)
    visit.audit("read.gateways", [home_id])
    devices = visit.connection.execute(QUERIES["gateway_devices"], {"home": home_id}).fetchall()
    return [
        {**row, "devices": [device for device in devices if device["gateway_id"] == row["id"]]}
        for row in visit.connection.execute(QUERIES["gateways"], {"home": home_id})
    ]


def former(visit: Visit, home_id: int) -> list[Row]:
    """Gateways and devices that the home had. For its staff, audited. Raises NotFound, NotAllowed."""
    need_staff_of(visit, home_id)
    visit.audit("read.gateways", [home_id])
    return visit.connection.execute(QUERIES["former"], {"home": home_id}).fetchall()


def buttons(visit: Visit, home_id: int | None = None, *, overdue: bool = False) -> list[Row]:
    """SOS buttons and when each was last known to work; of one home or of all that one is staff of.

    Args:
        overdue: only those that were not pressed for more than TEST_EVERY, the longest untested first.
    """
    asked = {
        "person": visit.person.id,
        "home": home_id,
        "overdue": overdue,
        "due_since": visit.now - TEST_EVERY,
    }
    rows = visit.connection.execute(QUERIES["buttons"], asked).fetchall()
    visit.audit("read.buttons", {row["home_id"] for row in rows})
    return rows


def manages(visit: Visit, home_id: int) -> bool:
    """Whether the person is manager or admin there. Raises NotFound."""
    need_staff_of(visit, home_id)
    row = visit.connection.execute(QUERIES["manages_home"], {"person": visit.person.id, "home": home_id}).fetchone()
    return row is not None and bool(row["manages"])


def need_manager_of(visit: Visit, home_id: int) -> None:
    """Raises NotFound, NotAllowed."""
    if not manages(visit, home_id):
        raise NotAllowed("this is for the managers and admins of this home's region")

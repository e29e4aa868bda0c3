"""A manager tries a change of the rules on the past of their homes, before it goes live."""

from datetime import timedelta
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from alerts.policy import DEFAULTS
from alerts.shadow import Difference, Rules, try_out
from api.access import StaffVisit, Visit
from api.house import house_of
from api.reads.homes import list_homes
from core.errors import NotAllowed
from core.model import Role

router = APIRouter(prefix="/try-out", include_in_schema=False)
HOMES: Final = 24  # as many as one request may play; `yiju detect shadow` has no such bound
DAYS: Final = (3, 7, 14)
TEACH: Final = timedelta(days=21)
STEP_S: Final = 900.0
SHOWN: Final = 200


class Limit(NamedTuple):
    """A number of the form: the policy's name, what one of the form's units is in the policy's, and its bounds."""

    policy: str
    unit: float
    least: float
    most: float


FIELDS: Final = {
    "false_alarm_days": Limit("false_alarm_days", 1.0, 1, 10_000),
    "inactivity_h": Limit("inactivity_s", 3600.0, 1, 72),
    "not_risen_margin_min": Limit("not_risen_margin_s", 60.0, 10, 600),
    "long_stay_floor_min": Limit("long_stay_floor_s", 60.0, 10, 600),
    "door_open_min": Limit("door_open_s", 60.0, 1, 1440),
}


def _within(limit: Limit) -> Any:
    return Form(ge=limit.least, le=limit.most)


@router.get("")
def form(request: Request, visit: StaffVisit) -> Response:
    """The few main limits, with the platform's own values."""
    _need_manager(visit)
    return _show(request, visit, _defaults(), DAYS[1], None)


@router.post("")
def run(
    request: Request,
    visit: StaffVisit,
    false_alarm_days: Annotated[float, _within(FIELDS["false_alarm_days"])],
    inactivity_h: Annotated[float, _within(FIELDS["inactivity_h"])],
    not_risen_margin_min: Annotated[float, _within(FIELDS["not_risen_margin_min"])],
    long_stay_floor_min: Annotated[float, _within(FIELDS["long_stay_floor_min"])],
    door_open_min: Annotated[float, _within(FIELDS["door_open_min"])],
    days: Annotated[int, Form(ge=1, le=DAYS[-1])] = DAYS[1],
) -> Response:
    """Plays the last days of up to HOMES homes under the rules in force and under these."""
    _need_manager(visit)
    values = {"false_alarm_days": false_alarm_days, "inactivity_h": inactivity_h,
              "not_risen_margin_min": not_risen_margin_min, "long_stay_floor_min": long_stay_floor_min,
              "door_open_min": door_open_min}  # fmt: skip
    changed = {FIELDS[name].policy: value * FIELDS[name].unit for name, value in values.items()
               if value != _defaults()[name]}  # fmt: skip
    homes = [home["id"] for home in list_homes(visit, staff=True, limit=HOMES)]
    found = try_out(
        visit.connection, visit.now, Rules(changed), days, home_ids=homes, teach=TEACH, step_s=STEP_S, as_person=True
    )
    return _show(request, visit, values, days, found)


def _defaults() -> dict[str, float]:
    return {name: getattr(DEFAULTS, field.policy) / field.unit for name, field in FIELDS.items()}


def _need_manager(visit: Visit) -> None:
    if not visit.person.roles & {Role.MANAGER, Role.ADMIN}:
        raise NotAllowed("only managers try rules out")


def _show(request: Request, visit: Visit, values: dict[str, float], days: int, found: Any) -> Response:
    differences: list[Difference] = [] if found is None else list(found.differences[:SHOWN])
    kinds = [] if found is None else sorted({*found.old, *found.new})
    return house_of(request).pages.show(
        visit, "tryout.html", here="/try-out", values=values, limits=FIELDS, days=days, spans=DAYS, found=found,
        kinds=kinds, differences=differences, unshown=0 if found is None else len(found.differences) - len(differences),
    )  # fmt: skip

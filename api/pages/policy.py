"""The rules that hold for a home: who is told of what, every limit in words, and where each comes from."""

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts.lifecycle import home_policy
from alerts.policy import DEFAULTS, FIELDS, Policy
from alerts.rungs import ladder_of
from api.access import StaffVisit
from api.house import house_of
from api.ids import HomeId
from api.reads import homes as home_reads
from core.model import AlertKind, Severity
from core.words import Words

router = APIRouter(include_in_schema=False)
# One ladder for each way to be told; the kinds that share one stand together.
GRAVE: Final = frozenset({AlertKind.SOS, AlertKind.FALL, AlertKind.SMOKE, AlertKind.GAS, AlertKind.INACTIVITY})
NOTICES: Final = frozenset(
    {AlertKind.TAMPER, AlertKind.DEVICE_SILENT, AlertKind.HUB_DOWN, AlertKind.GATEWAY_OFFLINE, AlertKind.CANNOT_WATCH}
)
DAYTIMES: Final = frozenset({"not_risen_s", "night_from_s", "night_until_s"})  # seconds after midnight, local time
UNITS: Final = {"w": "W", "m3": "m³", "c": "°C"}  # by the end of a limit's name


@router.get("/homes/{home_id}/policy")
def home_rules(request: Request, visit: StaffVisit, home_id: HomeId) -> Response:
    """Who is told of what, the values that hold, and where each comes from."""
    home_reads.need_staff_of(visit, home_id)
    home = home_reads.one_home(visit, home_id)
    resolved = home_policy(visit.connection, home_id)
    ladders: dict[Any, list[str]] = {}
    for kind in AlertKind:
        if kind is not AlertKind.REGIONAL_OUTAGE:
            severity = Severity.URGENT if kind in GRAVE else Severity.NOTICE if kind in NOTICES else Severity.NORMAL
            name, rungs = ladder_of(resolved.policy.ladder, kind.value, severity.value)
            source = resolved.sources.get(f"ladder.{name}")
            ladders.setdefault((source, severity, tuple(rungs)), []).append(kind.value)
    silent = not resolved.policy.tell_notices
    shown = [{"kinds": kinds, "source": source, "rungs": rungs, "wait": resolved.policy.rung_for(severity),
              "page_only": silent and severity is Severity.NOTICE}
             for (source, severity, rungs), kinds in ladders.items()]  # fmt: skip
    limits = [
        {"name": name, "value": write_limit(visit.words, name, resolved.policy), "source": resolved.sources.get(name),
         "default": write_limit(visit.words, name, DEFAULTS)}
        for name in FIELDS if name != "ladder"
    ]  # fmt: skip
    return house_of(request).pages.show(
        visit, "policy.html", here="/homes", home=home, ladders=shown, limits=limits, faults=resolved.faults
    )


def write_limit(words: Words, name: str, policy: Policy) -> str:
    """A value of the policy as people read it: a span, a time of the day, a quantity with its unit."""
    value = getattr(policy, name)
    if isinstance(value, bool):
        return words("limit.yes" if value else "limit.no")
    if name == "message_detail":
        return words(f"limit.message_detail.{value}")
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return words("web.list").join(words(f"alert.kind.{kind}") for kind in value)
    if name in DAYTIMES:
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours:02}:{minutes:02}"
    unit = name.rpartition("_")[2]
    if unit == "s":
        return words.span(timedelta(seconds=value))
    if unit == "share":
        return f"{value:.0%}"
    return f"{value:g} {UNITS[unit]}" if unit in UNITS else f"{value:g}"

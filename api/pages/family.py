"""The family's page: is today as usual? Not a surveillance feed: no rooms over time, no feed of events."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import care_visits
from api.access import AnyVisit, Visit
from api.house import house_of
from api.pages.alerts import card
from api.pages.planned import plans_of
from api.pages.today import DAYS, Because, Quarter, Today, Verdict, judge_today
from api.pages.week_chart import draw_week
from api.reads import alerts as alert_reads
from api.reads import homes as reads
from core.model import AlertKind

router = APIRouter(prefix="/family", include_in_schema=False)
# Troubles of the platform's own: a worker's work, nothing that the family must know.
ABOUT_DEVICES: Final = frozenset(
    {
        AlertKind.DEVICE_SILENT,
        AlertKind.HUB_DOWN,
        AlertKind.GATEWAY_OFFLINE,
        AlertKind.CANNOT_WATCH,
        AlertKind.TAMPER,
        AlertKind.SENSOR_STUCK,
        AlertKind.DRIFT,
    }
)


@router.get("")
def family(request: Request, visit: AnyVisit) -> Response:
    """Each home that is shared with one."""
    return house_of(request).pages.show(visit, "family.html", here="/family", homes=_homes(visit))


@router.get("/now")
def family_fragment(request: Request, visit: AnyVisit) -> Response:
    """The same without the frame, for live.js."""
    return house_of(request).pages.show(visit, "family_now.html", homes=_homes(visit))


def _homes(visit: Visit) -> list[dict[str, Any]]:
    return [_home(visit, home) for home in reads.list_homes(visit, family=True)]


def _home(visit: Visit, home: dict[str, Any]) -> dict[str, Any]:
    watch = reads.watch_of(home, visit.now)
    rows = reads.quarter_hours(visit, home, DAYS + 1)
    open_alerts = alert_reads.list_alerts(visit, open_only=True, home=home["id"])
    alerts = [card(visit, alert) for alert in open_alerts if alert["kind"] not in ABOUT_DEVICES]
    for alert in alerts:
        alert["told_at"], being_told = alert_reads.staff_told(visit, alert["id"])
        alert["asked"] = alert_reads.was_told(visit, alert["id"])
        alert["nobody"] = alert["rung"] > 0 and not being_told
    quarters = [Quarter(row["bucket"], row["life"]) for row in rows if row["readings"] > 0]
    unseen = watch.state is not reads.Watch.WATCHED
    today = judge_today(visit.now, home["zone"], quarters, home["life_at"], unseen=unseen, alert=bool(alerts))
    week = draw_week(rows, home["zone"], visit.now, 7)
    sentence = say(visit, home, watch, today, alerts)
    return {"home": home, "today": today, "sentence": sentence, "alerts": alerts, "week": week,
            "residents": reads.residents(visit, home["id"]),
            "visited_at": care_visits.today_for_family(visit, home["id"], home["zone"]),
            "plans": plans_of(visit, home, staff=False)}  # fmt: skip


def say(visit: Visit, home: dict[str, Any], watch: reads.Watched, today: Today, alerts: list[dict[str, Any]]) -> str:
    """The one sentence under the verdict: what it rests on."""
    words, zone = visit.words, home["zone"]
    parts: list[str] = []
    if today.because is Because.ALERT:
        parts.append(alerts[0]["why"].rstrip("。."))
        if alerts[0]["told_at"] is not None:
            parts.append(words("web.family.told", at=words.moment(alerts[0]["told_at"], zone, visit.now)))
    elif today.verdict is Verdict.UNSEEN and watch.since is None:
        return words("web.today.never")
    elif today.verdict is Verdict.UNSEEN and watch.state is reads.Watch.ENDED and watch.since is not None:
        parts.append(words("web.today.ended", since=words.moment(watch.since, zone, visit.now)))
    elif today.verdict is Verdict.UNSEEN and watch.since is not None:
        parts.append(words("web.today.unseen_since", since=words.moment(watch.since, zone, visit.now)))
    elif today.because is Because.LATE and today.usual_rise is not None:
        parts.append(words("web.today.late", usual=words.moment(today.usual_rise, zone, visit.now)))
    elif today.because is Because.SILENT and today.silence is not None and today.usual_silence is not None:
        usual = words.span(today.usual_silence)
        parts.append(words("web.today.silent", span=words.span(today.silence), usual=usual))
    elif today.rise is not None:
        parts.append(words("web.today.rise", time=words.moment(today.rise, zone, visit.now)))
    if today.because is not Because.ALERT:  # the alert's own sentence says what is known
        parts.append(_last_sign(visit, home))
    if today.not_seen.total_seconds() >= 3600 and today.verdict is not Verdict.UNSEEN:
        parts.append(words("web.today.gap", span=words.span(today.not_seen)))
    joined = words("web.today.join").join(part for part in parts if part)
    return words("web.today.sentence", text=joined[:1].upper() + joined[1:])


def _last_sign(visit: Visit, home: dict[str, Any]) -> str:
    words, life_at = visit.words, home["life_at"]
    if life_at is None:
        return words("web.today.no_life")
    ago = words.span(visit.now - life_at)
    return words("web.today.life", ago=ago)  # not where: the page says whether, not what

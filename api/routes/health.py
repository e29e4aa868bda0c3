"""/health: each part's state, without anything personal, for whoever supervises the platform."""

from datetime import datetime
from typing import Any, Final

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.house import House, house_of
from api.reads import QUERIES

router = APIRouter()
STALE_S: Final = 30.0  # machine time since the last heartbeat; services beat about every 2 s
PATIENCE_S: Final = 3.0  # for the database


@router.get("/health", tags=["health"])
def health(request: Request) -> JSONResponse:
    """200 `ok` when every part lives; 503 `degraded` when one is silent, `down` without the database."""
    house = house_of(request)
    now = house.clock.now()
    try:
        with house.pool.connection(PATIENCE_S) as connection:
            rows = connection.execute(QUERIES["heartbeats"]).fetchall()
    except psycopg.OperationalError:  # also when the pool has none to give
        return JSONResponse({"status": "down", "database": {"state": "unreachable"}}, 503)
    beats = {row["service"]: row for row in rows}
    parts: dict[str, dict[str, Any]] = {name: _part(house, beats.get(name), now) for name in ("ingest", "alerts")}
    parts["broker"] = {"state": _broker(beats.get("ingest"), parts["ingest"])}
    parts["database"] = {"state": "ok"}
    parts["live"] = {"state": "ok" if house.switchboard.listens.is_set() else "interrupted"}
    well = all(part["state"] in ("ok", "connected") for part in parts.values())
    return JSONResponse({"status": "ok" if well else "degraded", "now": now.isoformat(), **parts}, 200 if well else 503)


def _part(house: House, beat: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    if beat is None:
        return {"state": "missing"}
    age = max(0.0, house.clock.real_seconds(now - beat["at"]))
    # A process whose heart beats while its work does not is no better than a dead one.
    said = beat["details"]
    state = "stale" if age > STALE_S else "stalled" if said.get("stalled") else "blind" if said.get("blind") else "ok"
    return {"state": state, "age_s": round(age, 1)}


def _broker(beat: dict[str, Any] | None, ingest: dict[str, Any]) -> str:
    """What ingest last said of it; unknown when ingest itself is silent."""
    if beat is None or ingest["state"] != "ok":
        return "unknown"
    return str(beat["details"].get("broker", "unknown"))

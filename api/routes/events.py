"""Live events."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.access import AnyVisit
from api.house import house_of
from api.reads import QUERIES
from api.stream import live

router = APIRouter(tags=["events"])


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
def events(request: Request, visit: AnyVisit) -> StreamingResponse:
    """Server-sent events: `hello` at the start, `alert` with `{"alert", "home"}` when an alert of a home of yours has
    changed, `resync` when something may have been missed. Fetch what you show after each of them. The stream ends after
    a quarter of an hour; come back, nothing is lost."""
    house, person, token_hash = house_of(request), visit.person.id, visit.token_hash

    def rights() -> frozenset[int] | None:
        now = house.clock.now()
        with house.pool.connection() as connection:
            known = connection.execute(QUERIES["session_lives"], {"token_hash": token_hash, "now": now}).fetchone()
            if known is None:
                return None
            connection.execute(QUERIES["become"], {"person": person})
            return frozenset(row["id"] for row in connection.execute(QUERIES["visible_homes"]).fetchall())

    return StreamingResponse(
        live(house.switchboard, rights), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )

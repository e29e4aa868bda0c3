"""/metrics for Prometheus: by its own token, or for any member of staff."""

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.access import begin_visit, presented_token
from api.auth import fingerprint
from api.house import house_of

router = APIRouter()


@router.get("/metrics", tags=["health"], response_class=Response)
def metrics(request: Request) -> Response:
    """Requests of this process and sums over the platform: no names, no homes."""
    house = house_of(request)
    token, kind = presented_token(request)
    expected = house.settings.metrics_token
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()):
        with house.pool.connection() as connection:
            begin_visit(house, connection, fingerprint(token), kind).need_staff()
    return Response(house.counters.scrape(), media_type=CONTENT_TYPE_LATEST)

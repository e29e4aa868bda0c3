"""The app: routes, pages and what they share, put together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.access import Gate
from api.auth import Doorkeeper, Throttle
from api.body import BodyLimit
from api.demo import routes as demo_phones
from api.demo.phones import Phones
from api.errors import install_errors
from api.headers import Headers
from api.house import House
from api.metrics import Counters
from api.pages import alerts as alert_pages
from api.pages import answer, family, login, me, overview, policy, tryout
from api.pages import equipment as equipment_pages
from api.pages import gateways as gateway_pages
from api.pages import homes as home_pages
from api.pages import planned as plan_pages
from api.pages import shifts as shift_pages
from api.pages import visits as visit_pages
from api.pages.render import Pages
from api.routes import (
    alerts,
    equipment,
    events,
    gateways,
    health,
    homes,
    metrics,
    people,
    phone,
    planned,
    reach,
    regions,
    register,
    shifts,
    visits,
)
from api.schemas.base import ErrorAnswer
from api.settings import Settings
from api.stream import Switchboard
from core.clock import Clock
from core.words import load_words
from store.pool import Pool

DESCRIPTION: Final = """Yiju watches over people who live alone in a family eldercare bed.

Sign in with `POST /api/v1/tokens` and send the token as `Authorization: Bearer ...`. You see the homes of your
regions, and those whose residents share them with you. Every read of a resident's data is written down.
Errors are `{"error": {"code", "message"}}`. Times are ISO 8601 in UTC; a day is a day in the home's own zone."""
STATIC: Final = Path(__file__).parent / "static"


def create_app(settings: Settings, clock: Clock, pool: Pool) -> FastAPI:
    """The whole app. `pool` gives connections with the rights of DatabaseRole.API; the caller closes it."""
    words = load_words()
    phones = Phones(Path(settings.demo_phones), time.time) if settings.demo_phones else None
    house = House(
        settings=settings,
        clock=clock,
        pool=pool,
        words=words,
        doorkeeper=Doorkeeper(clock),
        switchboard=Switchboard(settings.database_url),
        pages=Pages(words, settings.zone, settings.public_url, demo=phones is not None),
        counters=Counters(pool, clock),
        enrolments=Throttle(clock),
        replies=Throttle(clock),
        phones=phones,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        house.switchboard.start()
        yield
        house.switchboard.stop()

    app = FastAPI(
        title="Yiju",
        version="1",
        description=DESCRIPTION,
        dependencies=[Gate],
        lifespan=lifespan,
        openapi_url=None,  # served by a route of our own: these three stand outside the gate
        docs_url=None,
        redoc_url=None,
    )
    app.state.house = house
    install_errors(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Headers, house=house)  # the outermost
    for part in (
        people,
        regions,
        homes,
        gateways,
        equipment,
        alerts,
        events,
        register,
        planned,
        visits,
        shifts,
        reach,
        phone,
    ):
        app.include_router(part.router, prefix="/api/v1", responses={"default": {"model": ErrorAnswer}})
    pages = (
        login,
        me,
        answer,
        alert_pages,
        home_pages,
        gateway_pages,
        equipment_pages,
        plan_pages,
        visit_pages,
        policy,
        shift_pages,
        family,
        overview,
        tryout,
    )
    for part in (health, metrics, *pages):
        app.include_router(part.router)
    if phones is not None:
        app.include_router(demo_phones.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

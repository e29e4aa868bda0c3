"""Oneself: signing in and out as a program, who one is, and the description of this API."""

from typing import Any

from fastapi import APIRouter, Request

from api.access import AnyVisit
from api.auth import LIFETIME
from api.house import house_of
from api.reads import QUERIES
from api.schemas.people import Credentials, Me, Token

router = APIRouter(tags=["people"])


@router.post("/tokens", status_code=201)
def sign_in(request: Request, credentials: Credentials) -> Token:
    """A bearer token for a program, by name and password. 401 when they are wrong, 429 after too many tries."""
    house = house_of(request)
    address = request.client.host if request.client else ""
    with house.pool.connection() as connection:
        token = house.doorkeeper.let_in(connection, credentials.login, credentials.password, address, "program")
    return Token(token=token, lasts_days=LIFETIME["program"].days)


@router.delete("/tokens/current", status_code=204)
def sign_out(visit: AnyVisit) -> None:
    """Ends the token that this request carries."""
    visit.connection.execute(QUERIES["end_session"], {"token_hash": visit.token_hash})


@router.get("/me")
def me(visit: AnyVisit) -> Me:
    """Who you are."""
    person = visit.person
    return Me(id=person.id, key=person.key, name=person.name, locale=person.locale, roles=sorted(person.roles))


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request, visit: AnyVisit) -> dict[str, Any]:
    """This API in OpenAPI's own words."""
    described: dict[str, Any] = request.app.openapi()
    return described

"""Signing in and out, the language, and the way to one's own first page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.access import COOKIE, AnyVisit
from api.auth import LIFETIME
from api.errors import NotSignedIn, TooManyTries
from api.house import house_of
from api.pages.render import LANGUAGE_COOKIE, links, local_path, locale_of
from api.reads import QUERIES
from core.errors import NotAllowed
from core.words import LOCALES

router = APIRouter(include_in_schema=False)
YEAR_S = 365 * 24 * 3600


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:
    """The form."""
    page = house_of(request).pages.show_stranger(request, "login.html", next=local_path(next), problem=None, login="")
    if request.query_params.get("lang") in LOCALES:
        page.set_cookie(LANGUAGE_COOKIE, locale_of(request), max_age=YEAR_S, samesite="lax", httponly=True)
    return page


@router.post("/login")
def log_in(
    request: Request,
    login: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Checks the password and sets the session's cookie."""
    house = house_of(request)
    address = request.client.host if request.client else ""
    try:
        with house.pool.connection() as connection:
            token = house.doorkeeper.let_in(connection, login.strip(), password, address, "page")
    except (NotSignedIn, TooManyTries) as error:
        status, problem = (429, "too_many") if isinstance(error, TooManyTries) else (401, "wrong")
        return house.pages.show_stranger(
            request, "login.html", status, next=local_path(next), problem=problem, login=login
        )
    answer = RedirectResponse(local_path(next), 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME["page"].total_seconds()),
        httponly=True,
        samesite="lax",
        secure=house.settings.secure_cookie,
    )
    return answer


@router.post("/logout")
def log_out(visit: AnyVisit) -> Response:
    """Ends the session, here and in the database."""
    visit.connection.execute(QUERIES["end_session"], {"token_hash": visit.token_hash})
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.post("/language")
def choose_language(visit: AnyVisit, locale: Annotated[str, Form()], next: Annotated[str, Form()] = "/") -> Response:
    """Remembers the language: with the person, as alerts are told in it too, and for this device's login page."""
    if locale not in LOCALES:
        raise NotAllowed(f"there is no language {locale!r}; there are {', '.join(LOCALES)}")
    visit.connection.execute(QUERIES["set_locale"], {"locale": locale, "person": visit.person.id})
    answer = RedirectResponse(local_path(next), 303)
    answer.set_cookie(LANGUAGE_COOKIE, locale, max_age=YEAR_S, samesite="lax", httponly=True)
    return answer


@router.get("/")
def landing(request: Request, visit: AnyVisit) -> Response:
    """One's own first page."""
    mine = links(visit.person.roles)
    if mine:
        return RedirectResponse(mine[0][0], 303)
    return house_of(request).pages.show(visit, "nothing.html", here="/")

"""What an error looks like from outside: statuses and codes are given here, once.

Programs get `{"error": {"code", "message"}}`; a person who reads pages gets a page in their language.
"""

from typing import Final, NamedTuple
from urllib.parse import quote

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.house import house_of
from core.errors import Conflict, NotAllowed, NotFound, RegisterError, StoreError, WrongTimes, YijuError

log = structlog.get_logger(__name__)


class NotSignedIn(NotAllowed):
    """Nobody knows who asks: no session, or one that has ended."""


class TooManyTries(NotAllowed):
    """Too many wrong passwords; trying again helps only later."""


class Answer(NamedTuple):
    """Status and code of an error, and the word that a page has for it where the code alone says too little."""

    status: int
    code: str
    word: str = ""


# Looked through in order: a subclass stands before its parent.
ANSWERS: Final[tuple[tuple[type[Exception], Answer], ...]] = (
    (NotSignedIn, Answer(401, "not_signed_in")),
    (TooManyTries, Answer(429, "too_many_tries")),
    (NotAllowed, Answer(403, "not_allowed")),
    (NotFound, Answer(404, "not_found")),
    (WrongTimes, Answer(409, "conflict", "wrong_times")),
    (Conflict, Answer(409, "conflict")),
    (RegisterError, Answer(422, "invalid")),
    (StoreError, Answer(503, "unavailable")),
    (psycopg.OperationalError, Answer(503, "unavailable")),  # also when the pool has no connection to give
)
CODES: Final = {400: "bad_request", 401: "not_signed_in", 403: "not_allowed", 404: "not_found",
                405: "no_such_method", 413: "too_large", 422: "invalid"}  # fmt: skip


def answer_to(error: Exception) -> Answer:
    """Status and code of `error`; what nobody foresaw is 500."""
    return next((answer for kind, answer in ANSWERS if isinstance(error, kind)), Answer(500, "internal"))


def install_errors(app: FastAPI) -> None:
    """Makes `app` answer every error in the one form."""

    def on_yiju_error(request: Request, error: Exception) -> Response:
        return respond(request, answer_to(error), str(error))

    def on_database_error(request: Request, error: Exception) -> Response:
        log.warning("database unavailable", error=type(error).__name__)
        return respond(request, answer_to(error), "the database does not answer; try again in a moment")

    def on_refused_data(request: Request, error: Exception) -> Response:
        if "NUL" not in str(error):  # psycopg's word for the one character that no text of PostgreSQL can hold
            return on_anything(request, error)
        return respond(request, Answer(422, "invalid"), "a text holds a NUL character: leave it out")

    def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return respond(request, Answer(error.status_code, CODES.get(error.status_code, "error")), str(error.detail))

    def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        return respond(request, Answer(422, "invalid"), "; ".join(problems))

    def on_anything(request: Request, error: Exception) -> Response:
        log.error("request failed", method=request.method, exc_info=error)
        return respond(request, Answer(500, "internal"), "something went wrong here; it has been written to the log")

    app.add_exception_handler(YijuError, on_yiju_error)
    app.add_exception_handler(psycopg.OperationalError, on_database_error)
    app.add_exception_handler(psycopg.DataError, on_refused_data)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_anything)


def respond(request: Request, answer: Answer, message: str) -> Response:
    """The error for this asker: JSON for a program, a page or the way to the login for a person."""
    if not wants_page(request):
        headers = {"WWW-Authenticate": "Bearer"} if answer.status == 401 else None
        return JSONResponse({"error": {"code": answer.code, "message": message}}, answer.status, headers)
    if answer.status == 401:
        back = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?next={quote(back)}", 303)
    return house_of(request).pages.error(request, answer.status, answer.word or answer.code)


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer: a page's own scripts and every program get JSON."""
    machine = request.url.path.startswith(("/api/", "/health", "/metrics", "/static/"))
    return not machine and request.headers.get("x-yiju-fragment") is None

"""The page behind a message's link. Opening it changes nothing: previews open links too. A tap acts, once."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from alerts.explain import explain
from alerts.notify import answers
from alerts.notify.answers import Answer
from api.access import DATABASE_PATIENCE_S, Visit
from api.answers import STATUS, Done, Looked, answer, look
from api.house import House, house_of
from core.errors import Conflict, NotFound
from core.model import Source

router = APIRouter(prefix="/a", include_in_schema=False)


@router.get("/{ticket}")
def ask(request: Request, ticket: str) -> Response:
    """What is the matter, as far as the message said it, and the two answers."""
    house = house_of(request)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        looked = look(house, connection, ticket)
        return _page(request, house, looked, ticket)


@router.post("/{ticket}")
def act(request: Request, ticket: str, answer_is: Annotated[Answer, Form(alias="answer")]) -> Response:
    """Acknowledges or passes on. A second time it says what was answered the first time."""
    house = house_of(request)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        looked = look(house, connection, ticket)
        done: Done | None = None
        if looked.state == "ask":
            assert looked.visit is not None  # a link that asks is a link
            assert looked.link is not None
            try:
                done = answer(looked.visit, looked.link, answer_is, Source.LINK)
            except Conflict:  # somebody was quicker: what is true now
                looked = look(house, connection, ticket)
        return _page(request, house, looked, ticket, done, answer_is)


@router.post("/{ticket}/seen", status_code=204)
def seen(request: Request, ticket: str) -> None:
    """The page stands before somebody's eyes: said by its script, which previews do not run."""
    _mark(request, ticket, answers.mark_seen)


@router.post("/{ticket}/arrived", status_code=204)
def arrived(request: Request, ticket: str) -> None:
    """The browser has shown the message: said by the worker that shows it."""
    _mark(request, ticket, answers.mark_arrived)


def _mark(request: Request, ticket: str, mark: Any) -> None:
    house = house_of(request)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        looked = look(house, connection, ticket)
        if looked.link is None:
            raise NotFound("this link is not one of ours")
        mark(connection, looked.link["delivery_id"], house.clock.now())


def _page(
    request: Request, house: House, looked: Looked, ticket: str, done: Done | None = None, said: Answer | None = None
) -> Response:
    if looked.visit is None or looked.link is None:
        return house.pages.show_stranger(request, "reply_end.html", STATUS["unknown"], state="unknown", moment=None)
    visit, link = looked.visit, looked.link
    context = {
        "ticket": ticket,
        "link": link,
        "alerts": [_card(visit, alert) for alert in looked.alerts],
        "done": done,
        "said": said,
        "state": looked.state,
        "zone": looked.alerts[0]["zone"] if looked.alerts else house.settings.zone,
    }
    template = "reply.html" if looked.state == "ask" or done else "reply_end.html"
    return house.pages.show_known(visit, template, 200 if done else STATUS[looked.state], **context)


def _card(visit: Visit, alert: dict[str, Any]) -> dict[str, Any]:
    minimal = alert["detail"] == "minimal"
    where = alert["region_name"] if minimal else alert["home_name"]
    why = "" if minimal else explain(visit.words, alert["message"], alert["parameters"], alert["zone"], visit.now)
    address = alert["address"] if alert["detail"] == "full" else ""
    return {**alert, "where": where, "why": why, "shown_address": address}

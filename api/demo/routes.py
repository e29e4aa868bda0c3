"""The phones' two doors: the webhook, known by its signature, and the page, for staff."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.access import StaffVisit, Visit
from api.demo.phones import Phones, Received
from api.house import House, house_of
from core.errors import NotFound
from core.model import Role
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
SHOWN: Final = 12  # messages on each phone
router = APIRouter(include_in_schema=False)


@router.post("/demo/phones/{phone}", status_code=204)
async def take(
    request: Request,
    phone: Annotated[str, Path(max_length=63)],
    yiju_id: Annotated[str, Header(max_length=60)],
    yiju_timestamp: Annotated[str, Header(max_length=20)],
    yiju_signature: Annotated[str, Header(max_length=100)],
) -> None:
    """A message arrives."""
    house = house_of(request)
    body = await request.body()
    await run_in_threadpool(
        phones_of(house).take, phone, yiju_id, yiju_timestamp, yiju_signature, body, house.clock.now()
    )


@router.get("/phones")
def page(request: Request, visit: StaffVisit) -> Response:
    """What each of the demo's people was sent, about the homes that one may see."""
    house = house_of(request)
    return house.pages.show(visit, "phones.html", here="/phones", phones=_phones(house, visit))


@router.get("/phones/now")
def fragment(request: Request, visit: StaffVisit) -> Response:
    """The phones alone, for live.js."""
    house = house_of(request)
    return house.pages.show(visit, "phones_now.html", phones=_phones(house, visit))


def phones_of(house: House) -> Phones:
    if house.phones is None:  # then there is no such route either
        raise NotFound("this platform is no demo")
    return house.phones


def _phones(house: House, visit: Visit) -> list[dict[str, Any]]:
    """Each phone with its messages, the one that rang last first."""
    found: dict[str, list[dict[str, Any]]] = {}
    received = _seen(visit, phones_of(house).received())
    numbers = [_delivery(one) for one in received]
    rows = visit.connection.execute(QUERIES["statuses"], {"ids": [one for one in numbers if one is not None]})
    statuses = {row["id"]: row["status"] for row in rows}
    for one, number in zip(received, numbers, strict=True):
        messages = found.setdefault(one.phone, [])
        if len(messages) < SHOWN:
            lines = [_pieces(line, house.settings.public_url) for line in str(one.body["body"]).splitlines()]
            messages.append({"at": one.at, "title": one.body["title"], "urgent": one.body["urgent"], "lines": lines,
                             "status": statuses.get(number)})  # fmt: skip
    people = visit.connection.execute(QUERIES["names"], {"keys": list(found)}).fetchall()
    known = {row["key"]: row for row in people}
    return [{"name": known[key]["name"], "role": known[key]["role"], "messages": messages}
            for key, messages in found.items() if key in known]  # fmt: skip


def _seen(visit: Visit, received: Sequence[Received]) -> list[Received]:
    """Those about homes and alerts that the visitor may see, and their own; a digest, which names none, for admins."""
    homes = {str(one.body["home"]) for one in received if "home" in one.body}
    alerts = {int(id) for one in received for id in one.body.get("alerts", ())}
    seen_homes = {row["key"] for row in visit.connection.execute(QUERIES["seen_homes"], {"keys": list(homes)})}
    seen_alerts = {row["id"] for row in visit.connection.execute(QUERIES["seen_alerts"], {"ids": list(alerts)})}

    def may(one: Received) -> bool:
        if one.phone == visit.person.key:
            return True
        if "home" in one.body:
            return one.body["home"] in seen_homes
        if "alerts" in one.body:
            return seen_alerts.issuperset(one.body["alerts"])
        return Role.ADMIN in visit.person.roles

    return [one for one in received if may(one)]


def _delivery(one: Received) -> int | None:
    """The delivery that a message was; None for a bundle of several."""
    number = str(one.body["id"]).partition("-")[0]
    return int(number) if number.isdecimal() else None


def _pieces(line: str, public_url: str) -> list[dict[str, Any]]:
    """A line as text and links to our own pages, in turn."""
    link = re.compile(rf"({re.escape(public_url.rstrip('/'))}/[\w/.-]+)", re.ASCII)
    return [{"text": piece, "is_link": bool(place % 2)} for place, piece in enumerate(link.split(line)) if piece]

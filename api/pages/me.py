"""One's own page: how one is reached, a test of each channel, messages in this browser. And the manager's: who is."""

import base64
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from alerts.notify.keys import shared_key
from api.access import AnyVisit, StaffVisit, Visit
from api.house import house_of
from api.ids import ChannelNumber
from api.reads import reach as reads
from core.errors import Conflict, NotFound, RegisterError
from core.model import Role

router = APIRouter(include_in_schema=False)


@router.get("/me")
def me(request: Request, visit: AnyVisit, said: str = "") -> Response:
    """The page."""
    house = house_of(request)
    return house.pages.show(
        visit,
        "me.html",
        here="/me",
        channels=reads.own_channels(visit),
        kinds=house.settings.own_channels.split(),
        push_key=_push_key(visit),
        said=said if said in ("added", "tested", "refused") else "",
        manages=bool(visit.person.roles & {Role.MANAGER, Role.ADMIN}),
    )


@router.post("/me/channels")
def add(request: Request, visit: AnyVisit, channel: Annotated[str, Form(max_length=1000)]) -> Response:
    """Adds one."""
    house = house_of(request)
    try:
        reads.add_channel(visit, channel.strip(), house.settings.own_channels)
    except (RegisterError, Conflict):
        return RedirectResponse("/me?said=refused", 303)
    return RedirectResponse("/me?said=added", 303)


@router.post("/me/channels/{number}/remove")
def remove(visit: AnyVisit, number: ChannelNumber) -> Response:
    """Removes one of one's own."""
    reads.remove_channel(visit, number)
    return RedirectResponse("/me", 303)


@router.post("/me/channels/{number}/test")
def test(visit: AnyVisit, number: ChannelNumber) -> Response:
    """Sends a test message over it."""
    reads.try_channel(visit, number)
    return RedirectResponse("/me?said=tested", 303)


@router.get("/reach")
def reach(request: Request, visit: StaffVisit) -> Response:
    """Who of one's people can be reached."""
    people = reads.reach(visit)
    trouble = [one for one in people if one["unreachable"] or one["failing"]]
    return house_of(request).pages.show(visit, "reach.html", here="/reach", people=people, trouble=len(trouble))


def _push_key(visit: Visit) -> str:
    try:
        return base64.urlsafe_b64encode(shared_key(visit.connection, "vapid_public")).decode().rstrip("=")
    except NotFound:  # the alerts service has never run: nothing could be sent
        return ""

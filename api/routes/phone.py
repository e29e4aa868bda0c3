"""What a voice or SMS gateway sends back: receipts and replies. Known by its secret."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request

from alerts.notify import answers
from alerts.notify.keys import shared_key
from api.access import DATABASE_PATIENCE_S
from api.answers import answer, visit_of
from api.house import House, house_of
from api.schemas.reach import Replied
from core.errors import Conflict, NotAllowed, NotFound
from core.model import Source
from core.words import DEFAULT_LOCALE

router = APIRouter(prefix="/phone", tags=["phone"])
REACHED = frozenset({"delivered", "answered", "ok"})


@router.post("/receipts", status_code=204)
def receipt(
    request: Request,
    id: Annotated[str, Form(max_length=60)],
    status: Annotated[str, Form(max_length=30, description="`delivered` (or `answered`, `ok`); all else: it was not")],
    secret: Annotated[str, Form(max_length=500)] = "",
) -> None:
    """What became of a message. `id` is the one that came with it. 404 when it is not one that waits."""
    house = _known(request, secret)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        if not answers.take_receipt(connection, id, status.lower() in REACHED, house.clock.now()):
            raise NotFound(f"there is no text message {id!r} that was sent")


@router.post("/replies")
def reply(
    request: Request,
    text: Annotated[str, Form(max_length=500)],
    sender: Annotated[str, Form(alias="from", max_length=40)],
    secret: Annotated[str, Form(max_length=500)] = "",
) -> Replied:
    """What somebody has written back, from which number. The answer holds a sentence to send them."""
    house = _known(request, secret)
    house.replies.check(sender, sender)
    with house.pool.connection(DATABASE_PATIENCE_S) as connection:
        now = house.clock.now()
        try:
            link_id, said = answers.read_reply(connection, shared_key(connection, "answer"), sender, text, now)
        except NotFound:
            house.replies.failed(sender, sender)
            return Replied(reply=house.words[DEFAULT_LOCALE]("phone.unknown"), done=False)
        link = answers.find_link(connection, link_id)
        visit = visit_of(house, connection, link["person_id"])
        try:
            done = answer(visit, link, said, Source.SMS)
        except Conflict:
            return Replied(reply=visit.words("phone.held"), done=False)
        until = visit.words.moment(done.until, house.settings.zone, now) if done.until else ""
        return Replied(reply=visit.words(f"phone.done.{said}", until=until), done=True)


def _known(request: Request, given: str) -> House:
    """Raises NotAllowed for whoever has not the gateway's secret, in the form or as a bearer token."""
    house = house_of(request)
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    shown = bearer.strip() if scheme.lower() == "bearer" else given
    wanted = house.settings.phone_secret
    if not wanted or not secrets.compare_digest(shown.encode(), wanted.encode()):
        raise NotAllowed("this is for the SMS gateway: it shows the secret of YIJU_PHONE_SECRET")
    return house

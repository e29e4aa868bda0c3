"""How you are reached: your channels, this browser, and for managers how their people are."""

from fastapi import APIRouter, Request

from alerts.notify.keys import shared_key
from api.access import AnyVisit, StaffVisit
from api.house import house_of
from api.ids import ChannelNumber
from api.reads import reach as reads
from api.schemas.reach import Channel, NewChannel, PushKey, Reach, Subscription, Unsubscription

router = APIRouter(tags=["reach"])


@router.get("/me/channels")
def channels(visit: AnyVisit) -> list[Channel]:
    """Your channels: what kind, and what came of the last message. Their addresses are not shown."""
    return [Channel(**row) for row in reads.own_channels(visit)]


@router.post("/me/channels", status_code=201)
def add_channel(request: Request, visit: AnyVisit, body: NewChannel) -> list[Channel]:
    """Adds one of your own. 422 when it is of no kind that people may enter, 409 when it is there already."""
    reads.add_channel(visit, body.channel.strip(), house_of(request).settings.own_channels)
    return channels(visit)


@router.delete("/me/channels/{number}", status_code=204)
def remove_channel(visit: AnyVisit, number: ChannelNumber) -> None:
    """Removes one of your own; those that the register has set stay."""
    reads.remove_channel(visit, number)


@router.post("/me/channels/{number}/test", status_code=202)
def try_channel(visit: AnyVisit, number: ChannelNumber) -> None:
    """Sends you a test message over it."""
    reads.try_channel(visit, number)


@router.get("/me/push")
def push_key(visit: AnyVisit) -> PushKey:
    """The key that a browser subscribes with (`applicationServerKey`, base64url)."""
    return PushKey.of(shared_key(visit.connection, "vapid_public"))


@router.post("/me/push", status_code=204)
def subscribe(request: Request, visit: AnyVisit, body: Subscription) -> None:
    """This browser takes messages from now on. 422 when its push service is not known here."""
    hosts = house_of(request).settings.push_hosts
    reads.subscribe(visit, body.endpoint, body.keys.p256dh, body.keys.auth, body.browser, hosts)


@router.delete("/me/push", status_code=204)
def unsubscribe(visit: AnyVisit, body: Unsubscription) -> None:
    """It takes none any more."""
    reads.unsubscribe(visit, body.endpoint)


@router.get("/reach")
def reach(visit: StaffVisit) -> list[Reach]:
    """For managers: the people of your regions, those who cannot be reached first."""
    return [Reach(**row) for row in reads.reach(visit)]

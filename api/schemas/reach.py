"""Bodies of the routes about how people are reached."""

import base64
from datetime import datetime

from pydantic import Field

from api.schemas.base import Shape

_KEY = r"^[A-Za-z0-9_-]+={0,2}$"


class Channel(Shape):
    """One way to reach you."""

    number: int = Field(description="its place; `own` ones can be removed by it")
    kind: str = Field(description="what comes before the address: mailto, wecombot, webpush, sms+https ...")
    browser: str = Field(description="of Web Push: which one")
    own: bool = Field(description="entered by you; false: by the register")
    last_at: datetime | None
    last_reason: str | None = Field(description="how the last attempt ended: sent, unreachable, refused ...")
    last_status: str | None = Field(description="queued, sent, accepted, seen, answered or failed")


class NewChannel(Shape):
    channel: str = Field(min_length=3, max_length=1000, description="an address as the service gives it")


class PushKey(Shape):
    key: str = Field(description="uncompressed P-256 point, base64url")

    @classmethod
    def of(cls, raw: bytes) -> "PushKey":
        return cls(key=base64.urlsafe_b64encode(raw).decode().rstrip("="))


class SubscriptionKeys(Shape):
    p256dh: str = Field(min_length=80, max_length=100, pattern=_KEY)
    auth: str = Field(min_length=16, max_length=40, pattern=_KEY)


class Subscription(Shape):
    """What the browser's PushManager gives."""

    endpoint: str = Field(min_length=12, max_length=1000)
    keys: SubscriptionKeys
    browser: str = Field(default="", max_length=60, description="a name that the person knows it by")


class Unsubscription(Shape):
    endpoint: str = Field(min_length=12, max_length=1000)


class Reach(Shape):
    """How a person can be reached."""

    person_id: int
    name: str
    region_name: str
    roles: list[str]
    kinds: list[str] = Field(description="kinds of channels; none: nobody can tell them anything")
    sent_at: datetime | None = Field(description="when a message was last handed to a service")
    failed_at: datetime | None
    reason: str | None = Field(description="why it failed")
    unreachable: bool
    failing: bool


class Replied(Shape):
    reply: str = Field(description="a sentence for the person who wrote, in their language")
    done: bool

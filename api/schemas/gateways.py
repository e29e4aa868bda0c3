"""Gateways, their way in, and the SOS buttons that are to be tested."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import Shape
from core.model import DeviceKind


class FoundDevice(Shape):
    """A device that a gateway hears and nobody has registered."""

    address: str
    model: str = ""
    mains: bool | None = None
    values: dict[str, float] = {}  # noqa: RUF012 - pydantic copies it
    at: datetime | None = Field(None, description="last heard, by the gateway's clock; null: announced, never heard")


class MessageSample(Shape):
    """A device's message that the gateway did not understand."""

    topic: str
    payload: str
    why: str
    at: datetime


class GatewayDevice(Shape):
    id: int
    address: str
    kind: DeviceKind
    heard_at: datetime | None
    silent: int = Field(description="0 heard, 1 silent for too long, 2 its hub is down")


class Gateway(Shape):
    id: int
    key: str
    online: bool
    heard_at: datetime | None
    reported_at: datetime | None
    software: str | None
    wanted_version: int | None = Field(description="of the configuration that it shall have")
    version: int | None = Field(description="of the configuration that it got last")
    state: Literal["applied", "refused"] | None
    reason: str | None = Field(description="why it was refused")
    current: bool = Field(description="it got what it shall have")
    devices: list[GatewayDevice]
    found: list[FoundDevice]
    samples: list[MessageSample]


class Gateways(Shape):
    gateways: list[Gateway]


class GatewayCode(Shape):
    gateway: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="a registered gateway of this home that gets a new password; null: a new one"
    )


class EnrolmentCode(Shape):
    code: str = Field(description="for `yiju gateway enroll`; it works once")
    gateway: str | None
    expires_at: datetime


class EnrolmentRequest(Shape):
    code: Annotated[str, Field(max_length=100)]


class GatewayCredential(Shape):
    gateway: str
    password: str = Field(description="at the broker; it is shown this once")
    broker_url: str
    ca: str = Field(description="the broker's certificate authority in PEM; empty: one that all know")


class Button(Shape):
    id: int
    address: str
    home_id: int
    home_name: str
    tested_at: datetime | None = Field(description="last pressed, in a test or in earnest; null: never")
    asked_at: datetime | None = Field(description="when the gateway last asked for a test press")
    overdue: bool


class Buttons(Shape):
    buttons: list[Button]

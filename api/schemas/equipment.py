"""Bodies of the routes about gateways and devices that were taken away."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from api.schemas.base import Shape


class TakenAway(Shape):
    at: AwareDatetime | None = Field(None, description="when; null: now. What was measured from then on is refused")


class FormerThing(Shape):
    """A gateway or a device that was taken away; its history stays readable."""

    gateway: str = Field(description="the gateway's key")
    device_id: int | None = Field(description="null: the gateway itself")
    address: str = Field(description="empty: the gateway itself")
    ended_at: AwareDatetime
    with_gateway: bool = Field(description="it ended because its gateway did")


class FormerThings(Shape):
    former: Annotated[list[FormerThing], Field(description="the last one first")]

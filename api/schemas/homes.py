"""Homes, who and what is in them, and what was measured there."""

from datetime import date, datetime

from pydantic import Field

from api.reads.homes import Watch
from api.schemas.base import Shape
from core.model import DeviceKind, RoomKind


class Home(Shape):
    id: int
    key: str
    name: str
    address: str
    zone: str = Field(description="IANA name; the home's days are days there")
    region_id: int
    region_name: str
    staff: bool = Field(description="seen as staff of its region, not only as family")
    life_at: datetime | None = Field(description="last sign of life, as measured")
    watch: Watch
    unseen_since: datetime | None
    open_alerts: int
    urgent_alerts: int


class Homes(Shape):
    homes: list[Home]
    next: int | None = Field(description="pass it as `after` for the next page; null: this was the last")


class Resident(Shape):
    id: int
    key: str
    name: str
    born: date | None
    phone: str


class Room(Shape):
    id: int
    key: str
    kind: RoomKind
    name: str


class LastValue(Shape):
    metric: str
    unit: str
    value: float
    time: datetime = Field(description="when it was measured")


class Device(Shape):
    id: int
    address: str
    kind: DeviceKind
    exterior: bool
    mains: bool
    last: list[LastValue]


class HomeDetail(Home):
    residents: list[Resident]
    rooms: list[Room]
    devices: list[Device]


class Reading(Shape):
    time: datetime
    device_id: int
    device: str
    room_id: int | None
    metric: str
    value: float
    changed: bool = Field(description="differs from the device's value before")


class Timeline(Shape):
    home_id: int
    day: date
    start: datetime
    end: datetime
    readings: list[Reading]
    complete: bool = Field(
        description="false: there were more readings than one answer holds; name the metrics you want"
    )


class QuarterHour(Shape):
    start: datetime
    life: int = Field(description="signs of life")
    readings: int = Field(description="readings of any kind; a quarter without a row was not seen")


class Week(Shape):
    home_id: int
    quarter_hours: list[QuarterHour]

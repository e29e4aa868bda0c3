"""The shapes of `/api/v1`, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.reads.homes import Watch
from core.model import (
    AbsenceReason,
    AlertKind,
    AlertState,
    DeviceKind,
    FalseReason,
    Outcome,
    RegionLevel,
    Role,
    RoomKind,
    Severity,
)


class Shape(BaseModel):
    """The base of all: what is not described is refused in requests."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(Shape):
    code: str = Field(description="for programs: not_signed_in, not_allowed, not_found, conflict, invalid ...")
    message: str = Field(description="for people, in English")


class ErrorAnswer(Shape):
    """Every error has this form."""

    error: ErrorBody


class Credentials(Shape):
    login: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000)]


class Token(Shape):
    token: str = Field(description="send it as `Authorization: Bearer ...`; it is shown this once")
    lasts_days: int


class RegisterCounts(Shape):
    """How many entries of each kind (region, home, device ...) an import created, updated and left as they were."""

    created: dict[str, int]
    updated: dict[str, int]
    unchanged: dict[str, int]


class Me(Shape):
    id: int
    key: str
    name: str
    locale: str
    roles: list[Role]


class Region(Shape):
    id: int
    key: str
    parent_id: int | None
    level: RegionLevel
    name: str


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


class Alert(Shape):
    id: int
    home_id: int
    home_name: str
    kind: AlertKind
    severity: Severity
    state: AlertState
    why: str = Field(description="one sentence in your language")
    message: str = Field(description="the key of that sentence ...")
    parameters: dict[str, Any] = Field(description="... and the figures in it")
    coverage: dict[str, Any]
    began_at: datetime
    opened_at: datetime
    occurrences: int
    last_at: datetime
    rung: int
    rung_at: datetime | None
    ack_by: int | None
    ack_name: str | None
    ack_at: datetime | None
    ack_until: datetime | None
    on_site_at: datetime | None
    resolved_by: int | None
    resolved_at: datetime | None
    outcome: Outcome | None
    note: str = Field(description="for the staff of the home; empty for others")


class Alerts(Shape):
    alerts: list[Alert]
    next: int | None = Field(description="pass it as `before` for older ones; null: these were the oldest")


class AlertEvent(Shape):
    id: int
    at: datetime
    what: str
    text: str = Field(description="a line in your language")
    person: str | None = Field(description="null: the platform itself")
    details: dict[str, Any]


class Delivery(Shape):
    id: int
    rung: int
    person: str | None
    channel: str = Field(description="the kind of channel; its address stays inside")
    state: str
    attempts: int
    created_at: datetime
    last_at: datetime | None
    last_reason: str | None


class AlertDetail(Alert):
    events: list[AlertEvent]
    deliveries: list[Delivery]


class Acknowledgement(Shape):
    until: datetime | None = Field(None, description="when it shall expire; by default the platform's own span")


class Resolution(Shape):
    outcome: Outcome
    false_reason: FalseReason | None = Field(None, description="of a false alarm: why")
    note: Annotated[str, Field(max_length=2000)] = ""


class NewAbsence(Shape):
    from_at: AwareDatetime
    until_at: AwareDatetime
    reason: AbsenceReason


class Absence(NewAbsence):
    """A time in which the person is known to be away."""

    id: int


class Absences(Shape):
    absences: list[Absence]


class KindPrecision(Shape):
    month: date = Field(description="its first day, in the platform's zone")
    kind: AlertKind
    raised: int
    judged: int = Field(description="of which a person has said how they ended")
    helped: int
    false_alarms: int
    precision: float | None = Field(description="1 - false alarms / judged; null: nobody has said")
    reasons: dict[str, int] = Field(description="why they were false, as far as it was said")


class Precision(Shape):
    kinds: list[KindPrecision]

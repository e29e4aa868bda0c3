"""The shapes of `/api/v1`, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.reads.homes import Watch
from core.model import (
    AbsenceKind,
    AlertKind,
    AlertState,
    DeviceKind,
    FalseReason,
    Found,
    Outcome,
    RegionLevel,
    Role,
    RoomKind,
    Severity,
    Source,
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


class FoundDevice(Shape):
    """A device that a gateway hears and nobody has registered."""

    address: str
    model: str = ""
    mains: bool | None = None
    values: dict[str, float] = {}
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
    home_id: int | None = Field(description="null: a regional incident, about `region_id`")
    region_id: int | None
    home_name: str = Field(description="the home's name, of an incident the region's")
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
    round: int = Field(description="how often the whole ladder was climbed in vain")
    held: bool = Field(description="waits for the end of quiet hours")
    handed_to: int | None = Field(description="who was asked by name and has not answered yet")
    handed_name: str | None
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
    source: Source
    why: str = Field(description="the person's own words")


class Delivery(Shape):
    id: int
    rung: int
    person: str | None
    channel: str = Field(description="the kind of channel; its address stays inside")
    purpose: str = Field(description="alert, handed, emergency, ended")
    state: str = Field(description="queued, sent or failed")
    status: str = Field(description="how far it came: queued, sent, accepted (by the device), seen, answered, failed")
    attempts: int
    created_at: datetime
    last_at: datetime | None
    last_reason: str | None


class AlertDetail(Alert):
    events: list[AlertEvent]
    deliveries: list[Delivery]
    homes: list["IncidentHome"] = Field(description="of a regional incident")


class IncidentHome(Shape):
    id: int
    name: str
    address: str
    region_name: str
    joined_at: datetime
    away: bool = Field(description="its gateway is still away")


class Acknowledgement(Shape):
    until: datetime | None = Field(None, description="when it shall expire; by default the platform's own span")


class Resolution(Shape):
    outcome: Outcome
    false_reason: FalseReason | None = Field(None, description="of a false alarm: why")
    note: Annotated[str, Field(max_length=2000)] = ""


class HandOn(Shape):
    to: int = Field(description="id of a person who looks after the home", ge=1, le=2**31 - 1)
    why: Annotated[str, Field(max_length=500)] = ""


class Reopening(Shape):
    why: Annotated[str, Field(max_length=500)] = ""


class Plan(Shape):
    """A span that is known beforehand."""

    id: int
    from_at: datetime
    until_at: datetime
    note: str
    entered_by: str = Field(description="name")
    entered_at: datetime
    ended_at: datetime | None = Field(description="before `until_at`: taken back, or the platform saw the return")


class Absence(Plan):
    kind: AbsenceKind


class Maintenance(Plan):
    home_id: int | None
    region_id: int | None


class NewPlan(Shape):
    from_at: datetime | None = Field(None, description="by default now")
    until_at: datetime
    note: Annotated[str, Field(max_length=500)] = ""


class NewAbsence(NewPlan):
    kind: AbsenceKind


class VisitEnd(Shape):
    """How a carer found the resident."""

    found: Found
    together: bool = Field(False, description="carer and resident left the home together")
    note: Annotated[str, Field(max_length=500)] = ""


class NewCareVisit(VisitEnd):
    """A carer's visit that is over."""

    began_at: datetime
    ended_at: datetime


class CareVisit(Shape):
    """A carer's visit to a home."""

    id: int
    carer_id: int
    carer: str = Field(description="name")
    began_at: datetime
    ended_at: datetime | None = Field(description="null: the carer is there")
    found: Found | None = Field(description="null: nobody has said")
    together: bool
    ended_itself: bool = Field(description="nobody said that it ended")
    note: str
    logged_at: datetime


class Muted(Shape):
    """A finding that something mutes: it comes up when the cause ends and it still holds."""

    kind: AlertKind
    cause: str = Field(
        description="the dedup key of the alert that mutes it, `absence:{id}`, `maintenance:{id}`, `visit:{id}`, or"
        " `on_site:{id}` of the alert that somebody is there for"
    )
    since: datetime
    ended_at: datetime | None


class PolicyAnswer(Shape):
    """What holds for a home, and which region's or home's key set it (absent: the default)."""

    values: dict[str, Any]
    sources: dict[str, str]
    ladders: dict[str, list[dict[str, Any]]] = Field(description="by alert kind: its rungs")


class Shift(Shape):
    from_at: datetime
    until_at: datetime
    person_id: int | None
    person: str | None = Field(description="null: nobody is on")
    absent: str | None = Field(description="who would be on and is on leave")
    cover_id: int | None


class Rota(Shape):
    id: int
    key: str
    name: str
    duty: str
    zone: str
    region_id: int = Field(description="where it is set; the regions below without one of their own have it too")
    handovers: list[str]
    every_days: int
    shifts: list[Shift]


class Gap(Shape):
    from_at: datetime
    until_at: datetime


class RegionShifts(Shape):
    region_id: int
    region_name: str
    rotas: list[Rota]
    gaps: list[Gap] = Field(description="when nobody is on first duty")


class NewCover(Shape):
    person_id: int = Field(ge=1, le=2**31 - 1)
    from_at: datetime
    until_at: datetime
    note: Annotated[str, Field(max_length=500)] = ""


class NewTurns(Shape):
    """A rotation: members take turns at its handovers."""

    name: Annotated[str, Field(max_length=100)] = ""
    duty: Literal["first", "second"] = "first"
    zone: Annotated[str, Field(max_length=64)] = "Asia/Shanghai"
    members: Annotated[list[int | None], Field(min_length=1, max_length=100, description="in order; null = nobody")]
    handovers: Annotated[list[str], Field(min_length=1, max_length=24, description="HH:MM, the earliest first")] = [
        "08:00"
    ]
    every_days: Annotated[int, Field(ge=1, le=366, description="how long a turn lasts")] = 7
    starts: date
    ends: date | None = Field(None, description="the first day without it")


class NewSwap(Shape):
    first_at: datetime = Field(description="an instant within the one shift")
    second_at: datetime = Field(description="an instant within the other")
    note: Annotated[str, Field(max_length=500)] = ""


class Leave(Shape):
    id: int
    person_id: int
    person: str
    from_at: datetime
    until_at: datetime
    note: str


class NewLeave(Shape):
    person_id: int = Field(ge=1, le=2**31 - 1)
    from_at: datetime
    until_at: datetime
    note: Annotated[str, Field(max_length=500)] = ""


class Made(Shape):
    id: int


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

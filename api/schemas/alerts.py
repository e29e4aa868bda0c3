"""Alerts, what happened to them, what people say of them, and how often they were right."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from api.schemas.base import Shape
from core.model import AlertKind, AlertState, FalseReason, Outcome, Severity, Source


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
    until: AwareDatetime | None = Field(None, description="when it shall expire; by default the platform's own span")


class Resolution(Shape):
    outcome: Outcome
    false_reason: FalseReason | None = Field(None, description="of a false alarm: why")
    note: Annotated[str, Field(max_length=2000)] = ""


class HandOn(Shape):
    to: int = Field(description="id of a person who looks after the home", ge=1, le=2**31 - 1)
    why: Annotated[str, Field(max_length=500)] = ""


class Reopening(Shape):
    why: Annotated[str, Field(max_length=500)] = ""


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

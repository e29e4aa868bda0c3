"""What is planned for a home, what is muted there, and the policy that holds."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Shape
from core.model import AbsenceKind, AlertKind


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

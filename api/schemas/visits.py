"""A carer's visits."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.base import Shape
from core.model import Found


class VisitEnd(Shape):
    """How a carer found the resident."""

    found: Found
    together: bool = Field(False, description="carer and resident left the home together")
    note: Annotated[str, Field(max_length=500)] = ""


class NewCareVisit(VisitEnd):
    """A carer's visit that is over."""

    began_at: datetime
    ended_at: datetime


class LoggedCareVisit(NewCareVisit):
    """The same, by the carer or on their behalf."""

    carer_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="whose visit it was; another's is logged by managers; null: your own"
    )


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
    logged_by: int | None = Field(description="who logged it on the carer's behalf; null: the carer")
    logged_by_name: str | None

"""Who is on shift, covers, swaps and leave."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from api.schemas.base import Shape

_ONCE: Final = ["08:00"]  # a day; pydantic copies it


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
    handovers: Annotated[list[str], Field(min_length=1, max_length=24, description="HH:MM, the earliest first")] = _ONCE
    every_days: Annotated[int, Field(ge=1, le=366, description="how long a turn lasts")] = 7
    starts: date
    ends: date | None = Field(None, description="the first day without it")


class NewSwap(Shape):
    first_at: AwareDatetime = Field(description="an instant within the one shift")
    second_at: AwareDatetime = Field(description="an instant within the other")
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

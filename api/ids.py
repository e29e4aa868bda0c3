"""Ids and days in paths and queries: what the database or the calendar cannot hold is refused before it is asked."""

from datetime import date
from typing import Annotated

from annotated_types import Ge, Le

HomeId = Annotated[int, Ge(1), Le(2**31 - 1)]
RegionId = Annotated[int, Ge(1), Le(2**31 - 1)]
AlertId = Annotated[int, Ge(1), Le(2**63 - 1)]
ChannelNumber = Annotated[int, Ge(1), Le(2**31 - 1)]
VisitId = Annotated[int, Ge(1), Le(2**63 - 1)]  # a carer's visit to a home
Day = Annotated[date, Ge(date(1970, 1, 2)), Le(date(9999, 12, 30))]  # the days before and after are days too

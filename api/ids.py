"""Ids in paths and queries: what the database's numbers cannot hold is refused before it is asked."""

from typing import Annotated

from annotated_types import Ge, Le

HomeId = Annotated[int, Ge(1), Le(2**31 - 1)]
RegionId = Annotated[int, Ge(1), Le(2**31 - 1)]
AlertId = Annotated[int, Ge(1), Le(2**63 - 1)]
VisitId = Annotated[int, Ge(1), Le(2**63 - 1)]  # a carer's visit to a home

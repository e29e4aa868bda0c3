"""Rows of a query as numpy columns, and sums over them by home."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from alerts.detect.arrays import Bools, Floats, Ints, Texts
from alerts.policy import DEFAULTS, FIELDS, Policy

Rows = Sequence[Mapping[str, Any]]
Columns = Mapping[str, Any]  # name -> numpy array, all of one length
# Ladders and times of the day are no limits.
NUMBERS: Final = tuple(name for name in FIELDS if isinstance(getattr(DEFAULTS, name), (int, float)))


def ints(rows: Rows, name: str) -> Ints:
    return np.array([row[name] for row in rows], dtype=np.int64)


def floats(rows: Rows, name: str) -> Floats:
    """None becomes NaN."""
    return np.array([row[name] for row in rows], dtype=np.float64)


def bools(rows: Rows, name: str) -> Bools:
    """None becomes False."""
    return np.array([bool(row[name]) for row in rows], dtype=np.bool_)


def texts(rows: Rows, name: str) -> Texts:
    return np.array([row[name] for row in rows], dtype=np.object_)


def latest(homes: int, at: Ints, values: Floats) -> Floats:
    """The greatest value of each home; NaN where there is none. `at`: row of its home, -1 = of no home here."""
    greatest = np.full(homes, -np.inf)
    known = (at >= 0) & ~np.isnan(values)
    np.maximum.at(greatest, at[known], values[known])
    return np.where(np.isinf(greatest), np.nan, greatest)


def rows_of(home_id: Ints, wanted: Ints) -> Ints:
    """The row of each wanted home in `home_id` (rising); -1 where it is not there."""
    if not len(home_id):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(home_id, wanted), len(home_id) - 1)
    return np.where(home_id[at] == wanted, at, -1)


def limits(policies: Sequence[Policy]) -> dict[str, Floats]:
    """Every number of the policies as a column, float64 [homes]. Most homes share their community's object."""
    place: dict[int, int] = {}
    distinct: list[Policy] = []
    at = np.empty(len(policies), dtype=np.int64)
    for row, policy in enumerate(policies):
        if id(policy) not in place:
            place[id(policy)] = len(distinct)
            distinct.append(policy)
        at[row] = place[id(policy)]
    table = np.array([[getattr(policy, name) for name in NUMBERS] for policy in distinct], dtype=np.float64)
    table = table.reshape(-1, len(NUMBERS))
    return {name: table[at, column] for column, name in enumerate(NUMBERS)}

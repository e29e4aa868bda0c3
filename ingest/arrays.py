"""numpy arrays as PostgreSQL array parameters, in the binary form and without a Python loop.

psycopg writes a list element by element, which for the rollups of a batch costs more than decoding it did.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

NEVER: Final = np.iinfo(np.int64).min  # among times: "not in this batch"; PostgreSQL's -infinity
PG_EPOCH_MS: Final = 946_684_800_000  # 2000-01-01, where PostgreSQL counts from, in microseconds


class PgArray:
    """One-dimensional array without nulls; the subclass says of what."""

    oid: int  # of the array's type
    element_oid: int
    kind: str  # big-endian numpy type of an element

    def __init__(self, values: Any) -> None:
        self.values: NDArray[Any] = np.asarray(values, dtype=self.kind)

    def binary(self) -> bytes:
        """Dimensions, "has no nulls", type of the elements, length, lower bound; then each element with its size."""
        size = len(self.values)
        head = np.array([1 if size else 0, 0, self.element_oid, *([size, 1] if size else [])], dtype=">i4")
        rows = np.empty(size, dtype=[("size", ">i4"), ("value", self.kind)])
        rows["size"] = self.values.dtype.itemsize
        rows["value"] = self.values
        return head.tobytes() + rows.tobytes()


class Ints2(PgArray):
    oid, element_oid, kind = 1005, 21, ">i2"


class Ints4(PgArray):
    oid, element_oid, kind = 1007, 23, ">i4"


class Ints8(PgArray):
    oid, element_oid, kind = 1016, 20, ">i8"


class Floats8(PgArray):
    oid, element_oid, kind = 1022, 701, ">f8"


class Bools(PgArray):
    oid, element_oid, kind = 1000, 16, "?"


class Uuids(PgArray):
    oid, element_oid, kind = 2951, 2950, "V16"

    def __init__(self, values: Sequence[UUID]) -> None:
        self.values = np.frombuffer(b"".join(each.bytes for each in values), dtype=self.kind)


class Times(PgArray):
    """From integer milliseconds since 1970 in UTC; NEVER becomes -infinity."""

    oid, element_oid, kind = 1185, 1184, ">i8"

    def __init__(self, values: Any) -> None:
        times = np.asarray(values, dtype=np.int64)
        self.values = np.where(times == NEVER, NEVER, pg_time(times))


def pg_time(times_ms: NDArray[Any]) -> NDArray[Any]:
    """Milliseconds since 1970 -> PostgreSQL's binary timestamptz: microseconds since 2000."""
    return (times_ms - PG_EPOCH_MS) * 1000


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PgArray) -> bytes:
        return obj.binary()


def register_arrays(context: AdaptContext) -> None:
    """Lets a connection take these arrays as parameters."""
    for kind in PgArray.__subclasses__():
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": kind.oid})
        context.adapters.register_dumper(kind, dumper)

"""Answers to commands: they come up as urgent readings and are stored on the command's row, in ingest's transaction."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.metrics import BY_NAME
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
ANSWERS: Final = {
    BY_NAME["answer_ok"].id: "ok",
    BY_NAME["answer_help"].id: "help",
    BY_NAME["answer_none"].id: "none",
    BY_NAME["command_refused"].id: "refused",
}


def put_answers(connection: Connection, readings: NDArray[Any]) -> None:
    """Stores the answers among new readings; the first answer to a command stays.

    Args:
        readings: shape (n,), a structured array with `device` (id), `metric`, `value` and `time` (ms since 1970).
    """
    given = readings[np.isin(readings["metric"], list(ANSWERS))]
    if len(given):
        connection.execute(
            QUERIES["put_answers"],
            {
                "device": given["device"].tolist(),
                "id": given["value"].astype(np.int64).tolist(),
                "time": given["time"].tolist(),
                "answer": [ANSWERS[metric] for metric in given["metric"].tolist()],
            },
        )

"""The first rung: the elder is asked through the gateway, "are you all right?", and what the answer changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from alerts.asking import Answer, Asking, answer_of, ask_gateways
from alerts.climb import Question
from alerts.lifecycle import announce, end_itself, home_policy, record
from alerts.rungs import ladder_of
from core.model import AlertKind, AlertState, Severity, Source
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")
ON_THE_WAY_S: Final = 5.0  # of a rung's time, for the question and its answer to travel
# "I am all right" answers these; SOS, fall, smoke, gas need a person who looks.
ANSWERED: Final = frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.LONG_STAY})


def ask(connection: Connection, now: datetime, questions: Sequence[Question]) -> None:
    """Asks all these homes, through gateways that have a prompt. The caller writes the history."""
    if not questions:
        return
    asked = [
        Asking(one.gateway_id, max(10, round(one.seconds - ON_THE_WAY_S))) for one in questions
    ]  # fmt: skip
    connection.execute(
        QUERIES["keep_questions"],
        {"questions": ask_gateways(connection, asked, now), "alerts": [one.alert_id for one in questions],
         "rungs": [one.rung for one in questions]},
    )  # fmt: skip


def listen(connection: Connection, now: datetime) -> list[int]:
    """Takes in the answers that have come. Returns the alerts that one of them has ended.

    "All right" ends a silence. "Help" makes an alert urgent and tells the next rung now; no answer tells it now too,
    where it still waits for one.
    """
    ended: list[int] = []
    for row in connection.execute(QUERIES["open_questions"]).fetchall():
        asked = answer_of(connection, row["question_id"], now)
        if asked is None or asked.answer is Answer.WAITING:
            continue
        connection.execute(QUERIES["settle_question"], {"question_id": row["question_id"]})
        if row["state"] == AlertState.RESOLVED and asked.answer not in (Answer.OK, Answer.HELP):
            continue
        at = (asked.answered_at or now).isoformat(timespec="seconds")
        record(connection, row["id"], now, f"elder_{asked.answer}", {"answered_at": at}, None, Source.GATEWAY)
        announce(connection, row["id"], row["home_id"])
        if row["state"] != AlertState.OPEN:
            continue  # whoever has it, or has closed it, reads the answer in the history
        if asked.answer is Answer.OK:
            if row["kind"] in ANSWERED:
                end_itself(connection, row["id"], row["home_id"], now, {"answered_at": at})
                ended.append(row["id"])
        elif asked.answer is Answer.HELP or row["rung"] == row["asked_on"]:
            severity = Severity.URGENT.value if asked.answer is Answer.HELP else row["severity"]
            anew = severity != row["severity"] and _other_ladder(connection, row, severity)
            connection.execute(QUERIES["go_on"], {"id": row["id"], "now": now, "severity": severity, "anew": anew})
    return ended


def _other_ladder(connection: Connection, alert: Mapping[str, Any], severity: str) -> bool:
    """Whether an alert that becomes so grave climbs another ladder than before: its rungs are others then."""
    own = home_policy(connection, alert["home_id"]).policy.ladder
    return ladder_of(own, alert["kind"], severity)[0] != ladder_of(own, alert["kind"], alert["severity"])[0]

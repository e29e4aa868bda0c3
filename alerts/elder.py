"""The first rung: the elder is asked through the gateway, "are you all right?", and what the answer changes."""

from datetime import datetime
from typing import Final

from alerts.asking import Answer, answer_of, ask_home
from alerts.lifecycle import announce, end_itself, record
from core.model import AlertKind, AlertState, Severity, Source
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__, "ladder.sql")
ON_THE_WAY_S: Final = 5.0  # of a rung's time, for the question and its answer to travel
# "I am all right" answers these; SOS, fall, smoke, gas need a person who looks.
ANSWERED: Final = frozenset({AlertKind.INACTIVITY, AlertKind.NOT_RISEN, AlertKind.LONG_STAY})


def ask(connection: Connection, now: datetime, alert_id: int, home_id: int, rung: int, seconds: float) -> bool:
    """Asks, and says whether anybody could be asked: a gateway that is there and has a prompt.

    Args:
        seconds: how long the rung waits for the answer.
    """
    asked = connection.execute(QUERIES["has_prompt"], {"home_id": home_id}).fetchone()
    if asked is None or not asked["prompt"]:
        return False
    question = ask_home(connection, home_id, max(10, round(seconds - ON_THE_WAY_S)), now)
    if question is None:
        return False
    connection.execute(QUERIES["keep_question"], {"question_id": question, "alert_id": alert_id, "rung": rung})
    record(connection, alert_id, now, "elder_asked", {"rung": rung})
    return True


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
        at = (asked.answered_at or now).isoformat(timespec="seconds")
        record(connection, row["id"], now, f"elder_{asked.answer}", {"answered_at": at}, None, Source.GATEWAY)
        announce(connection, row["id"], row["home_id"])
        if row["state"] != AlertState.OPEN:
            continue  # whoever has it reads the answer in the history
        if asked.answer is Answer.OK:
            if row["kind"] in ANSWERED:
                end_itself(connection, row["id"], row["home_id"], now, {"answered_at": at})
                ended.append(row["id"])
        elif asked.answer is Answer.HELP or row["rung"] == row["asked_on"]:
            severity = Severity.URGENT.value if asked.answer is Answer.HELP else row["severity"]
            connection.execute(QUERIES["go_on"], {"id": row["id"], "now": now, "severity": severity})
    return ended

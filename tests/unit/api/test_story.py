"""An alert's history, told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api.pages.story import story
from core.words import load_words

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def skipped(name: str, reason: str = "no_address", at: datetime = AT) -> dict[str, Any]:
    details = {"rung": 1, "audience": "family", "reason": reason}
    return {"at": at, "what": "person_skipped", "details": details, "person_name": name, "asked_name": None}


def test_who_could_not_be_told_for_one_reason_at_once_shares_a_line_and_is_named_once() -> None:
    later = AT + timedelta(minutes=5)
    events = [skipped("Li"), skipped("Wang"), skipped("Li"), skipped("Zhao", "on_leave"), skipped("Li", at=later)]
    told = [event["text"] for event in story(load_words()["en"], events, "Asia/Shanghai", later)]
    assert told == [
        "Li, Wang could not be told: no way to reach them is registered",
        "Zhao could not be told: on leave",
        "Li could not be told: no way to reach them is registered",
    ]

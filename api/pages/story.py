"""An alert's history as lines of a story."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from alerts.explain import explain_event
from core.words import Words


def story(words: Words, events: Iterable[dict[str, Any]], zone: str, now: datetime) -> list[dict[str, Any]]:
    """The events, each with its `text`. People who could not be told for the same reason at once share a line."""
    told: list[dict[str, Any]] = []
    for event in events:
        if told and _same_skip(told[-1], event):
            told[-1]["names"] = list(dict.fromkeys([*told[-1]["names"], event["person_name"]]))
        else:
            told.append({**event, "names": [event["person_name"]]})
    for event in told:
        who = words("web.list").join(event["names"]) if len(event["names"]) > 1 else event["person_name"]
        event["text"] = explain_event(words, event["what"], event["details"], zone, now, who, event["asked_name"])
    return told


def _same_skip(before: dict[str, Any], event: dict[str, Any]) -> bool:
    return bool(
        before["what"] == event["what"] == "person_skipped"
        and before["at"] == event["at"]
        and before["details"].get("reason") == event["details"].get("reason")
    )

"""Words for what is stored as a key with parameters: a finding's why, a line of an alert's history."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.words import Words


def explain(words: Words, message: str, parameters: Mapping[str, Any], zone: str, now: datetime) -> str:
    """The sentence behind a finding, in the reader's language.

    Args:
        message: a key such as `finding.inactivity.why`.
        parameters: as stored: `..._at` moments in ISO 8601, `..._s` durations in seconds, `room` a room kind
            ("" = unknown), `device_kind` a device kind; anything else as it is.
        zone: the home's IANA zone, in which moments are told.
        now: moments of today are told without their date.
    """
    key = _variant(words, message, parameters)
    return words(key, **{name: _word(words, name, value, zone, now) for name, value in parameters.items()})


def _variant(words: Words, message: str, parameters: Mapping[str, Any]) -> str:
    """A personal limit is told with the habit behind it, a fault or a trend in its own sentence."""
    kinds = [str(parameters[name]) for name in ("followed", "fault", "trend") if name in parameters]
    if any(name in parameters for name in ("usual_s", "usual_clock_s")):
        kinds.append("usual")
    return next((key for kind in kinds if (key := f"{message}.{kind}") in words), message)


def explain_event(
    words: Words, what: str, details: Mapping[str, Any], zone: str, now: datetime, who: str | None = None,
    whom: str | None = None,
) -> str:  # fmt: skip
    """A line of an alert's history.

    Args:
        what, details: of the alert_event row.
        who: name of the person that the line is about, where the reader may know it.
        whom: name of the person that it was handed on to.
    """
    places = {name: _word(words, name, value, zone, now) for name, value in details.items()}
    key = f"alert.event.{what}"
    if "life_at" in details and what == "ended_itself":
        key += ".late" if details.get("late") else ".life"
    elif what == "ended_itself" and "answered_at" in details:
        key += ".answer"
    elif what == "ended_itself" and "incident" in details:
        key += ".incident"
    elif what == "told" and details.get("purpose") == "ended":
        key += ".ended"
    elif what == "told" and "bundle" in details:
        key += ".bundle"
    elif what == "person_skipped" and details.get("reason") == "on_leave":
        key += ".on_leave"
    elif what == "resolved" and "reason" in details:
        key += ".why"
    somebody = words("alert.event.somebody")
    return words(key, **{"who": who or somebody, "whom": whom or somebody, **places})


def word_line(words: Words, line: Mapping[str, Any], now: datetime) -> str:
    """A line of a manager's morning: `key`, `zone` and the parameters that fill its places."""
    places = {name: value for name, value in line.items() if name not in ("key", "zone")}
    return words(line["key"], **{name: _word(words, name, value, line["zone"], now) for name, value in places.items()})


def _word(words: Words, name: str, value: Any, zone: str, now: datetime) -> Any:
    if name.endswith("_at") and isinstance(value, str):
        return words.moment(datetime.fromisoformat(value), zone, now)
    if name.endswith("_clock_s") and isinstance(value, (int, float)):
        return f"{int(value // 3600):02d}:{int(value % 3600 // 60):02d}"
    if name.endswith("_s") and isinstance(value, (int, float)):
        return words.span(timedelta(seconds=value))
    if name == "room":
        return words(f"room.{value}" if f"room.{value}" in words else "finding.room.unknown")
    if name == "device_kind":
        key = f"device.{value}"
        return words(key if key in words else "finding.device.other")
    if name == "audience":
        return words(f"ladder.audience.{value}")
    if name == "reason" and f"alert.false_reason.{value}" in words:
        return words(f"alert.false_reason.{value}")
    if name in ("outcome", "severity"):
        return words(f"alert.{name}.{value}")
    return value

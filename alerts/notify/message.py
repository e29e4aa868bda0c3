"""What is said: which home, what and why, and where to look. No name of a resident, no address, no phone number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.explain import explain, word_line
from core.words import DEFAULT_LOCALE, Words


@dataclass(frozen=True)
class Message:
    title: str
    body: str
    urgent: bool


def word_message(
    words: Mapping[str, Words], locale: str, alert: Mapping[str, Any], public_url: str, now: datetime
) -> Message:
    """The message about an alert in the reader's language.

    Args:
        words: all languages; an unknown `locale` gets the default one.
        alert: id, kind, severity, message, parameters, occurrences; home_name, home_key, zone; purpose (`alert`,
            `handed`, `emergency`, `ended`) and unanswered of the delivery.
        public_url: where the platform's pages are.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    home = alert["home_name"] or alert["home_key"]
    title = said("notify.title", kind=said(f"alert.kind.{alert['kind']}"), home=home)
    if alert["purpose"] == "ended":
        lines = [said("notify.ended"), said("notify.details", url=f"{public_url.rstrip('/')}/alerts/{alert['id']}")]
        return Message(said("notify.ended_title", title=title), "\n".join(lines), False)
    lines = [explain(said, alert["message"], alert["parameters"], alert["zone"], now)]
    if alert["occurrences"] > 1:
        lines.append(said("notify.occurrences", n=alert["occurrences"]))
    if alert["purpose"] == "handed":
        lines.append(said("notify.handed"))
    elif alert["purpose"] == "emergency":
        lines.append(said("notify.emergency"))
    elif alert["unanswered"]:
        lines.append(said("notify.unanswered"))
    lines.append(said("notify.link", url=f"{public_url.rstrip('/')}/alerts/{alert['id']}"))
    return Message(title, "\n".join(lines), alert["severity"] == "urgent")


def word_held(
    words: Mapping[str, Words], locale: str, alerts: Sequence[Mapping[str, Any]], public_url: str, now: datetime
) -> Message:
    """What quiet hours held back, in one message.

    Args:
        alerts: id, kind, message, parameters, home_name, zone of those that are still open.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    lines = []
    for alert in alerts:
        why = explain(said, alert["message"], alert["parameters"], alert["zone"], now)
        lines.append(
            said("digest.held_line", home=alert["home_name"], kind=said(f"alert.kind.{alert['kind']}"), why=why)
        )
    lines.append(said("notify.details", url=f"{public_url.rstrip('/')}/alerts"))
    return Message(said("digest.held_title", n=len(alerts)), "\n".join(lines), False)


def word_morning(
    words: Mapping[str, Words], locale: str, lines: Sequence[Mapping[str, Any]], public_url: str, now: datetime
) -> Message:
    """A manager's morning.

    Args:
        lines: keys of core/words with their parameters, `..._at` as in alerts/explain.py, and `zone`.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    text = [word_line(said, line, now) for line in lines]
    text.append(said("notify.details", url=f"{public_url.rstrip('/')}/shifts"))
    return Message(said("digest.morning_title"), "\n".join(text), False)

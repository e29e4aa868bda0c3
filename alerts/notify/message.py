"""What is said: which home, what and why, and where to look. No name of a resident, no address, no phone number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.explain import explain
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
        alert: id, kind, severity, message, parameters, occurrences, rung; home_name, home_key, zone.
        public_url: where the platform's pages are.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    home = alert["home_name"] or alert["home_key"]
    title = said("notify.title", kind=said(f"alert.kind.{alert['kind']}"), home=home)
    lines = [explain(said, alert["message"], alert["parameters"], alert["zone"], now)]
    if alert["occurrences"] > 1:
        lines.append(said("notify.occurrences", n=alert["occurrences"]))
    if alert["rung"] > 1:
        lines.append(said("notify.unanswered"))
    lines.append(said("notify.link", url=f"{public_url.rstrip('/')}/alerts/{alert['id']}"))
    return Message(title, "\n".join(lines), alert["severity"] == "urgent")

"""What is said: where, what and why, and where to look and to answer. Who reads how much: alerts/notify/detail.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from alerts.explain import explain, word_line
from core.words import DEFAULT_LOCALE, Words


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        id: the same each time that it is tried, for receivers that take a message once.
        brief: for a lock screen: what kind of alarm, nothing of whom.
        url: where to look, signed in.
        answer_url: where to answer without signing in; "" when there is nothing to answer.
        reply: how to answer by text message; "" where that is not possible.
        facts: for programs.
    """

    title: str
    body: str
    urgent: bool
    id: str = ""
    brief: str = ""
    url: str = ""
    answer_url: str = ""
    reply: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def answered_at(self, words: Words, url: str, code: str | None) -> "Message":
        """The same with the way to answer it.

        Args:
            url: of the answer's page.
            code: for a channel that text messages come back from.
        """
        body = f"{self.body}\n{words('answer.link', url=url)}"
        reply = words("answer.reply", code=code) if code else ""
        return replace(self, body=body, answer_url=url, reply=reply)


def word_message(
    words: Mapping[str, Words], locale: str, alert: Mapping[str, Any], public_url: str, now: datetime
) -> Message:
    """The message about an alert in the reader's language.

    Args:
        words: all languages; an unknown `locale` gets the default one.
        alert: id, kind, severity, message, parameters, occurrences; home_name, home_key, zone; purpose (`alert`,
            `handed`, `emergency`, `ended`) and unanswered of the delivery; `nobody` (none of the home's people could
            be told); `detail` ("home" without), and for it region_name ("minimal"), address and residents ("full").
        public_url: where the platform's pages are.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    detail = alert.get("detail", "home")
    kind = said(f"alert.kind.{alert['kind']}")
    where = alert["region_name"] if detail == "minimal" else alert["home_name"] or alert["home_key"]
    title = said("notify.title", kind=kind, home=where)
    url = f"{public_url.rstrip('/')}/alerts/{alert['id']}"
    facts = {"alert": alert["id"], "kind": alert["kind"], "severity": alert["severity"], "purpose": alert["purpose"],
             "home": alert["home_key"]}  # fmt: skip
    if alert["purpose"] == "ended":
        lines = [said("notify.ended"), said("notify.details", url=url)]
        over = said("notify.ended_title", title=title)
        return Message(
            over, "\n".join(lines), False, brief=said("notify.ended_title", title=kind), url=url, facts=facts
        )
    lines = [] if detail == "minimal" else _why(said, alert, now)
    if detail == "full":
        lines += [said("notify.who", residents=alert["residents"])] if alert["residents"] else []
        lines += [said("notify.where", address=alert["address"])] if alert["address"] else []
    if alert["occurrences"] > 1:
        lines.append(said("notify.occurrences", n=alert["occurrences"]))
    if alert.get("nobody"):
        lines.append(said("notify.nobody"))
    if alert["purpose"] == "handed":
        lines.append(said("notify.handed"))
    elif alert["unanswered"]:
        lines.append(said("notify.unanswered"))
    if alert["purpose"] == "emergency":
        lines.append(said("notify.emergency"))
    lines.append(said("notify.link", url=url))
    return Message(title, "\n".join(lines), alert["severity"] == "urgent", brief=kind, url=url, facts=facts)


def word_bundle(
    words: Mapping[str, Words], locale: str, alerts: Sequence[Mapping[str, Any]], public_url: str, now: datetime
) -> Message:
    """Many alerts at once in one message: how many homes, where, and what; the list is behind the link.

    Args:
        alerts: as for `word_message`, at least two, each with `region_name`.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    homes = len({alert["home_id"] or alert["home_key"] for alert in alerts})
    regions = sorted({alert["region_name"] for alert in alerts})
    where = regions[0] if len(regions) == 1 else said("notify.bundle.regions", n=len(regions))
    kinds: dict[str, int] = {}
    for alert in alerts:
        kinds[alert["kind"]] = kinds.get(alert["kind"], 0) + 1
    title = said("notify.bundle.title", n=homes, region=where)
    lines = [said("notify.bundle.kind", kind=said(f"alert.kind.{kind}"), count=count)
             for kind, count in sorted(kinds.items(), key=lambda one: -one[1])]  # fmt: skip
    url = f"{public_url.rstrip('/')}/alerts"
    lines.append(said("notify.details", url=url))
    urgent = any(alert["severity"] == "urgent" for alert in alerts)
    facts = {"alerts": [alert["id"] for alert in alerts], "kinds": kinds, "homes": homes}
    return Message(title, "\n".join(lines), urgent, brief=title, url=url, facts=facts)


def word_held(
    words: Mapping[str, Words], locale: str, alerts: Sequence[Mapping[str, Any]], public_url: str, now: datetime
) -> Message:
    """What quiet hours held back, in one message.

    Args:
        alerts: those that are still open, as for `word_message`.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    lines = []
    for alert in alerts:
        kind = said(f"alert.kind.{alert['kind']}")
        if alert.get("detail", "home") == "minimal":
            lines.append(said("notify.title", kind=kind, home=alert["region_name"]))
            continue
        why = "".join(_why(said, alert, now))
        lines.append(said("digest.held_line", home=alert["home_name"] or alert["home_key"], kind=kind, why=why))
    url = f"{public_url.rstrip('/')}/alerts"
    lines.append(said("notify.details", url=url))
    title = said("digest.held_title", n=len(alerts))
    return Message(title, "\n".join(lines), False, brief=title, url=url)


def word_morning(
    words: Mapping[str, Words], locale: str, lines: Sequence[Mapping[str, Any]], public_url: str, now: datetime
) -> Message:
    """A manager's morning.

    Args:
        lines: keys of core/words with their parameters, `..._at` as in alerts/explain.py, and `zone`.
    """
    said = words.get(locale, words[DEFAULT_LOCALE])
    url = f"{public_url.rstrip('/')}/shifts"
    text = [word_line(said, line, now) for line in lines]
    text.append(said("notify.details", url=url))
    title = said("digest.morning_title")
    return Message(title, "\n".join(text), False, brief=title, url=url)


def word_test(words: Mapping[str, Words], locale: str, public_url: str) -> Message:
    """What somebody asked for on their own page, to see that it comes."""
    said = words.get(locale, words[DEFAULT_LOCALE])
    url = f"{public_url.rstrip('/')}/me"
    return Message(said("notify.test.title"), said("notify.test.body"), False, brief=said("notify.test.title"), url=url)


def _why(words: Words, alert: Mapping[str, Any], now: datetime) -> list[str]:
    """The sentence behind the alert; nothing where it cannot be worded: what kind of alarm and where is said all the
    same, and the other alerts of the message are."""
    try:
        return [explain(words, alert["message"], alert["parameters"], alert["zone"], now)]
    except (LookupError, TypeError, ValueError) as error:  # a bulkhead (ADR 28): a place that no parameter fills
        structlog.get_logger().error("sentence_broke", alert=alert["id"], error=type(error).__name__)
        return []

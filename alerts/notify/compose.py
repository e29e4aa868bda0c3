"""From claimed deliveries to the message: who reads it, in which language, how much, and how it can be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.lifecycle import home_policy, region_policy
from alerts.notify.detail import Detail, detail_for
from alerts.notify.keys import make_keys
from alerts.notify.message import Message, word_bundle, word_held, word_message, word_morning, word_test
from alerts.notify.phone import number_of
from alerts.notify.tickets import make_ticket, reply_code, sender_hash
from core.model import AlertState
from core.words import DEFAULT_LOCALE, Words
from store.pool import Connection
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
ANSWERABLE: Final = frozenset({"alert", "handed", "emergency"})
LINK_LIFE: Final = timedelta(hours=24)
Delivery = Mapping[str, Any]


@dataclass(frozen=True)
class Composed:
    """What to send.

    Attributes:
        message: None when all that it would say is over.
        needed: the deliveries that it speaks of; the others are over.
        homes: alert id -> home id, None for a regional incident.
    """

    message: Message | None
    needed: Sequence[Delivery]
    homes: Mapping[int, int | None]


def compose(
    connection: Connection, now: datetime, words: Mapping[str, Words], public_url: str, deliveries: Sequence[Delivery]
) -> Composed:
    """The message of one delivery, or of several to one address that go as a bundle. Makes the answer link."""
    first = deliveries[0]
    person = connection.execute(QUERIES["locale_of"], {"person_id": first["person_id"]}).fetchone()
    locale = person["locale"] if person else DEFAULT_LOCALE
    if first["purpose"] == "test":
        message: Message | None = word_test(words, locale, public_url)
    elif first["digest_id"] is not None:
        message = _digest(connection, now, words, locale, public_url, first["digest_id"])
    else:
        return _about_alerts(connection, now, words, locale, public_url, deliveries)
    return Composed(replace(message, id=_id(first)) if message else None, deliveries if message else (), {})


def _about_alerts(
    connection: Connection, now: datetime, words: Mapping[str, Words], locale: str, public_url: str,
    deliveries: Sequence[Delivery],
) -> Composed:  # fmt: skip
    alerts = tellable(connection, [one["alert_id"] for one in deliveries], deliveries[0]["person_id"])
    homes = {id: alert["home_id"] for id, alert in alerts.items()}
    needed = [one for one in deliveries if _is_needed(connection, one, alerts[one["alert_id"]])]
    if not needed:
        return Composed(None, (), homes)
    alone = _told_to_nobody(connection, needed)
    told = [{**alerts[one["alert_id"]], "purpose": one["purpose"], "unanswered": one["unanswered"],
             "nobody": one["alert_id"] in alone} for one in needed]  # fmt: skip
    if len(told) == 1:
        message = word_message(words, locale, told[0], public_url, now)
    else:
        message = word_bundle(words, locale, told, public_url, now)
    message = replace(message, id=_id(needed[0]))
    if needed[0]["person_id"] is not None and needed[0]["purpose"] in ANSWERABLE:
        said = words.get(locale, words[DEFAULT_LOCALE])
        message = _with_answer(connection, now, said, public_url, message, needed)
    return Composed(message, needed, homes)


def tellable(connection: Connection, alert_ids: Sequence[int], person_id: int | None) -> dict[int, dict[str, Any]]:
    """Alerts by id, as `word_message` wants them, each with how much of it this reader gets (`detail`)."""
    rows = connection.execute(QUERIES["alerts_to_tell"], {"ids": list(alert_ids), "person_id": person_id}).fetchall()
    return {row["id"]: {**row, "detail": detail_for(_policy(connection, row), row, person_id)} for row in rows}


def _is_needed(connection: Connection, delivery: Delivery, alert: Mapping[str, Any]) -> bool:
    """Not when it was resolved meanwhile, nor, to say that it is over, when it was reopened or was never told."""
    resolved = alert["state"] == AlertState.RESOLVED
    if delivery["purpose"] != "ended":
        return not resolved
    told = connection.execute(QUERIES["was_told"], delivery).fetchone()
    return bool(resolved and told and told["told"])


def _told_to_nobody(connection: Connection, deliveries: Sequence[Delivery]) -> set[int]:
    """For a channel of the platform: the alerts of which it alone has heard."""
    if deliveries[0]["person_id"] is not None:
        return set()
    rows = connection.execute(QUERIES["told_to_nobody"], {"ids": [one["alert_id"] for one in deliveries]})
    return {row["id"] for row in rows}


def _with_answer(
    connection: Connection, now: datetime, words: Words, public_url: str, message: Message,
    deliveries: Sequence[Delivery],
) -> Message:  # fmt: skip
    first, key = deliveries[0], make_keys(connection, now).answer
    number = number_of(first["channel"])
    link = connection.execute(
        QUERIES["answer_link"],
        {"delivery_id": first["id"], "person_id": first["person_id"], "now": now,
         "alert_ids": [one["alert_id"] for one in deliveries], "expires_at": now + LINK_LIFE,
         "sender_hash": sender_hash(key, number) if number else None},
    ).fetchone()  # fmt: skip
    assert link is not None  # it was found or made
    url = f"{public_url.rstrip('/')}/a/{make_ticket(key, link['id'], link['expires_at'])}"
    return message.answered_at(words, url, reply_code(key, link["id"]) if number else None)


def _digest(
    connection: Connection, now: datetime, words: Mapping[str, Words], locale: str, public_url: str, digest_id: int
) -> Message | None:
    digest = connection.execute(QUERIES["digest_to_tell"], {"digest_id": digest_id}).fetchone()
    if digest is None:  # a foreign key says that this cannot be
        raise LookupError(f"digest {digest_id} is not there")
    if digest["kind"] == "morning":
        return word_morning(words, locale, digest["lines"], public_url, now)
    known = tellable(connection, digest["lines"], digest["person_id"])
    still = [known[id] for id in sorted(known) if known[id]["state"] == AlertState.OPEN]
    return word_held(words, locale, still, public_url, now) if still else None


def _policy(connection: Connection, alert: Mapping[str, Any]) -> Detail:
    if alert["home_id"] is None:
        return region_policy(connection, alert["region_id"]).policy.message_detail
    return home_policy(connection, alert["home_id"]).policy.message_detail


def _id(delivery: Delivery) -> str:
    """The same at each try, another one when the same is told again.

    A bundle is put together anew at each try, perhaps of other alerts: better heard twice than not at all.
    """
    bundle = delivery["bundle_id"]
    return f"b{bundle}" if bundle is not None else f"{delivery['id']}-{delivery['telling']}"

"""Claims due deliveries, sends them side by side, and writes down what came of each.

At least once: a delivery is claimed for `LEASE_S` in a short transaction, sent outside of any, and settled in
another one. A worker killed in between leaves it `queued`, and after the lease it is sent (perhaps again).
A service that hangs holds one of `WORKERS` threads for its timeout; the others go on.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Any, Final

import numpy as np
import structlog

from alerts.lifecycle import announce, record
from alerts.notify.message import Message, word_held, word_message, word_morning
from alerts.notify.sender import SendReason, Sent, send
from alerts.pace import lasting
from core.clock import Clock
from core.model import AlertState
from core.words import DEFAULT_LOCALE, Words
from store.pool import Pool
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
WORKERS: Final = 4
LEASE_S: Final = 60.0  # longer than any send may last
FIRST_RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 600.0
MAX_ATTEMPTS: Final = 10  # 5 s, 10 s ... 10 min: about half an hour

Send = Callable[[str, Message], Sent]


class Outbox:
    """Sends what is due in `delivery`. Times in it are the platform's clock; waits last real seconds.

    Args:
        random: for the jitter of retries.
        sender: sends one message over one channel.
    """

    def __init__(
        self, pool: Pool, clock: Clock, words: Mapping[str, Words], public_url: str, random: np.random.Generator,
        sender: Send = send,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._clock = clock
        self._words = words
        self._public_url = public_url
        self._random = random
        self._send = sender
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="notify")
        self._lock = Lock()
        self._busy = 0

    def start_due(self) -> list[Future[SendReason]]:
        """Claims as many due deliveries as threads are free and starts sending them. Does not wait for them."""
        with self._lock:
            free = WORKERS - self._busy
        if free <= 0:
            return []
        now = self._clock.now()
        lease_until = now + lasting(self._clock, LEASE_S)
        with self._pool.connection() as connection:
            claimed = connection.execute(
                QUERIES["claim_deliveries"], {"now": now, "lease_until": lease_until, "limit": free}
            ).fetchall()
        with self._lock:
            self._busy += len(claimed)
        futures = [self._threads.submit(self._deliver, row) for row in claimed]
        for future in futures:
            future.add_done_callback(self._free)
        return futures

    def close(self) -> None:
        """Lets the sends under way end (each has its timeout) and takes no more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _free(self, future: Future[SendReason]) -> None:
        with self._lock:
            self._busy -= 1
        if not future.cancelled() and (error := future.exception()) is not None:
            # the edge of a thread: the delivery stays queued and its lease ends
            structlog.get_logger().error("delivery_broke", error=type(error).__name__)

    def _deliver(self, delivery: Mapping[str, Any]) -> SendReason:
        alert, message = self._word(delivery) if delivery["digest_id"] is None else (None, self._digest(delivery))
        over = alert is not None and alert["state"] == AlertState.RESOLVED
        if message is None or over != (delivery["purpose"] == "ended"):  # resolved meanwhile, or reopened
            sent = Sent(SendReason.NOT_NEEDED)
        else:
            sent = self._try(delivery["channel"], message)
        self._settle(delivery, alert, sent)
        return sent.reason

    def _try(self, channel: str, message: Message) -> Sent:
        try:
            return self._send(channel, message)
        except Exception as error:  # noqa: BLE001 - the edge to a hundred services' plugins: logged, counted, tried again
            return Sent(SendReason.BROKEN, type(error).__name__)

    def _word(self, delivery: Mapping[str, Any]) -> tuple[dict[str, Any], Message]:
        with self._pool.connection() as connection:
            alert = connection.execute(QUERIES["alert_to_tell"], {"alert_id": delivery["alert_id"]}).fetchone()
            person = connection.execute(QUERIES["locale_of"], {"person_id": delivery["person_id"]}).fetchone()
        if alert is None:  # a foreign key says that this cannot be
            raise LookupError(f"delivery {delivery['id']} is about an alert that is not there")
        locale = person["locale"] if person else DEFAULT_LOCALE
        told = alert | {"purpose": delivery["purpose"], "unanswered": delivery["unanswered"]}
        return alert, word_message(self._words, locale, told, self._public_url, self._clock.now())

    def _digest(self, delivery: Mapping[str, Any]) -> Message | None:
        """The message; None when all that it would say is over."""
        now = self._clock.now()
        with self._pool.connection() as connection:
            digest = connection.execute(QUERIES["digest_to_tell"], {"digest_id": delivery["digest_id"]}).fetchone()
            person = connection.execute(QUERIES["locale_of"], {"person_id": delivery["person_id"]}).fetchone()
            if digest is None or person is None:  # a foreign key says that this cannot be
                raise LookupError(f"delivery {delivery['id']} is a digest that is not there")
            if digest["kind"] == "morning":
                return word_morning(self._words, person["locale"], digest["lines"], self._public_url, now)
            alerts = connection.execute(QUERIES["alerts_of_digest"], {"ids": digest["lines"]}).fetchall()
        return word_held(self._words, person["locale"], alerts, self._public_url, now) if alerts else None

    def _settle(self, delivery: Mapping[str, Any], alert: Mapping[str, Any] | None, sent: Sent) -> None:
        now = self._clock.now()
        again = sent.retry_helps and delivery["attempts"] < MAX_ATTEMPTS
        state = "sent" if sent.ok else "queued" if again else "failed"
        with self._pool.connection() as connection:
            connection.execute(
                QUERIES["log_attempt"],
                {"delivery_id": delivery["id"], "now": now, "ok": sent.ok, "reason": sent.reason.value,
                 "detail": sent.detail},
            )  # fmt: skip
            connection.execute(
                QUERIES["settle_delivery"],
                {"id": delivery["id"], "attempts": delivery["attempts"], "state": state,
                 "next_try_at": self._next_try(now, delivery["attempts"]) if again else None},
            )  # fmt: skip
            if alert is not None and sent.reason is not SendReason.NOT_NEEDED and not again:
                what = "told" if sent.ok else "not_told"
                details = {"rung": delivery["rung"], "reason": sent.reason.value, "purpose": delivery["purpose"]}
                record(connection, alert["id"], now, what, details, delivery["person_id"])
                announce(connection, alert["id"], alert["home_id"])
        if not sent.ok:
            structlog.get_logger().warning(
                "not_sent", alert=delivery["alert_id"], delivery=delivery["id"], reason=sent.reason.value, again=again
            )

    def _next_try(self, now: datetime, attempts: int) -> datetime:
        """Doubles from `FIRST_RETRY_S`; between half of it and all of it, so that many do not come back at once."""
        with self._lock:
            share = self._random.uniform(0.5, 1.0)
        return now + lasting(self._clock, float(share) * min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (attempts - 1)))

"""Claims due deliveries, sends them side by side, and writes down what came of each.

At least once: a delivery is claimed for `LEASE_S` in a short transaction, sent outside of any, and settled in
another one. A worker killed in between leaves it `queued`; when it is known to be dead (alerts/slices.py), or after
`LEASE_S`, it is sent (perhaps again).
Many at once for one address go as one message; what is not urgent waits while somebody has had their share.
A service that hangs holds its own line (alerts/notify/lines.py); the others go on.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event, Lock
from typing import Any, Final

import numpy as np
import structlog

from alerts.lifecycle import announce, record
from alerts.notify.compose import Composed, Delivery, compose
from alerts.notify.lines import PER_LINE, Lines
from alerts.notify.message import Message
from alerts.notify.push import subscription_of
from alerts.notify.result import SendReason, Sent
from alerts.notify.sender import send
from alerts.pace import lasting
from alerts.slices import free_claims
from core.clock import Clock
from core.words import Words
from store.pool import Connection, Pool
from store.queries import load_queries

QUERIES: Final = load_queries(__package__)
WORKERS: Final = 16
LEASE_S: Final = 60.0  # longer than any send may last
FIRST_RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 600.0
MAX_ATTEMPTS: Final = 10  # 5 s, 10 s ... 10 min: about half an hour
# How much one gets before what is not urgent waits: real seconds, so that a demo's fast time mutes nobody.
PERSON_MOST, PERSON_SPAN_S = 6, 600.0
LINE_MOST, LINE_SPAN_S = 20, 60.0  # what group robots commonly allow
# From how many on one message says all: urgent ones of the last two minutes count together.
BUNDLE_CALM, BUNDLE_URGENT, BUNDLE_SPAN_S = 3, 4, 120.0

Send = Callable[[str, Message], Sent]


class Outbox:
    """Sends what is due in `delivery`. Times in it are the platform's clock; waits last real seconds.

    Args:
        random: for the jitter of retries.
        sender: sends one message over one channel.
        worker: by which name the process has signed on (alerts/slices.py): what it has claimed is free when it is dead,
            not only when the claim runs out. None = a claim runs out.

    Attributes:
        freed: set when a thread has become free, so that whoever waits claims more at once.
    """

    def __init__(
        self, pool: Pool, clock: Clock, words: Mapping[str, Words], public_url: str, random: np.random.Generator,
        sender: Send = send, worker: str | None = None,
    ) -> None:  # fmt: skip
        self.freed = Event()
        self._pool = pool
        self._clock = clock
        self._words = words
        self._public_url = public_url
        self._random = random
        self._send = sender
        self._worker = worker
        self._starts = True
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="notify")
        self._lines = Lines(WORKERS)
        self._lock = Lock()

    def start_due(self) -> list[Future[SendReason]]:
        """Claims as many due messages as threads and lines are free and starts sending them. Does not wait for them."""
        futures: list[Future[SendReason]] = []
        while groups := self._claim():
            futures += [self._start(group) for group in groups]
        return futures

    def close(self) -> None:
        """Lets the sends under way end (each has its timeout) and takes no more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _claim(self) -> list[Sequence[Delivery]]:
        free = self._lines.free()
        if free == 0:
            return []
        now = self._clock.now()
        rooms = self._lines.rooms()
        with self._pool.connection() as connection:
            if self._starts and self._worker is not None:  # what a process of this name had, that was killed
                free_claims(connection, now, [self._worker])
            self._starts = False
            claimed = connection.execute(
                QUERIES["claim_deliveries"],
                {"now": now, "lease_until": now + lasting(self._clock, LEASE_S), "limit": free,
                 "full": [line for line, room in rooms.items() if room == 0], "most_a_line": PER_LINE,
                 "lines": list(rooms), "rooms": list(rooms.values()), "worker": self._worker,
                 **self._busy(connection, now)},
            ).fetchall()  # fmt: skip
            groups = [self._with_company(connection, now, row) for row in claimed]
        return sorted(groups, key=lambda group: not group[0]["urgent"])

    def _busy(self, connection: Connection, now: datetime) -> dict[str, list[Any]]:
        """Who and what has had its share of late."""
        people = {"since": now - lasting(self._clock, PERSON_SPAN_S), "most": PERSON_MOST}
        lines = {"since": now - lasting(self._clock, LINE_SPAN_S), "most": LINE_MOST}
        return {
            "busy_people": [row["person_id"] for row in connection.execute(QUERIES["busy_people"], people)],
            "busy_lines": [row["line"] for row in connection.execute(QUERIES["busy_lines"], lines)],
        }

    def _with_company(self, connection: Connection, now: datetime, delivery: Delivery) -> Sequence[Delivery]:
        if delivery["purpose"] != "alert":
            return [delivery]
        together = connection.execute(
            QUERIES["claim_company"],
            {"now": now, "lease_until": now + lasting(self._clock, LEASE_S), "id": delivery["id"],
             "worker": self._worker, "channel": delivery["channel"], "person_id": delivery["person_id"],
             "urgent": delivery["urgent"], "since": now - lasting(self._clock, BUNDLE_SPAN_S),
             "many": BUNDLE_URGENT if delivery["urgent"] else BUNDLE_CALM},
        ).fetchall()  # fmt: skip
        return sorted(together, key=lambda one: one["id"]) or [delivery]

    def _start(self, group: Sequence[Delivery]) -> Future[SendReason]:
        line = group[0]["line"]
        self._lines.take(line)
        try:
            future = self._threads.submit(self._deliver, group)
        except RuntimeError:  # it is being closed: the lease ends, and another worker sends it
            self._lines.give_back(line)
            raise
        future.add_done_callback(lambda ended: self._free(line, ended))
        return future

    def _free(self, line: str, future: Future[SendReason]) -> None:
        self._lines.give_back(line)
        self.freed.set()
        if not future.cancelled() and (error := future.exception()) is not None:
            # the edge of a thread: the delivery stays queued and its lease ends
            structlog.get_logger().error("delivery_broke", error=type(error).__name__)

    def _deliver(self, group: Sequence[Delivery]) -> SendReason:
        with self._pool.connection() as connection:
            composed = compose(connection, self._clock.now(), self._words, self._public_url, group)
        if composed.message is None:
            sent = Sent(SendReason.NOT_NEEDED)
        else:
            sent = self._try(group[0]["channel"], composed.message)
            self._lines.learn(group[0]["line"], sent)
        self._settle(group, composed, sent)
        return sent.reason

    def _try(self, channel: str, message: Message) -> Sent:
        try:
            return self._send(channel, message)
        except Exception as error:  # noqa: BLE001 - the edge to a hundred services' plugins: logged, counted, tried again
            return Sent(SendReason.BROKEN, type(error).__name__)

    def _settle(self, group: Sequence[Delivery], composed: Composed, sent: Sent) -> None:
        needed = {one["id"] for one in composed.needed}
        with self._pool.connection() as connection:
            for delivery in group:
                own = sent if delivery["id"] in needed else Sent(SendReason.NOT_NEEDED)
                self._settle_one(connection, delivery, composed, own)
            if sent.reason is SendReason.GONE:
                gone = {"id": subscription_of(group[0]["channel"]), "channel": group[0]["channel"]}
                connection.execute(QUERIES["forget_subscription"], gone)
        if not sent.ok:
            structlog.get_logger().warning(
                "not_sent", deliveries=[one["id"] for one in group], reason=sent.reason.value, detail=sent.detail
            )

    def _settle_one(self, connection: Connection, delivery: Delivery, composed: Composed, sent: Sent) -> None:
        now = self._clock.now()
        again = sent.retry_helps and delivery["attempts"] < MAX_ATTEMPTS
        state = "sent" if sent.ok else "queued" if again else "failed"
        connection.execute(
            QUERIES["log_attempt"],
            {"delivery_id": delivery["id"], "now": now, "ok": sent.ok, "reason": sent.reason.value,
             "detail": sent.detail},
        )  # fmt: skip
        connection.execute(
            QUERIES["settle_delivery"],
            {"id": delivery["id"], "attempts": delivery["attempts"], "telling": delivery["telling"], "state": state,
             "reached": sent.ok, "now": now,
             "next_try_at": self._next_try(now, delivery["attempts"]) if again else None},
        )  # fmt: skip
        alert_id = delivery["alert_id"]
        if alert_id is not None and sent.reason is not SendReason.NOT_NEEDED and not again:
            what = "told" if sent.ok else "not_told"
            details = {"rung": delivery["rung"], "reason": sent.reason.value, "purpose": delivery["purpose"]}
            if delivery["bundle_id"] is not None:
                details["bundle"] = delivery["bundle_id"]
            record(connection, alert_id, now, what, details, delivery["person_id"])
            announce(connection, alert_id, composed.homes.get(alert_id))

    def _next_try(self, now: datetime, attempts: int) -> datetime:
        """Doubles from `FIRST_RETRY_S`; between half of it and all of it, so that many do not come back at once."""
        with self._lock:
            share = self._random.uniform(0.5, 1.0)
        return now + lasting(self._clock, float(share) * min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (attempts - 1)))

"""The part of the alerts service that tells: the outbox and its threads, the operator's guard, the heartbeat out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from time import monotonic, time
from typing import Final

import numpy as np
import structlog

from alerts.notify.dispatch import Dispatch, Pushing
from alerts.notify.keys import QUERIES, Keys, make_keys
from alerts.notify.outbox import Outbox
from alerts.notify.push import Subscription
from alerts.watcher.beat import due_beat
from alerts.watcher.guard import LOOK_S, Guard
from alerts.watcher.operator import Operator
from alerts.watcher.signs import Limits
from core.clock import Clock
from core.words import Words
from store.pool import Pool

PULSE_S: Final = 1.0  # how soon what has become due is sent
AGAIN_S: Final = 1.0


@dataclass(frozen=True)
class Voice:
    """How the platform speaks of itself.

    Attributes:
        operator, heartbeat: channels of who runs it, and of who waits for its sign of life.
        heartbeat_s: how often, seconds of the platform's clock.
        contact: `mailto:` or `https:` for the push services.
    """

    public_url: str
    operator: Sequence[str]
    heartbeat: Sequence[str]
    heartbeat_s: float
    locale: str
    zone: str
    contact: str
    limits: Limits


class Telling:
    """Two threads: one sends what is due, as soon as a thread of the outbox is free; one looks at the platform."""

    def __init__(
        self, pool: Pool, clock: Clock, words: Mapping[str, Words], voice: Voice,
        failed: Callable[[str, Exception], None], worker: str,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._clock = clock
        self._voice = voice
        self._words = words[voice.locale]
        self._failed = failed
        self._keys: Keys | None = None
        dispatch = Dispatch(voice.public_url, time, Pushing(self._own_keys, voice.contact, self._subscription))
        self._outbox = Outbox(pool, clock, words, voice.public_url, np.random.default_rng(), dispatch, worker=worker)
        self._plain = Dispatch(voice.public_url, time)
        operator = Operator(voice.operator, self._words, voice.zone, self._plain)
        self._guard = Guard("alerts", pool, clock, operator, voice.limits, monotonic)
        self._stopping = Event()
        self._threads = [
            Thread(target=self._run, args=(self._send, 0.0), name="telling", daemon=True),
            Thread(target=self._run, args=(self._look, LOOK_S), name="guard", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something new may be due."""
        self._outbox.freed.set()

    def stop(self) -> None:
        """Lets what is under way end."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join()
        self._outbox.close()

    def _run(self, work: Callable[[], None], pause_s: float) -> None:
        while not self._stopping.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the edge of a thread: without it nobody is told any more
                self._failed(work.__name__.strip("_"), error)
                self._stopping.wait(AGAIN_S)
            self._stopping.wait(pause_s)

    def _send(self) -> None:
        self._own_keys()
        self._outbox.freed.clear()
        self._outbox.start_due()
        self._outbox.freed.wait(PULSE_S)

    def _look(self) -> None:
        self._guard.look()
        if not self._voice.heartbeat:
            return
        every = timedelta(seconds=self._voice.heartbeat_s)
        with self._pool.connection() as connection:
            message = due_beat(connection, self._clock.now(), every, self._words)
        if message is not None:
            for channel in self._voice.heartbeat:
                sent = self._plain(channel, message)
                if not sent.ok:  # whoever waits for it hears the silence: that is what it is for
                    structlog.get_logger().warning("heartbeat_not_sent", reason=sent.reason.value)

    def _own_keys(self) -> Keys:
        if self._keys is None:
            with self._pool.connection() as connection:
                self._keys = make_keys(connection, self._clock.now())
        return self._keys

    def _subscription(self, number: int) -> Subscription | None:
        with self._pool.connection() as connection:
            row = connection.execute(QUERIES["subscription"], {"id": number}).fetchone()
        return Subscription(**row) if row else None

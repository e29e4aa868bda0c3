"""Rules for when the platform is out of reach: SOS, fall and smoke still act, in the home, by a message to its broker.

The event itself goes into the outbox as always and arrives once; what is told besides is `acted_locally` of the device,
which raises nothing. While the platform answers, nothing happens here: people are called by it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.configuration import Configuration, Publication, Rule, Trigger
from core.model import Reading

AGAIN_AFTER: Final = timedelta(seconds=60)  # the same device for the same reason within this time is the same event
ON_ITS_WAY: Final = timedelta(seconds=2)  # into the outbox: until then it cannot be told from one that was taken
OLD: Final = timedelta(minutes=10)  # what was measured so long ago is no reason to wake a home
_LEAST: Final = {Trigger.FALL: 2.0}  # 1 is the warning before a fall


class Deed(NamedTuple):
    """A rule that acts: what to publish, and the readings that tell of it."""

    publish: list[Publication]
    readings: list[Reading]


class _Waiting(NamedTuple):
    device: str
    trigger: Trigger
    since: datetime


class Rules:
    """The rules of one gateway. Not for several threads at once."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._patience = timedelta(seconds=Configuration().thresholds.out_of_reach_s)
        self._waiting: list[_Waiting] = []
        self._acted: dict[tuple[str, Trigger], datetime] = {}
        self._last: dict[tuple[str, Trigger], float] = {}

    def configure(self, configuration: Configuration) -> None:
        self._rules = configuration.rules
        self._patience = timedelta(seconds=configuration.thresholds.out_of_reach_s)

    def happened(self, readings: Iterable[Reading], now: datetime, connected: bool) -> Deed:
        """Looks at what devices say. Acts at once without a line; else it waits whether the platform takes it."""
        deed = Deed([], [])
        for reading in readings:
            if reading.metric not in Trigger.__members__.values():
                continue
            trigger = Trigger(reading.metric)
            began = self._begins(reading, trigger)
            if not began or now - reading.time > OLD or not self._of(trigger):
                continue
            if connected:
                self._waiting.append(_Waiting(reading.device, trigger, now))
            else:
                self._act(deed, reading.device, trigger, now)
        return deed

    def tick(self, now: datetime, connected: bool, urgent_since: datetime | None) -> Deed:
        """Acts for what has waited too long for the platform.

        Args:
            urgent_since: when the oldest urgent reading was received that the platform has not acknowledged.
        """
        deed = Deed([], [])
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            gone = urgent_since is None or urgent_since > one.since
            if gone and now - one.since >= ON_ITS_WAY:
                continue  # the platform has it
            if gone or (connected and now - one.since < self._patience):
                self._waiting.append(one)
            else:
                self._act(deed, one.device, one.trigger, now)
        return deed

    def _begins(self, reading: Reading, trigger: Trigger) -> bool:
        """Whether a danger begins. A state is said again and again; a button that never says 0 is pressed each time."""
        key = (reading.device, trigger)
        on = reading.value >= _LEAST.get(trigger, 1.0)
        before = self._last.get(key)
        self._last[key] = float(on)
        return on and (before != 1.0 or trigger is Trigger.SOS)

    def _of(self, trigger: Trigger) -> list[Publication]:
        return [one for rule in self._rules if trigger in rule.when for one in rule.publish]

    def _act(self, deed: Deed, device: str, trigger: Trigger, now: datetime) -> None:
        last = self._acted.get((device, trigger))
        if last is not None and timedelta() <= now - last < AGAIN_AFTER:
            return
        self._acted[device, trigger] = now
        deed.publish.extend(self._of(trigger))
        deed.readings.append(Reading(device, "acted_locally", now, 1.0, now))

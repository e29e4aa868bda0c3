"""How long one thing has been quiet, and how long it may be: the longest gap that is usual for it, learned.

Only time in which it could have been heard is counted: not while the gateway was off, its hub away, or the home's
broker out of reach. So a sensor that died is found also where the gateway restarts each day, and a gateway that was off
for a week accuses nobody.
"""

from datetime import datetime
from typing import Final

import msgspec

DAYS: Final = 14  # that are remembered
LEARNED: Final = 4  # days that must be known before a habit counts
MARGIN: Final = 2.0  # x the longest usual gap
LEAST_BATTERY_S: Final = 2 * 3600.0  # a learned limit is never shorter
MOST_MAINS_S: Final = 2 * 3600.0


class Quiet(msgspec.Struct):
    """One device, or one hub as a whole.

    Attributes:
        quiet_s: time that could have been heard since its last message.
        days: day (number since 1970, UTC) -> the longest gap that ended on it, seconds.
        heard: whether it ever spoke.
    """

    quiet_s: float = 0.0
    days: dict[int, float] = {}
    heard: bool = False

    def pass_time(self, seconds: float) -> None:
        """So much time went by in which it could have been heard."""
        self.quiet_s += seconds

    def speak(self, now: datetime) -> None:
        """It was heard: a gap ends."""
        if self.heard:
            today = int(now.timestamp() // 86_400)
            self.days[today] = max(self.days.get(today, 0.0), self.quiet_s)
            # not by age: a clock that was wrong for an hour must not wipe out what was learned
            for old in sorted(self.days)[:-DAYS]:
                del self.days[old]
        self.heard = True
        self.quiet_s = 0.0

    def usual_s(self) -> float | None:
        """The longest usual gap: the second longest of the remembered days, as the worst one was an accident.

        None until enough days are known.
        """
        if len(self.days) < LEARNED:
            return None
        return sorted(self.days.values())[-2]

    def limit_s(self, *, mains: bool, first_s: float, most_s: float) -> float:
        """How long it may be quiet, in seconds.

        Args:
            mains: it has power: it is expected within `first_s` unless its own habit is slower, within 2 hours at most.
            first_s: what holds while its habit is not known.
            most_s: the longest that a battery device's limit can be.
        """
        usual = self.usual_s()
        if usual is None:
            return first_s
        if mains:
            return max(first_s, min(MARGIN * usual, MOST_MAINS_S))
        return min(max(MARGIN * usual, LEAST_BATTERY_S), most_s)

"""The stack's time. Every process of a stack lives in one time, and a data folder's time never goes back, unless it
was the machine's own clock that was set right.

`clock.json` says how far the folder's time has come. A scaled clock runs ahead of what was last written, so
what is written lies a few seconds ahead of it: after a kill -9 the folder begins where nothing can be yet.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.clock import Clock, ScaledClock, SystemClock, parse_clock
from core.errors import SettingsError, StackError

AHEAD_S: Final = 5.0  # real seconds; the stack writes every second


@dataclass(frozen=True)
class StackClock:
    """The clock of a stack.

    Attributes:
        clock: what gives the present here.
        text: the same as a `YIJU_CLOCK` for the children.
        remark: a sentence for the person who started it, or "".
    """

    clock: Clock
    text: str
    remark: str = ""

    def lived(self, *, stopped: bool = False) -> "Lived":
        """What to write down now: no process of this stack has been later than that."""
        now = self.clock.now()
        if isinstance(self.clock, ScaledClock) and not stopped:
            ahead = timedelta(seconds=AHEAD_S)
            now += ahead * (ahead.total_seconds() / self.clock.real_seconds(ahead))
        return Lived(now, self.text)


@dataclass(frozen=True)
class Lived:
    """How far a folder's time has come, and the `YIJU_CLOCK` that it was last run with."""

    to: datetime
    clock: str


def choose_clock(setting: str, speed: float | None, lived: Lived | None, real_now: datetime) -> StackClock:
    """The clock for a folder that has `lived` (None: it is new).

    Args:
        setting: `YIJU_CLOCK`; "" when it is not set.
        speed: `--speed`; None when it is not given.
        real_now: the machine's time.

    Raises:
        SettingsError: the setting cannot be read, or it and the speed are both given.
        StackError: the clock would show a time that this folder has passed.
    """
    if setting and speed is not None:
        raise SettingsError("both YIJU_CLOCK and --speed are given: give one of them")
    if setting:
        clock = parse_clock(setting)
        if lived is not None and lived.clock != setting and clock.now() < lived.to:
            raise StackError(
                f"YIJU_CLOCK shows {clock.now():%Y-%m-%d %H:%M:%S}, but this data folder has come to"
                f" {lived.to:%Y-%m-%d %H:%M:%S} UTC and time does not go back: choose another YIJU_HOME"
            )
        return StackClock(clock, setting)
    origin, remark = real_now, ""
    if lived is not None and lived.to > real_now and lived.clock == "system" and speed is None:
        # It was the machine's clock that was wrong. Gateways live in the true time: to stay ahead of them would make
        # every button's press look old.
        remark = f"the machine's clock was ahead when this data folder ran last, up to {lived.to:%Y-%m-%d %H:%M} UTC"
        return StackClock(SystemClock(), "system", remark)
    if lived is not None and lived.to > real_now:
        origin = lived.to
        remark = f"this data folder has lived ahead of the machine's clock: it goes on from {origin:%Y-%m-%d %H:%M} UTC"
    elif speed is None:
        return StackClock(SystemClock(), "system")
    scaled = ScaledClock(origin, real_now, 1.0 if speed is None else speed)
    return StackClock(scaled, str(scaled), remark)

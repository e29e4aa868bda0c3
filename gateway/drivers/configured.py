"""Fields that only their owner can name: what a switch, a meter's number or an entity means, from a setting.

An entry is written `[device/]field=[!]metric[*factor]`; several are separated by spaces.

    Switch1=open                 of any device; ON = open
    bed/Switch1=occupied         only of the device `bed`; it replaces the entry for any
    hall/Switch2=!open           ! turns on and off round, and the sign of a number
    plug/Switch1=                not read
    SML.P_kW=power*1000          a meter whose script calls its power so, in kW
    COUNTER.C1=water*0.001       a pulse counter of one litre a pulse
    Button1=sos                  any press of it
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from core.errors import SettingsError
from core.metrics import BY_NAME, METRICS
from gateway.drivers.base import measurement, number

_ENTRY: Final = re.compile(r"(?:([^\s=]+)/)?([^\s/=]+)=(!?)([a-z_]*)(?:\*([0-9.eE-]+))?")
_STATES: Final = {"on": 1.0, "off": 0.0, "1": 1.0, "0": 0.0, "true": 1.0, "false": 0.0}
_STATE_METRICS: Final = frozenset(m.name for m in METRICS if (m.low, m.high, m.unit) in ((0, 1, ""), (0, 2, "")))
_PRESSED: Final = frozenset({"sos", "ok_press"})  # metrics of buttons: 1 = pressed, and never 0


class Configured(NamedTuple):
    """One entry of the setting. `device` "" is any; `metric` "" is none."""

    device: str
    field: str
    inverted: bool
    metric: str
    factor: float

    @property
    def pressed(self) -> bool:
        """Whether it is about a button's presses."""
        return self.metric in _PRESSED

    def value(self, content: object) -> float | None:
        """The reading of what the device sent, None if it can be none."""
        if BY_NAME[self.metric].unit == "" and (state := _STATES.get(str(content).lower())) is not None:
            return self.of_state(state == 1)
        if self.metric in _STATE_METRICS:
            return None
        value = measurement(content)
        return None if value is None else number(value * self.factor * (-1 if self.inverted else 1))

    def of_state(self, on: bool) -> float:
        """The reading of a state. A sensor that knows only yes and no of a fall means an alarm, not a warning."""
        high = 2.0 if self.metric == "fall" else 1.0
        return high if on is not self.inverted else 0.0


def parse_fields(text: str, variable: str) -> tuple[Configured, ...]:
    """Reads the setting `variable`.

    Raises:
        SettingsError: naming the entry and what is wrong with it.
    """
    return tuple(_parse(entry, variable) for entry in text.split())


def fields_of(configured: Iterable[Configured], device: str) -> dict[str, Configured]:
    """Field -> the entry that counts for this device."""
    entries = tuple(configured)
    for_any = {entry.field: entry for entry in entries if not entry.device}
    return {**for_any, **{entry.field: entry for entry in entries if entry.device == device}}


def _parse(entry: str, variable: str) -> Configured:
    match = _ENTRY.fullmatch(entry)
    metric = match[4] if match else ""
    if match is None or (metric and metric not in BY_NAME):
        raise SettingsError(
            f"{variable} has {entry!r}: write [device/]field=metric, e.g. Switch1=open; "
            f"metrics are {', '.join(BY_NAME)}"
        )
    try:
        factor = float(match[5] or 1)
    except ValueError as error:
        raise SettingsError(f"{variable} has {entry!r}: {match[5]!r} is no factor") from error
    return Configured(match[1] or "", match[2], bool(match[3]), metric, factor)

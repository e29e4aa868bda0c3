"""What can be measured. One line a metric; the numbers are stored, so a number is never used twice.

Binary metrics are 0 or 1. A reading is a *sign of life* when its metric shows a person and its state changed: to on
(motion begins), or either way (a door, a bed: both edges are a person's doing). A state that is only said again is
none: Zigbee2MQTT repeats `occupancy: true` with every battery report, and a radar says `presence` each minute of
somebody who lies on the floor. From a sensor that never says 0 the gateway marks each 1 as a change, as there is no
other way to see it move (gateway/outbox.py).
"""

from enum import StrEnum
from typing import Final

import msgspec


class Life(StrEnum):
    """Which readings of a metric show that somebody is there and moves."""

    NEVER = "never"
    TURNED_ON = "turned_on"  # a change to 1
    ON_CHANGE = "on_change"  # any change of state


class Metric(msgspec.Struct, frozen=True):
    """A measurable thing.

    Attributes:
        id: the number it is stored under (`reading.metric`, int2).
        name: its name on the wire.
        unit: unit of the value; "" for states.
        low, high: the least and the greatest value that can be true; outside is rejected.
        urgent: travels in the urgent lane when it is not 0 or has changed.
        life: which of its readings are signs of life.
    """

    id: int
    name: str
    unit: str
    low: float
    high: float
    urgent: bool = False
    life: Life = Life.NEVER


METRICS: Final[tuple[Metric, ...]] = (
    Metric(1, "motion", "", 0, 1, life=Life.TURNED_ON),
    Metric(2, "open", "", 0, 1, life=Life.ON_CHANGE),  # a contact: 1 = open
    Metric(3, "occupied", "", 0, 1, life=Life.ON_CHANGE),  # bed or seat: 1 = somebody on it
    Metric(4, "presence", "", 0, 1, life=Life.TURNED_ON),  # radar: 1 = somebody in the room
    Metric(5, "fall", "", 0, 2, urgent=True),  # 0 normal, 1 warning (may be a fall), 2 alarm
    Metric(6, "sos", "", 0, 1, urgent=True),  # 1 = pressed
    Metric(7, "smoke", "", 0, 1, urgent=True),
    Metric(8, "gas", "", 0, 1, urgent=True),
    Metric(9, "leak", "", 0, 1, urgent=True),
    Metric(10, "tamper", "", 0, 1, urgent=True),
    Metric(11, "ok_press", "", 0, 1, life=Life.TURNED_ON),  # the answer to "are you all right?"
    Metric(20, "power", "W", -100_000, 100_000),  # negative: the home feeds in (solar)
    Metric(21, "energy", "kWh", 0, 1e9),  # a counter
    Metric(22, "water", "m3", 0, 1e9),  # a counter
    Metric(23, "energy_out", "kWh", 0, 1e9),  # a counter of what the home fed in
    Metric(30, "temperature", "°C", -60, 100),
    Metric(31, "humidity", "%", 0, 100),
    Metric(40, "battery", "%", 0, 100),
    Metric(41, "link_quality", "", 0, 255),
    Metric(42, "online", "", 0, 1),  # the device's own availability message
    Metric(43, "battery_low", "", 0, 1),
    Metric(44, "signal", "dBm", -150, 20),  # of a radio that says it so: Wi-Fi, mostly
    Metric(45, "battery_voltage", "V", 0, 100),
    Metric(50, "uptime", "s", 0, 1e10),  # 50-54, 64-67: the gateway about itself
    Metric(51, "outbox_depth", "batches", 0, 1e10),
    Metric(52, "outbox_age", "s", 0, 1e10),
    Metric(53, "readings_lost", "readings", 0, 1e10),  # thinned because the disk budget was full
    Metric(54, "disk_free", "MB", 0, 1e10),
    # 55-58: what the gateway's watchdog says of a device (55, 56, 58) and of itself (57)
    Metric(55, "silent", "", 0, 2),  # 0 heard, 1 silent for too long, 2 cannot be heard: its hub is down
    Metric(56, "silence_limit", "s", 0, 1e7),  # how long this device may be silent, learned
    Metric(57, "hubs_down", "", 0, 100),
    Metric(58, "sos_test", "", 0, 1),  # 1 = the button was pressed when the gateway had asked for a test
    Metric(59, "acted_locally", "", 0, 1),  # 1 = the home was warned on the spot, as the platform was out of reach
    # 60-63: the answer to a command from the platform; the value is the command's id
    Metric(60, "answer_ok", "", 0, 2**53, urgent=True),
    Metric(61, "answer_help", "", 0, 2**53, urgent=True),
    Metric(62, "answer_none", "", 0, 2**53, urgent=True),
    Metric(63, "command_refused", "", 0, 2**53, urgent=True),
    Metric(64, "clock_offset", "s", -1e10, 1e10),  # the platform's clock less the gateway's
    Metric(65, "cpu_temperature", "°C", -60, 150),
    Metric(66, "line_loss", "%", 0, 100),  # of the batches of the last minute, how many had to be sent again
    Metric(67, "reconnects", "", 0, 1e10),  # connections to the platform that were made anew since the start
    Metric(68, "test_asked", "", 0, 1),  # 1 = a test press of this button was asked for
)

BY_NAME: Final[dict[str, Metric]] = {metric.name: metric for metric in METRICS}
BY_ID: Final[dict[int, Metric]] = {metric.id: metric for metric in METRICS}


def is_sign_of_life(metric: Metric, value: float, changed: bool) -> bool:
    """Whether this reading shows that somebody is there and moves."""
    return changed and (metric.life is Life.ON_CHANGE or (metric.life is Life.TURNED_ON and value == 1))

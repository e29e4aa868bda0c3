"""What each sensor says of its own: for the detector of those that speak and cannot be right."""

from dataclasses import dataclass

from alerts.detect.arrays import Bools, Floats, Ints, Texts


@dataclass(frozen=True)
class Sensors:
    """One row a device, in the order of `arrays.Devices`.

    Attributes:
        device_id, home_id: int64 [devices]. kind, room: as in Devices.
        value: last value of its main metric (contact: open, motion and radar: somebody, bed: occupied, meter: W,
            climate: degrees), measured at `time`; NaN = it has none or never said it.
        changed_at: when that last changed; NaN = never.
        life_at: its last sign of life; NaN = never, or it can show none.
        alive: whether it can be believed to be alive now.
        registered_at: never NaN.
        elsewhere_at: the last sign of life in the home by another device than this.
        door_at: last change of the home's exterior door.
    """

    device_id: Ints
    home_id: Ints
    kind: Texts
    room: Texts
    value: Floats
    time: Floats
    changed_at: Floats
    life_at: Floats
    alive: Bools
    registered_at: Floats
    elsewhere_at: Floats
    door_at: Floats
    stuck_s: Floats
    mute_s: Floats

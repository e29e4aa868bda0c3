"""What followed each urgent event: whether somebody rose, moved elsewhere or said that all is well."""

from dataclasses import dataclass

from alerts.detect.arrays import Floats


@dataclass(frozen=True)
class Aftermath:
    """One row an event, in the order of `arrays.UrgentEvents`. Times are epoch seconds, NaN = never.

    Attributes:
        stored_at: when the platform stored the event; never NaN. The wait counts from here, as a home's
            clock may be wrong.
        life_at: last sign of life in the home, of any device.
        elsewhere_at: last sign of life in another room than the event's.
        ok_at: when the OK button of the home was last pressed.
    """

    stored_at: Floats
    life_at: Floats
    elsewhere_at: Floats
    ok_at: Floats

"""What a gateway heard from a device, as its listeners get it, and what listeners are."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from core.model import Reading
from gateway.drivers.base import Decoded


class Heard(msgspec.Struct, frozen=True):
    """One message of the home's broker and what it came to.

    Attributes:
        topic, payload: as they came.
        received: when the gateway received it.
        retained: the broker sent it because it had kept it, not because the device spoke.
        decoded: its readings, which are on the disk by now, or why there are none. (On a full disk only what is urgent
            was taken, and a listener hears all the same.)
        waited: it had waited at the home's broker while the gateway was away.
    """

    topic: str
    payload: bytes
    received: datetime
    retained: bool
    decoded: Decoded
    waited: bool = False


Sieve = Callable[[list[Reading], datetime], list[Reading]]  # readings of one message, when it was received
Listener = Callable[[Heard], None]
Tick = Callable[[datetime], None]  # gets the present
Order = Callable[[str, bytes, bool], None]  # name of the topic below `down/`, payload, whether it was retained

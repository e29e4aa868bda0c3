"""The one error tree.

    YijuError
    ├── SettingsError      a setting is missing or cannot be read; names the variable and the remedy
    ├── RegisterError      a register file or request is wrong; names the file, the key and the remedy
    ├── WireError          a message cannot be taken; carries the `Reason` it is rejected with
    ├── StoreError         the database cannot serve
    ├── NotFound           no such home, alert, person ...
    ├── NotAllowed         this person may not do that
    ├── Conflict           the thing is not in a state that allows it (resolving a resolved alert)
    │   └── WrongTimes     times that somebody gave cannot be: an end before its beginning, a day that no calendar has
    └── StackError         the embedded stack cannot start or stop (a taken port, a missing program)

An error names the thing, the value and the remedy. HTTP statuses are given once, in api/errors.py.
"""

from enum import StrEnum


class YijuError(Exception):
    """Any error that Yiju raises on purpose. str(error) is a sentence for the person who reads it."""


class SettingsError(YijuError):
    """A setting is missing or cannot be read."""


class RegisterError(YijuError):
    """A register file or request is wrong."""


class StoreError(YijuError):
    """The database cannot serve."""


class NotFound(YijuError):
    """There is no such thing, or the asker may not know that there is."""


class NotAllowed(YijuError):
    """This person may not do that."""


class Conflict(YijuError):
    """The thing is not in a state that allows the request."""


class WrongTimes(Conflict):
    """Times that somebody gave cannot be as they were given."""


class StackError(YijuError):
    """The embedded stack cannot start or stop."""


class Reason(StrEnum):
    """Why something that arrived is in `rejected` and not in `reading`. A closed list, also a metric label."""

    UNDECODABLE = "undecodable"  # not JSON, or not the shape docs/asyncapi.yaml gives
    WRONG_VERSION = "wrong_version"  # "v" is not one that this code reads
    TOO_LARGE = "too_large"  # over wire.MAX_BATCH_BYTES or wire.MAX_BATCH_READINGS
    UNKNOWN_GATEWAY = "unknown_gateway"  # the topic names a gateway that is not registered
    UNKNOWN_DEVICE = "unknown_device"  # the gateway is known, the device is not
    OTHER_GATEWAY = "other_gateway"  # the device was with another gateway of its home when it was measured
    ENDED = "ended"  # measured after the device or its gateway was taken away
    UNKNOWN_METRIC = "unknown_metric"  # a metric name that core/metrics.py does not have
    NOT_A_NUMBER = "not_a_number"  # NaN, infinite, or outside what the metric can be
    TOO_EARLY = "too_early"  # measured before the home was commissioned
    UNSTORABLE = "unstorable"  # the database itself refused it, alone and twice
    IN_THE_FUTURE = "in_the_future"  # measured more than 10 minutes ahead of the platform's clock


class WireError(YijuError):
    """A message cannot be taken.

    Attributes:
        reason: the `Reason` it is rejected with.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

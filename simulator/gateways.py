"""What the simulator needs of a home's gateway. The real one is gateway.gateway.Gateway."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol


class HomeGateway(Protocol):
    """A home's box, fed with MQTT messages as the home's own broker would give them."""

    def start(self) -> object:
        """Connects and begins to send."""

    def receive_many(self, messages: Iterable[tuple[str, bytes, datetime]]) -> int:
        """Takes (topic, payload, received) in order; returns how many readings are now in its outbox, durably."""
        ...

    def tick(self, now: datetime) -> object:
        """Lets it do what is due: seal batches, measure its own health."""

    def flush(self) -> object:
        """Seals what has been received into batches."""

    def unacknowledged(self) -> int:
        """How many readings the platform has not yet confirmed."""
        ...

    def stop(self) -> object:
        """Says goodbye and disconnects; what is not confirmed stays in the outbox."""

"""What the simulator's tests share: a few homes, an ordinary Monday, and a gateway that only listens."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from core.wire import to_ms
from simulator.days import DayBook
from simulator.homes import DemoHome, demo_homes

SEED = 7
MONDAY = date(2026, 3, 2)
DAWN = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)  # Monday 03:00 in Shanghai
DAY = timedelta(days=1)
DAY_MS = 86_400_000


def home(number: int = 3) -> DemoHome:
    return demo_homes(SEED)[number - 1]


def book(number: int = 3) -> DayBook:
    return DayBook(home(number))


def at(hours: float) -> int:
    """Milliseconds since 1970 of so many hours after Monday's 03:00."""
    return to_ms(DAWN) + round(hours * 3_600_000)


class ListeningGateway:
    """Takes messages and keeps them; stands where a test is about the simulator alone."""

    def __init__(self) -> None:
        self.running = False
        self.heard: list[tuple[str, bytes, datetime]] = []
        self.ticks = 0

    def start(self) -> None:
        self.running = True

    def receive_many(self, messages: Iterable[tuple[str, bytes, datetime]]) -> int:
        new = list(messages)
        self.heard += new
        return len(new)

    def tick(self, now: datetime) -> None:
        self.ticks += 1

    def flush(self) -> None: ...

    def unacknowledged(self) -> int:
        return 0

    def stop(self) -> None:
        self.running = False

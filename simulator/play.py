"""The messages of a simulated home over any interval: the same for the same seed, home and day."""

from collections.abc import Iterator
from datetime import datetime

from core.wire import to_ms
from simulator.days import DayBook
from simulator.dialect import Event, Message, speak
from simulator.events import Events
from simulator.homes import DemoHome


def messages(book: DayBook, start: datetime, end: datetime) -> Iterator[Message]:
    """What the home's devices publish from `start` up to but not including `end` (aware), in time order.

    Intervals join without a seam: [a, b) and [b, c) give what [a, c) gives.
    """
    return spoken(book.home, book.events(to_ms(start), to_ms(end)))


def spoken(home: DemoHome, events: Events) -> Iterator[Message]:
    """The events in their devices' words."""
    return (speak(home, Event(*row)) for row in events.tolist())

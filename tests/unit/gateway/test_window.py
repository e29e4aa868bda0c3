"""The bulk window against a modelled line: it fills a fast one, and leaves a slow one usable."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.window import FIRST, LATE_S, LEAST, MOST, Window


def drain(batches: int, batch_s: float, delay_s: float) -> tuple[float, float]:
    """Sends `batches` over a line that carries one each `batch_s`, acknowledged `delay_s` later.

    Returns:
        Seconds that it took, and the longest time that a batch waited for its turn on the line after the first twenty.
    """
    window, now, line_free, sent, done, worst = Window(), 0.0, 0.0, 0, 0, 0.0
    acks: list[tuple[float, float]] = []
    while done < batches:
        while sent < batches and len(acks) < window.size:
            line_free = max(line_free, now) + batch_s
            if sent > 20:
                worst = max(worst, line_free - now)
            heapq.heappush(acks, (line_free + delay_s, now))
            sent += 1
        now, sent_at = heapq.heappop(acks)
        window.acknowledged(sent_at, now)
        done += 1
    return now, worst


@pytest.mark.parametrize("delay_s", [0.01, 0.1, 0.6])
def test_a_week_of_backlog_drains_at_2000_readings_a_second_where_the_line_allows_it(delay_s: float) -> None:
    seconds, _ = drain(3_000, batch_s=0.005, delay_s=delay_s)
    assert 3_000 * 200 / seconds >= 2_000


@pytest.mark.parametrize("batch_s", [0.05, 0.2, 1.5])
def test_an_urgent_batch_waits_for_little_on_a_slow_line(batch_s: float) -> None:
    seconds, worst = drain(300, batch_s, delay_s=0.1)
    assert worst <= 2 * LATE_S + 2 * batch_s
    assert seconds <= 1.3 * 300 * (batch_s + 0.1)  # and the line is used


def test_batches_that_are_late_together_halve_the_window_once() -> None:
    window = Window()
    for number in range(20):
        window.acknowledged(float(number), number + 0.1)
    size = window.size
    assert size == FIRST + 20
    for _ in range(size):
        window.acknowledged(100.0, 110.0)
    assert window.size == size // 2
    window.overdue(111.0, 121.0)
    assert window.size == size // 4


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e5), st.booleans())))
def test_the_window_stays_within_its_bounds(events: list[tuple[float, float, bool]]) -> None:
    window = Window()
    for sent_at, took, late in events:
        (window.overdue if late else window.acknowledged)(sent_at, sent_at + took)
        assert LEAST <= window.size <= MOST

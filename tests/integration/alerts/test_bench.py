"""`yiju bench alerts`, with few homes: that it measures what it says."""

from bench.alerts import figures, measure
from tests.conftest import NOW, Database


def test_a_blackout_is_measured_and_its_urgent_messages_are_claimed_first(database: Database) -> None:
    steps: list[float] = []
    found = figures(measure(database.url, NOW, lambda done, total: steps.append(done / total), sizes=(100, 200)))
    assert steps == [0.5, 1.0]
    assert found["urgent_first"]
    assert found["findings"] == 202
    assert [(one["findings"], one["opened"] > 0, one["messages"] > 0) for one in found["sizes"]] == [
        (101, True, True),
        (202, True, True),
    ]
    first, last = (one["statements"] for one in found["sizes"])
    assert 0 < last < first + 20  # a hundred homes more: rows grow, questions hardly

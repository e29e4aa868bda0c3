"""Who could have done what was due: only a part that stood the whole time."""

from datetime import UTC, datetime, timedelta

from yiju.drills.uptime import Uptime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_part_could_do_what_was_due_while_it_stood_without_a_break() -> None:
    uptime = Uptime()
    uptime.up("one", NOON)
    uptime.up("one", NOON + SECOND)  # it stood already
    uptime.down("one", NOON + 10 * SECOND)
    uptime.down("one", NOON + 11 * SECOND)  # it was down already
    uptime.up("one", NOON + 12 * SECOND)
    uptime.up("other", NOON + 9 * SECOND)
    assert uptime.stood(["one"], NOON, NOON + 10 * SECOND)
    assert not uptime.stood(["one"], NOON - SECOND, NOON + SECOND)
    assert not uptime.stood(["one"], NOON + 9 * SECOND, NOON + 13 * SECOND)
    assert uptime.stood(["one", "other"], NOON + 9 * SECOND, NOON + 13 * SECOND)
    assert not uptime.stood(["one", "other"], NOON + 8 * SECOND, NOON + 13 * SECOND), "one after the other is a break"
    assert uptime.stood(["one"], NOON + 12 * SECOND, NOON + 3600 * SECOND)
    assert not uptime.stood(["third"], NOON, NOON)

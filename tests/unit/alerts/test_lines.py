"""A service that hangs keeps its own line busy and no other."""

from alerts.notify.lines import PER_LINE, Lines
from alerts.notify.result import SendReason, Sent

HUNG, FINE = Sent(SendReason.TIMED_OUT), Sent(SendReason.SENT)


def test_a_line_takes_so_many_at_once_and_in_trouble_one() -> None:
    lines = Lines(8)
    for _ in range(PER_LINE):
        lines.take("a")
    assert lines.rooms()["a"] == 0
    lines.learn("a", HUNG)
    for _ in range(PER_LINE):
        lines.give_back("a")
    assert lines.rooms()["a"] == 1
    lines.take("a")
    assert lines.rooms()["a"] == 0
    lines.learn("a", FINE)
    lines.give_back("a")
    assert "a" not in lines.rooms()


def test_all_troubled_lines_together_leave_half_of_the_threads_to_the_others() -> None:
    lines = Lines(8)
    for number in range(20):
        lines.learn(f"dead-{number}", HUNG)
    assert sum(lines.rooms().values()) == 4
    for number in range(4):
        lines.take(f"dead-{number}")
    assert sum(lines.rooms().values()) == 0
    assert lines.free() == 4


def test_a_refusal_is_the_messages_own_fault() -> None:
    lines = Lines(8)
    lines.learn("a", Sent(SendReason.REFUSED))
    assert lines.rooms() == {}

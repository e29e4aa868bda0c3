"""The supervisor restarts what ends, waits longer each time, and stops in reverse order."""

from errno import ENOSPC

from core.errors import StackError
from yiju.supervisor import LONGEST_DELAY_S, Backoff, Supervisor


class FakePart:
    """A part that ends when the test says so."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.name = name
        self.end: str | None = None
        self.refuses = False
        self.no_room = False
        self._story = story

    def start(self) -> None:
        if self.refuses:
            raise StackError(f"{self.name} does not start")
        if self.no_room:
            raise OSError(ENOSPC, "No space left on device")
        self.end = None
        self._story.append(f"start {self.name}")

    def ended(self) -> str | None:
        return self.end

    def stop(self, patience_s: float) -> None:
        self._story.append(f"stop {self.name}")


class Watch:
    """A stopwatch that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_part_that_ends_is_named_with_its_reason_and_starts_again_after_half_a_second() -> None:
    said: list[str] = []
    story: list[str] = []
    watch = Watch()
    supervisor = Supervisor(said.append, watch)
    part = FakePart("ingest", story)
    supervisor.start(part)
    part.end = "signal SIGKILL: last words"
    supervisor.look()
    assert said == ["ingest ended with signal SIGKILL: last words; it starts again in 0.5 s"]
    watch.now = 0.4
    supervisor.look()
    assert story == ["start ingest"]
    watch.now = 0.5
    supervisor.look()
    assert story == ["start ingest", "start ingest"]
    assert said[-1] == "ingest runs again"


def test_the_wait_doubles_up_to_thirty_seconds_and_begins_anew_after_a_minute_of_running() -> None:
    backoff = Backoff()
    waits = [backoff.next(ran_s=0.1) for _ in range(9)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, LONGEST_DELAY_S]
    assert backoff.next(ran_s=61) == 0.5


def test_a_part_that_cannot_start_again_is_tried_again_later() -> None:
    said: list[str] = []
    story: list[str] = []
    watch = Watch()
    supervisor = Supervisor(said.append, watch)
    part = FakePart("PostgreSQL", story)
    supervisor.start(part)
    part.end, part.refuses = "signal SIGKILL", True
    supervisor.look()
    watch.now = 0.5
    supervisor.look()
    assert said[-1] == "PostgreSQL does not start; it starts again in 1 s"
    part.refuses = False
    watch.now = 1.5
    supervisor.look()
    assert said[-1] == "PostgreSQL runs again"


def test_a_full_disk_does_not_end_the_supervisor() -> None:
    said: list[str] = []
    watch = Watch()
    supervisor = Supervisor(said.append, watch)
    part = FakePart("alerts", [])
    supervisor.start(part)
    part.end, part.no_room = "signal SIGKILL", True
    supervisor.look()
    watch.now = 0.5
    supervisor.look()
    assert said[-1] == "alerts does not start: [Errno 28] No space left on device; it starts again in 1 s"


def test_the_last_part_stops_first() -> None:
    story: list[str] = []
    supervisor = Supervisor(lambda sentence: None)
    for name in ("PostgreSQL", "the broker", "ingest"):
        supervisor.start(FakePart(name, story))
    supervisor.stop()
    assert story[3:] == ["stop ingest", "stop the broker", "stop PostgreSQL"]

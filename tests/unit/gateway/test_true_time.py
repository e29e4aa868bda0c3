"""A home whose clock is wrong: what it measured is set right when the true time is known, and says so."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.model import Flag, Lane, Reading
from core.wire import WireReading, decode_batch, from_ms, to_ms
from gateway.eras import JUMP_MS, TOLERANCE_MS
from gateway.outbox import Outbox
from gateway.true_time import Machine, TrueTime

T0 = to_ms(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
HOUR = 3_600_000
SECOND = 1_000


class Home:
    """A box in a home: the truth goes on, its clock shows something else, power cuts start its count anew."""

    def __init__(self, folder: Path, wrong: int = 0) -> None:
        self.path = folder / "outbox.sqlite"
        self.truth = T0
        self.wrong = wrong
        self.started = T0
        self.boots = 1
        self.taken: list[int] = []  # the true times of the readings
        self.open()

    def open(self) -> None:
        """The process starts."""
        self.outbox = Outbox(self.path)
        machine = Machine(f"boot-{self.boots}", lambda: self.truth - self.started)
        self.time = TrueTime(self.outbox, self, machine)

    def now(self) -> datetime:
        return from_ms(self.truth + self.wrong)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()

    def set_clock(self, wrong: int) -> None:
        self.wrong = wrong
        self.time.check()

    def power_cut(self, wrong: int) -> None:
        self.outbox.close()
        self.truth += 60 * SECOND
        self.started, self.wrong = self.truth, wrong
        self.boots += 1
        self.open()

    def restart(self) -> None:
        self.outbox.close()
        self.open()

    def measure(self, metric: str = "power") -> None:
        self.truth += 10 * SECOND
        self.taken.append(self.truth)
        self.time.check()
        now = self.now()
        self.outbox.append([Reading("zigbee2mqtt/a", metric, now - timedelta(seconds=1), len(self.taken), now)])

    def hear(self, platform_ms: int | None = None) -> None:
        self.time.heard(self.truth if platform_ms is None else platform_ms)

    def sent(self) -> list[WireReading]:
        self.outbox.seal()
        return sorted(
            (r for lane in Lane for b in self.outbox.take(lane, 0, 10_000) for r in decode_batch(b.payload).readings),
            key=lambda reading: reading.value,
        )

    def errors(self) -> list[int]:
        """How wrong the times are that would be sent now, in ms."""
        return [r.received - true for r, true in zip(self.sent(), self.taken, strict=True)]


def test_readings_of_a_clock_hours_behind_are_set_right_when_the_time_is_known(tmp_path: Path) -> None:
    home = Home(tmp_path, wrong=-5 * HOUR)
    assert home.time.wanted
    home.measure()
    home.measure("sos")
    assert home.errors() == [-5 * HOUR] * 2
    assert all(r.flags & Flag.UNSURE for r in home.sent())
    home.hear()
    assert not home.time.wanted
    assert home.time.offset_ms() == 5 * HOUR
    home.measure()  # the clock is still wrong
    assert home.errors() == [0] * 3
    assert all(r.flags & Flag.RESTAMPED and not r.flags & Flag.UNSURE for r in home.sent())
    assert [r.received - r.time for r in home.sent()] == [SECOND] * 3  # when it was measured moves with it


def test_a_clock_that_is_right_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path, wrong=-TOLERANCE_MS + SECOND)
    home.measure()
    home.hear()
    home.measure()
    assert {r.flags & ~Flag.CHANGED for r in home.sent()} == {Flag.NONE}
    assert home.errors() == [home.wrong] * 2


def test_a_clock_that_jumps_is_right_on_both_sides_of_the_jump(tmp_path: Path) -> None:
    home = Home(tmp_path, wrong=-HOUR)
    home.measure()
    home.set_clock(7 * HOUR)
    home.measure()
    home.set_clock(JUMP_MS - 1)  # a time server has set it right, nearly
    home.measure()
    home.hear()
    home.set_clock(-HOUR)  # and somebody sets it wrong again
    home.measure()
    assert home.errors() == [0, 0, JUMP_MS - 1, 0]
    assert [bool(r.flags & Flag.RESTAMPED) for r in home.sent()] == [True, True, False, True]


def test_a_killed_process_knows_the_time_that_the_one_before_has_heard(tmp_path: Path) -> None:
    home = Home(tmp_path, wrong=-HOUR)
    home.measure()
    home.restart()
    home.measure()
    home.hear()
    home.restart()
    assert not home.time.wanted
    home.measure()
    assert home.errors() == [0] * 3


def test_two_power_cuts_in_one_outage_on_a_box_whose_clock_starts_years_behind(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear()  # it was right once
    years = -3 * 365 * 24 * HOUR
    for _ in range(2):
        home.power_cut(years)
        for _ in range(3):
            home.measure()
    home.power_cut(years)
    home.measure()
    home.hear()
    errors = home.errors()
    assert errors[-1] == 0
    # nobody can know how long the power was away; they lie as late as they can have been, in their order
    assert all(0 <= error <= 10 * 60 * SECOND for error in errors)
    times = [r.received for r in home.sent()]
    assert times == sorted(times)
    assert all(r.flags & Flag.RESTAMPED for r in home.sent())


def test_a_power_cut_on_a_box_whose_clock_is_kept_leaves_the_times_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear()
    home.measure()
    home.power_cut(wrong=0)
    home.measure()
    home.power_cut(wrong=0)
    home.hear()
    assert home.errors() == [0, 0]
    assert {r.flags & (Flag.RESTAMPED | Flag.UNSURE) for r in home.sent()} == {Flag.NONE}


def test_a_slow_word_of_the_platform_is_no_wrong_clock(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear()
    home.hear(home.truth - 20 * 60 * SECOND)  # it was on its way for long
    home.measure()
    assert home.errors() == [0]


def test_a_platform_whose_clock_was_wrong_is_followed_when_it_is_set_right(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear(home.truth + HOUR)
    home.measure()
    for _ in range(4):  # until no word of the wrong clock is remembered
        home.truth += 6 * 60 * SECOND
        home.hear()
    home.measure()
    assert home.errors() == [HOUR, 0]


def test_a_clock_that_goes_wrong_slowly_is_noticed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear()
    for _ in range(30):  # never a jump
        home.truth += HOUR
        home.set_clock(home.wrong - 4 * SECOND)
        home.measure()
    assert all(abs(error) <= TOLERANCE_MS + JUMP_MS for error in home.errors())
    assert abs(home.wrong) > 2 * TOLERANCE_MS


def test_a_platform_that_lives_in_1970_is_not_believed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hear(0)
    home.hear(2**62)
    assert home.time.wanted


def test_a_disk_too_full_for_an_era_leaves_urgent_readings_marked_unsure(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.measure()
    home.hear()
    full = "CREATE TEMP TRIGGER full BEFORE INSERT ON era BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    home.outbox._db.execute(full)
    home.set_clock(-HOUR)
    home.measure("sos")
    assert home.sent()[-1].flags & Flag.UNSURE
    home.outbox._db.execute("DROP TRIGGER full")
    home.measure("sos")
    assert home.sent()[-1].flags & (Flag.UNSURE | Flag.RESTAMPED) == Flag.RESTAMPED
    assert home.errors()[-1] == 0


@hypothesis_settings(max_examples=40, deadline=None)  # each opens files
@given(
    st.lists(
        st.one_of(
            st.just("measure"),
            st.just("hear"),
            st.just("restart"),
            st.tuples(st.just("set"), st.integers(-10 * HOUR, 10 * HOUR)),
        ),
        max_size=25,
    )
)
def test_whatever_a_clock_does_between_two_starts_every_time_is_right_once_the_platform_was_heard(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str | tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("home")
    home = Home(folder, wrong=-HOUR)
    for deed in deeds:
        match deed:
            case "measure":
                home.measure()
            case "hear":
                home.hear()
            case "restart":
                home.restart()
            case (_, wrong):
                home.set_clock(int(wrong))
    home.hear()
    assert all(abs(error) <= TOLERANCE_MS + JUMP_MS for error in home.errors())
    home.outbox.close()
    shutil.rmtree(folder)


def test_a_clock_that_is_the_platform_s_own_is_trusted_whatever_the_outbox_remembers(tmp_path: Path) -> None:
    home = Home(tmp_path, wrong=-HOUR)
    home.hear()
    home.measure()
    home.outbox.close()
    home.outbox = Outbox(home.path)
    home.time = TrueTime(home.outbox, home, None)
    home.wrong = 0
    home.measure()
    assert home.errors() == [0, 0]
    assert [bool(r.flags & Flag.RESTAMPED) for r in home.sent()] == [True, False]


def test_an_outbox_of_version_1_is_brought_on_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path)
    session = outbox.session
    outbox.append([Reading("zigbee2mqtt/a", "sos", from_ms(T0), 1, from_ms(T0))])
    outbox.close()
    with sqlite3.connect(path) as db:  # back to what version 1 was
        db.execute("DROP INDEX batch_by_era")
        for table, column in (("session", "heard"), ("session", "marks"), ("session", "known"), ("batch", "era")):
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        db.execute("DROP TABLE era")
        db.execute("PRAGMA user_version = 1")
    db.close()
    outbox = Outbox(path)
    assert outbox.session == session
    assert outbox.depth().readings == 1
    assert [batch.seq for batch in outbox.take(Lane.URGENT, 0, 9)] == [1]
    outbox.close()


def test_a_batch_that_the_card_has_spoilt_goes_as_it_is_and_holds_up_no_other(tmp_path: Path) -> None:
    """The platform says what it thinks of it, and the gateway may forget it. SQLite does not notice a flipped bit."""
    home = Home(tmp_path, wrong=-5 * HOUR)
    home.measure("sos")
    home.measure("sos")
    home.outbox._db.execute("UPDATE batch SET payload = ? WHERE seq = 1", (b"spoilt",))
    unsure = home.outbox.take(Lane.URGENT, 0, 10)
    home.power_cut(wrong=-7 * HOUR)
    home.hear()
    assert not home.time.wanted
    sure = home.outbox.take(Lane.URGENT, 0, 10)
    for batches in (unsure, sure):
        assert [batch.seq for batch in batches] == [1, 2]
        assert batches[0].payload == b"spoilt"
    assert not decode_batch(sure[1].payload).readings[0].flags & Flag.UNSURE


def test_readings_that_wait_and_that_the_card_has_spoilt_are_counted_as_lost_and_the_gateway_starts(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.measure()
    home.measure()
    home.outbox._db.execute("UPDATE waiting SET readings = ? WHERE id = 1", (b"spoilt",))
    home.power_cut(wrong=-HOUR)
    home.measure("sos")
    assert [reading.value for reading in home.sent()] == [2, 3]
    assert home.outbox.lost() == 1

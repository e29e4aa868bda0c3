"""The outbox: what is taken stays until it is acknowledged, under numbers that are never used twice."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.errors import SettingsError
from core.model import Flag, Lane, Reading
from core.wire import WireReading, decode_batch, to_ms
from gateway.outbox import BATCH_READINGS, Outbox

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def reading(metric: str = "motion", value: float = 1, device: str = "zigbee2mqtt/a", second: float = 0) -> Reading:
    moment = T0 + timedelta(seconds=second)
    return Reading(device, metric, moment, value, moment)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.sqlite")
    yield made
    made.close()


def contents(outbox: Outbox, lane: Lane) -> list[WireReading]:
    return [r for batch in outbox.take(lane, 0, 10_000) for r in decode_batch(batch.payload).readings]


def flags(outbox: Outbox, lane: Lane = Lane.BULK) -> list[int]:
    return [r.flags for r in contents(outbox, lane)]


def test_bulk_readings_wait_for_company_and_urgent_ones_do_not(outbox: Outbox) -> None:
    assert outbox.append([reading()]) == 0
    assert outbox.take(Lane.BULK, 0, 10) == []
    assert outbox.append([reading("sos")]) == 1
    assert [batch.seq for batch in outbox.take(Lane.URGENT, 0, 10)] == [1]
    assert outbox.depth().waiting_since == to_ms(T0)
    assert outbox.seal() == 1
    assert outbox.seal() == 0
    assert [r.metric for r in contents(outbox, Lane.BULK)] == ["motion"]
    assert outbox.depth().waiting_since is None


def test_two_hundred_readings_seal_themselves_in_order(outbox: Outbox) -> None:
    outbox.append([reading(value=n) for n in range(150)])
    assert outbox.append([reading(value=n) for n in range(150, 450)]) == 2
    batches = outbox.take(Lane.BULK, 0, 10)
    assert [len(decode_batch(batch.payload).readings) for batch in batches] == [BATCH_READINGS] * 2
    outbox.seal()
    assert [r.value for r in contents(outbox, Lane.BULK)] == list(range(450))
    assert outbox.depth().readings == 450


def test_a_batch_says_its_session_and_number(outbox: Outbox) -> None:
    outbox.append([reading("fall", 2)])
    (sealed,) = outbox.take(Lane.URGENT, 0, 1)
    batch = decode_batch(sealed.payload)
    assert (batch.v, batch.session, batch.seq) == (1, outbox.session, 1)
    assert batch.readings == [WireReading("zigbee2mqtt/a", "fall", to_ms(T0), 2, to_ms(T0), 0)]


def test_a_reading_that_differs_from_the_last_is_marked_changed_and_the_first_is_not(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o")
    outbox.append([reading("open", 0), reading("open", 1), reading("open", 1), reading("open", 1, "zigbee2mqtt/b")])
    outbox.seal()
    assert flags(outbox) == [Flag.NONE, Flag.CHANGED, Flag.NONE, Flag.NONE]
    outbox.close()
    outbox = Outbox(tmp_path / "o")  # the last value outlives the process
    outbox.append([reading("open", 1), reading("open", 0)])
    outbox.seal()
    assert flags(outbox)[4:] == [Flag.NONE, Flag.CHANGED]
    assert outbox.last_value("zigbee2mqtt/a", "open") == 0
    outbox.close()


def test_a_state_that_is_only_said_again_is_no_sign_of_life(tmp_path: Path) -> None:
    """A sensor repeats `occupancy: true` with each battery report: nobody moves by that."""
    outbox = Outbox(tmp_path / "o")
    outbox.append([reading("motion", 0), reading("motion", 1), reading("motion", 1), reading("motion", 1)])
    outbox.close()
    outbox = Outbox(tmp_path / "o")
    outbox.append([reading("motion", 1)])
    outbox.seal()
    assert flags(outbox) == [Flag.NONE, Flag.CHANGED, Flag.NONE, Flag.NONE, Flag.NONE]
    outbox.close()


def test_a_motion_sensor_that_never_clears_is_seen_to_move_each_time(outbox: Outbox) -> None:
    outbox.append([reading("motion", 1), reading("motion", 1)])
    outbox.append([reading("motion", 1)])
    outbox.seal()
    assert flags(outbox) == [Flag.NONE, Flag.CHANGED, Flag.CHANGED]


def test_a_danger_and_its_end_are_urgent_and_its_absence_is_not(outbox: Outbox) -> None:
    outbox.append([reading("smoke", 0), reading("smoke", 1), reading("smoke", 1), reading("smoke", 0)])
    outbox.append([reading("smoke", 0)])
    outbox.seal()
    assert [r.value for r in contents(outbox, Lane.URGENT)] == [1, 1, 0]
    assert [r.value for r in contents(outbox, Lane.BULK)] == [0, 0]


def test_a_number_is_never_used_again_even_when_nothing_is_left(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o")
    session = outbox.session
    outbox.append([reading("sos"), reading("sos")])
    assert outbox.forget(session, Lane.URGENT, [1]) == 1
    assert outbox.forget(session, Lane.URGENT, [1]) == 0
    outbox.close()
    outbox = Outbox(tmp_path / "o")
    outbox.append([reading("sos")])
    assert outbox.session == session
    assert [batch.seq for batch in outbox.take(Lane.URGENT, 0, 9)] == [2]
    outbox.close()


def test_an_acknowledgement_of_another_session_lane_or_number_forgets_nothing(outbox: Outbox) -> None:
    outbox.append([reading("sos")])
    assert outbox.forget(uuid4(), Lane.URGENT, [1]) == 0
    assert outbox.forget(outbox.session, Lane.BULK, [1]) == 0
    assert outbox.forget(outbox.session, Lane.URGENT, [0, -1, 2, 10**30]) == 0
    assert outbox.depth().batches == 1


def test_a_second_gateway_on_the_same_outbox_is_refused(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o")
    with pytest.raises(SettingsError, match="is another gateway running"):
        Outbox(tmp_path / "o")
    outbox.close()


def test_a_damaged_outbox_is_put_aside_and_a_new_session_begun(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(b"no database at all " * 1000)
    outbox = Outbox(tmp_path / "o")
    outbox.append([reading("sos")])
    assert outbox.depth().batches == 1
    assert [path.name[:9] for path in tmp_path.glob("o.damaged-*")] == ["o.damaged"]
    outbox.close()


def test_of_outboxes_that_were_damaged_one_after_the_other_only_the_last_is_kept(tmp_path: Path) -> None:
    """Each may be as large as the budget: a failing card must not be filled with them."""
    for content in (b"first ", b"second "):
        (tmp_path / "o").write_bytes(content * 1000)
        Outbox(tmp_path / "o").close()
    (kept,) = tmp_path.glob("o.damaged-*")
    assert kept.read_bytes().startswith(b"second")


def test_a_full_budget_thins_old_measurements_first_and_counts_the_loss(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o", budget_bytes=60_000)
    for minute in range(20):
        outbox.append([reading("power", 100 + n, second=minute * 60) for n in range(190)])
        outbox.append([reading("motion", n % 2, second=minute * 60) for n in range(10)])
        outbox.append([reading("sos", second=minute * 60)])
    left = contents(outbox, Lane.BULK)
    assert sum(len(batch.payload) for batch in outbox.take(Lane.BULK, 0, 100)) <= 60_000
    assert outbox.lost() == 4000 - len(left) > 0
    assert sum(r.metric == "motion" for r in left) == 199  # every edge; the very first 0 tells nothing
    assert {r.time for r in left if r.metric == "power"} <= {to_ms(T0 + timedelta(minutes=m)) for m in range(14, 20)}
    assert len(contents(outbox, Lane.URGENT)) == 20
    assert outbox.depth().readings == len(left) + 20
    outbox.close()


def test_a_batch_that_the_card_has_spoilt_goes_first_when_the_budget_is_full(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o", budget_bytes=30_000)
    outbox.append([reading("power", n, second=n) for n in range(200)])
    outbox._db.execute("UPDATE batch SET payload = ?", (b"spoilt",))
    outbox.append([reading("power", n, second=n) for n in range(1000)])
    outbox.append([reading("sos")])
    assert outbox.lost() > 200
    assert all(batch.payload != b"spoilt" for batch in outbox.take(Lane.BULK, 0, 100))
    assert len(contents(outbox, Lane.URGENT)) == 1
    outbox.close()


def test_when_only_signs_of_life_are_left_the_oldest_batches_go_and_urgent_ones_stay(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o", budget_bytes=30_000)
    outbox.append([reading("sos", second=n) for n in range(1000)])
    outbox.append([reading(value=1, second=n) for n in range(2000)])
    left = outbox.take(Lane.BULK, 0, 100)
    assert sum(len(batch.payload) for batch in left) <= 30_000
    assert left[-1].seq == 10
    assert outbox.lost() == 2000 - 200 * len(left)
    assert len(contents(outbox, Lane.URGENT)) == 1000
    outbox.close()


def test_a_full_disk_takes_nothing_and_says_so_and_the_outbox_goes_on_afterwards(outbox: Outbox) -> None:
    outbox.append([reading("open", 0)])
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run out of room
    with pytest.raises(sqlite3.OperationalError, match="full"):
        outbox.append([reading("open", 1), *(reading("power", n) for n in range(2000))])
    assert outbox.depth().readings == 1
    outbox._db.execute("PRAGMA max_page_count = 1000000")
    outbox.append([reading("open", 1)])
    outbox.seal()
    assert flags(outbox) == [Flag.NONE, Flag.CHANGED]  # the failed one is not remembered as the last value


metrics_and_values = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from(["motion", "open", "power", "sos", "smoke", "fall"]),
    st.sampled_from([0.0, 1.0]),
)


class OutboxModel(RuleBasedStateMachine):
    """Compares the outbox with plain lists, through crashes at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.outbox = Outbox(self.folder / "o")
        self.session = self.outbox.session
        self.taken: dict[Lane, list[tuple[str, str, float, int]]] = {Lane.URGENT: [], Lane.BULK: []}
        self.last: dict[tuple[str, str], float] = {}
        self.cleared: set[tuple[str, str]] = set()
        self.known: dict[Lane, dict[int, bytes]] = {Lane.URGENT: {}, Lane.BULK: {}}  # every batch ever seen
        self.forgotten: dict[Lane, set[int]] = {Lane.URGENT: set(), Lane.BULK: set()}
        self.crashes = 0

    @rule(items=st.lists(metrics_and_values, max_size=8), times=st.sampled_from([1, 1, 30]))
    def append(self, items: list[tuple[str, str, float]], times: int) -> None:
        items = items * times
        self.outbox.append([reading(metric, value, device) for device, metric, value in items])
        for device, metric, value in items:
            changed = self.last.get((device, metric), value) != value
            if metric == "motion" and value == 1 and (device, metric) not in self.cleared:
                changed |= (device, metric) in self.last  # it never says 0: each 1 is somebody who moves
            self.last[device, metric] = value
            if value == 0:
                self.cleared.add((device, metric))
            urgent = metric in ("sos", "smoke", "fall") and (value != 0 or changed)
            self.taken[Lane.URGENT if urgent else Lane.BULK].append((device, metric, value, int(changed)))

    @rule()
    def seal(self) -> None:
        self.outbox.seal()
        assert self.outbox.depth().waiting_since is None

    @rule(lane=st.sampled_from(Lane), seqs=st.lists(st.integers(-1, 12), max_size=4))
    def acknowledge(self, lane: Lane, seqs: list[int]) -> None:
        there = set(self.known[lane]) - self.forgotten[lane]
        removed = self.outbox.forget(self.session, lane, seqs)
        assert removed == len(there & set(seqs))
        self.forgotten[lane] |= there & set(seqs)

    @rule(lane=st.sampled_from(Lane))
    def acknowledge_all(self, lane: Lane) -> None:
        self.outbox.forget(self.session, lane, list(self.known[lane]))
        self.forgotten[lane] |= set(self.known[lane])

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.folder / "o")

    @precondition(lambda self: self.crashes < 5)
    @rule()
    def crash(self) -> None:
        """Opens what a killed process would have left on the disk."""
        self.crashes += 1
        after = self.folder.with_name(f"{self.folder.name}-{self.crashes}")
        shutil.copytree(self.folder, after)
        self.outbox.close()
        shutil.rmtree(self.folder)
        self.folder = after
        self.outbox = Outbox(self.folder / "o")

    @invariant()
    def batches_keep_their_numbers_and_bytes(self) -> None:
        assert self.outbox.session == self.session
        for lane in Lane:
            known = self.known[lane]
            batches = self.outbox.take(lane, 0, 1000)
            for seq, payload in batches:
                assert known.setdefault(seq, payload) == payload
            assert [batch.seq for batch in batches] == sorted(set(known) - self.forgotten[lane])
            assert sorted(known) == list(range(1, len(known) + 1))

    @invariant()
    def every_reading_is_in_one_batch_or_waits(self) -> None:
        unsent = 0
        for lane in Lane:
            known = self.known[lane]
            sealed = [
                (r.device, r.metric, r.value, r.flags)
                for seq in sorted(known)
                for r in decode_batch(known[seq]).readings
            ]
            assert sealed == self.taken[lane][: len(sealed)]
            unsent += len(self.taken[lane]) - len(sealed)
            unsent += sum(len(decode_batch(known[seq]).readings) for seq in set(known) - self.forgotten[lane])
            if lane is Lane.URGENT:
                assert len(sealed) == len(self.taken[lane])
            else:
                assert len(self.taken[lane]) - len(sealed) < BATCH_READINGS
        assert self.outbox.depth().readings == unsent

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)


OutboxModel.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestOutboxModel = OutboxModel.TestCase

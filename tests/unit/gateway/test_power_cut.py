"""The power fails at any instant: what had been taken by then is in the files that are left."""

import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model import Lane, Reading
from core.wire import decode_batch
from gateway.outbox import Outbox

REPO = Path(__file__).parents[3]
T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WRITER = """
import sys
from pathlib import Path
from core.model import Lane
from gateway.outbox import Outbox
from tests.unit.gateway.test_power_cut import reading
outbox = Outbox(Path(sys.argv[1]) / "outbox.sqlite")
for number in range(100_000):
    outbox.append([reading(number)])
    if number % 50 == 7:
        outbox.forget(outbox.session, Lane.BULK, [number // 250])  # the platform acknowledges now and then
    print(number, flush=True)
"""


def reading(number: int) -> Reading:
    """Every tenth one is urgent."""
    moment = T0 + timedelta(seconds=number)
    if number % 10 == 0:
        return Reading("zigbee2mqtt/a", "sos", moment, 1.0, moment)
    return Reading("zigbee2mqtt/a", "power", moment, float(number), moment)


def numbers(folder: Path) -> set[int]:
    """Which readings an outbox in `folder` still has."""
    outbox = Outbox(folder / "outbox.sqlite")
    outbox.seal()
    found = [r for lane in Lane for b in outbox.take(lane, 0, 100_000) for r in decode_batch(b.payload).readings]
    outbox.close()
    assert not list(folder.glob("*.damaged-*"))
    assert len(found) == len({r.time for r in found})
    return {(r.time - int(T0.timestamp() * 1000)) // 1000 for r in found}


def test_copies_of_the_files_taken_at_random_instants_hold_all_that_was_taken_by_then(tmp_path: Path) -> None:
    folder, witness = tmp_path / "gateway", tmp_path / "witness"
    with witness.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], cwd=REPO, stdout=said, stderr=subprocess.DEVNULL
        )
    chance = random.Random(5)
    copies: list[tuple[Path, int]] = []
    try:
        while not witness.stat().st_size:
            time.sleep(0.01)
        for number in range(10):
            time.sleep(chance.uniform(0.01, 0.08))
            process.send_signal(signal.SIGSTOP)  # an instant: between two writes, or between a write and its sync
            after = tmp_path / f"copy-{number}"
            shutil.copytree(folder, after)
            copies.append((after, len(witness.read_bytes().splitlines())))
            process.send_signal(signal.SIGCONT)
    finally:
        process.kill()
        process.wait()
    for after, taken in copies:
        left = numbers(after)
        gone = set(range(max(left) + 1)) - left
        assert max(left) >= taken - 1
        assert all(number % 10 for number in gone)  # urgent ones were never acknowledged
        assert len(gone) % 200 == 0  # the others go in whole batches, which were
    assert copies[-1][1] > copies[0][1]


@settings(max_examples=40, deadline=None)
@given(before=st.integers(1, 40), share=st.floats(0, 1), junk=st.binary(max_size=100))
def test_a_log_torn_in_the_midst_of_the_last_write_loses_nothing_that_was_taken(
    tmp_path_factory: pytest.TempPathFactory, before: int, share: float, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    outbox = Outbox(folder / "outbox.sqlite")
    for number in range(before):
        outbox.append([reading(number)])
    log = folder / "outbox.sqlite-wal"
    safe = log.stat().st_size
    outbox.append([reading(before)])
    after = folder / "after"
    after.mkdir()
    shutil.copy(folder / "outbox.sqlite", after)
    content = log.read_bytes()
    torn = safe + int((len(content) - safe) * share)
    (after / "outbox.sqlite-wal").write_bytes(content[:torn] + junk)
    assert numbers(after) in (set(range(before)), set(range(before + 1)))
    outbox.close()
    shutil.rmtree(folder)

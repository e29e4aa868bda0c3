"""A disk that is really full: urgent readings get through, all else is refused and said so."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from core.clock import ManualClock
from core.model import Lane, Reading
from core.wire import WireReading, decode_batch
from gateway.gateway import Gateway
from gateway.outbox import Outbox
from gateway.reserve import BYTES, Reserve
from gateway.settings import Settings
from gateway.spare import MOST, Spare
from tests.conftest import NOW
from tests.needs import need

REPO = Path(__file__).parents[3]
T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IN_A_SMALL_FILE_SYSTEM = "mount -t tmpfs -o size=16m tmpfs {folder} && exec {python} -m {module} {folder}"


def reading(metric: str = "sos", value: float = 1, second: float = 0) -> Reading:
    moment = T0 + timedelta(seconds=second)
    return Reading("zigbee2mqtt/a", metric, moment, value, moment)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox that may not be written, without a reserve: a card that has gone read-only."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    outbox.append([reading("power", 1)])
    outbox._reserve.release()
    outbox._db.execute("PRAGMA query_only = ON")
    yield outbox
    outbox.close()


def give_room(outbox: Outbox) -> None:
    outbox._db.execute("PRAGMA query_only = OFF")


def urgent(outbox: Outbox) -> list[WireReading]:
    sources = [source for source in outbox.sources() if source.lane is Lane.URGENT]
    return [r for source in sources for b in source.take(0, 5_000) for r in decode_batch(b.payload).readings]


def test_an_urgent_reading_that_no_disk_takes_is_kept_in_memory_under_a_session_of_its_own(full: Outbox) -> None:
    depth = full.depth()
    assert full.append([reading("smoke")]) == 1
    assert full.depth().readings == depth.readings + 1
    assert [r.metric for r in urgent(full)] == ["smoke"]
    (sealed,) = full.spare.take(0, 9)
    assert decode_batch(sealed.payload).session == full.spare.session != full.session
    assert full.spare.forget([1, 1, 2]) == 1
    assert full.depth() == depth


def test_of_a_message_only_what_is_urgent_is_taken_and_the_rest_is_said_to_be_refused(full: Outbox) -> None:
    before = full.depth().readings
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        full.append([reading("smoke"), *[reading("power", n) for n in range(5_000)]])
    assert full.depth().readings == before + 1
    assert full.last_value("zigbee2mqtt/a", "smoke") == 1
    assert full.last_value("zigbee2mqtt/a", "power") == 1  # the refused ones are not remembered


def test_what_is_in_memory_and_was_never_sent_goes_to_the_disk_when_there_is_room(full: Outbox) -> None:
    for second in range(3):
        full.append([reading(second=second)])
    give_room(full)
    full.recover(sent=1)
    assert [batch.seq for batch in full.spare.take(0, 9)] == [1]  # the platform may have it
    assert len(full.take(Lane.URGENT, 0, 9)) == 2
    assert len({r.time for r in urgent(full)}) == 3


def test_the_reserve_is_given_up_for_an_urgent_reading_and_made_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= BYTES
    assert reserve.release()
    assert not reserve.release()
    reserve.keep()
    assert (tmp_path / "reserve").stat().st_size == BYTES


def test_the_memory_has_an_end_and_says_so() -> None:
    spare = Spare()
    wire = WireReading("a", "sos", 1, 1.0, 1)
    assert all(spare.add([wire]) for _ in range(MOST))
    assert not spare.add([wire])


def test_a_gateway_on_a_full_disk_still_hears_its_listeners_and_still_sends(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(Settings("gw-1", "secret", "mqtt://127.0.0.1:1", gateway_folder=str(tmp_path)), clock)
    heard: list[str] = []
    ticked: list[datetime] = []
    gateway.listen(lambda message: heard.append(message.topic))
    gateway.each_tick(ticked.append)

    def refuse(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Outbox, "_put", refuse)
    assert gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}') == 1
    with pytest.raises(sqlite3.OperationalError):
        gateway.receive("zigbee2mqtt/Door", b'{"contact":true}')
    with pytest.raises(sqlite3.OperationalError):
        gateway.tick(NOW)
    assert heard == ["zigbee2mqtt/Button", "zigbee2mqtt/Door"]
    assert ticked == [NOW]
    assert gateway.unacknowledged() == 1
    gateway.stop()


def test_on_a_real_full_file_system_every_sos_is_kept_and_those_in_the_reserve_outlive_the_process(
    tmp_path: Path,
) -> None:
    unshare = shutil.which("unshare")
    need(unshare is not None, "unshare is not installed: apt-get install util-linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    script = IN_A_SMALL_FILE_SYSTEM.format(folder=folder, python=sys.executable, module=__name__)
    done = subprocess.run(
        [str(unshare), "--user", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=REPO,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )
    need("Operation not permitted" not in done.stderr, "this machine lets nobody mount in a namespace of his own")
    assert done.returncode == 0, done.stderr
    kept, on_disk, in_memory = map(int, done.stdout.splitlines()[-1].split())
    assert kept == on_disk + in_memory == 500
    assert on_disk > 0
    assert in_memory > 0


def _fill_and_press(folder: Path) -> None:
    """In a file system of 16 MB: fills it, presses SOS 500 times, and looks at what another process would find."""
    outbox = Outbox(folder / "outbox.sqlite")
    logs = (folder / "logs").open("wb", buffering=0)
    refused = False
    while not refused:
        try:
            outbox.append([reading("power", number) for number in range(400)])
        except sqlite3.OperationalError:
            refused = True
    _take_the_last_byte(logs)
    for second in range(500):
        outbox.append([reading(second=second)])
        if second == 250:
            _take_the_last_byte(logs)
    kept = len({r.time for r in urgent(outbox)})
    in_memory, _ = outbox.spare.depth()
    outbox.close()
    (folder / "logs").unlink()
    on_disk = len(urgent(Outbox(folder / "outbox.sqlite")))
    print(kept, on_disk, in_memory)


def _take_the_last_byte(logs: BinaryIO) -> None:
    """Another program fills what is left."""
    with contextlib.suppress(OSError):
        while True:
            logs.write(bytes(1000))


if __name__ == "__main__":
    _fill_and_press(Path(sys.argv[1]))

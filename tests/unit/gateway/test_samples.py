"""Samples of what no driver understood: few, short, lasting, and never in the way."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.samples import MAX_PAYLOAD, MAX_SHAPES, Samples
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "samples.json"


def test_one_sample_stands_for_all_the_topics_of_one_shape(file: Path) -> None:
    samples = Samples(file)
    for n in range(1_000):
        samples.keep(f"tele/plug{n}/0x00158d000{n:06x}/SENSOR", b"?", "unreadable", NOW + n * SECOND, "tasmota")
    samples.keep("tele/plug1/SENSOR", b"?", "unreadable", NOW, "tasmota")
    assert [(sample.count, sample.first_at) for sample in samples.each()] == [(1, NOW), (1_000, NOW)]


def test_the_newest_payload_is_looked_at_once_a_minute(file: Path) -> None:
    samples = Samples(file)
    for n in range(70):
        samples.keep("x/y", b"%d" % n, f"reason {n}", NOW + n * SECOND)
    (sample,) = samples.each()
    assert (sample.payload, sample.reason, sample.count) == ("60", "reason 60", 70)
    assert sample.last_at == NOW + 69 * SECOND


def test_the_file_never_grows_past_its_cap_and_the_shape_unseen_for_longest_makes_room(file: Path) -> None:
    samples = Samples(file)
    samples.keep("often", b"", "r", NOW)
    for n in range(MAX_SHAPES + 50):
        letters = "".join(chr(ord("g") + int(digit)) for digit in str(n))
        samples.keep("x/" + letters, b"\xff" * 5_000, "r" * 5_000, NOW)
        samples.keep("often", b"", "r", NOW)
    samples.close()
    assert len(samples.each()) == MAX_SHAPES
    assert samples.each()[0].topic == "often"
    assert max(len(sample.payload) for sample in samples.each()) <= 4 * MAX_PAYLOAD
    assert file.stat().st_size < 1_500_000
    assert Samples(file).each() == samples.each()


def test_samples_survive_a_restart_that_nobody_announced(file: Path) -> None:
    samples = Samples(file)
    samples.keep("a", b"\xff{", "unreadable", NOW, "tasmota")
    samples.tick(NOW)
    assert Samples(file).each() == samples.each()
    samples.keep("b", b"2", "r", NOW)
    samples.tick(NOW + SECOND)  # not yet: flash memory wears out
    assert len(Samples(file).each()) == 1
    samples.tick(NOW + 10 * SECOND)
    assert Samples(file).each() == samples.each()
    samples.keep("b", b"3", "r", NOW + 11 * SECOND)
    samples.tick(NOW + timedelta(minutes=5))
    assert Samples(file).each() != samples.each()  # a mere count may wait
    samples.tick(NOW + timedelta(minutes=20))
    assert Samples(file).each() == samples.each()


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"[{}]", b"{", b"[" * 3_000_000])
def test_a_damaged_file_is_begun_anew(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    samples = Samples(file)
    assert samples.each() == []
    samples.keep("a", b"", "r", NOW)
    samples.close()
    assert len(Samples(file).each()) == 1


def test_a_disk_that_takes_nothing_costs_no_message(tmp_path: Path) -> None:
    samples = Samples(tmp_path / "not there" / "samples.json")
    samples.keep("a", b"", "r", NOW)
    samples.tick(NOW)
    samples.close()
    assert len(samples.each()) == 1


@given(st.text(), st.binary(), st.text(), st.text())
def test_whatever_is_kept_can_be_written_and_read_again(
    tmp_path_factory: pytest.TempPathFactory, topic: str, payload: bytes, reason: str, driver: str
) -> None:
    file = tmp_path_factory.mktemp("samples") / "s.json"
    samples = Samples(file)
    samples.keep(topic + "\ud800", payload, reason, NOW, driver)
    samples.close()
    assert Samples(file).each() == samples.each()
    assert len(samples.each()) == 1

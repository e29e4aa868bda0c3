"""A gateway's figures about itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.health import Health, Line, cpu_temperature
from gateway.outbox import Depth

START = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Depth(0, 0, None, None)


def sensors(folder: Path, *contents: str) -> Path:
    for number, content in enumerate(contents):
        zone = folder / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(content)
    return folder


def test_line_loss_is_of_what_was_sent_since_the_last_minute(tmp_path: Path) -> None:
    health = Health(tmp_path, START, tmp_path)
    figures = health.figures(START, EMPTY, Line(sent=10, again=5, connections=1))
    assert (figures["line_loss"], figures["reconnects"]) == (50, 0)
    figures = health.figures(START, EMPTY, Line(sent=30, again=5, connections=4))
    assert (figures["line_loss"], figures["reconnects"]) == (0, 3)
    assert "line_loss" not in health.figures(START, EMPTY, Line(sent=30, again=5, connections=4))


def test_the_age_of_the_outbox_is_its_oldest_readings(tmp_path: Path) -> None:
    now = START + timedelta(hours=2)
    figures = Health(tmp_path, START, tmp_path).figures(now, Depth(3, 500, None, int(START.timestamp() * 1000)))
    assert (figures["uptime"], figures["outbox_depth"], figures["outbox_age"]) == (7200, 3, 7200)
    assert figures["disk_free"] > 0


def test_the_hottest_sensor_counts_and_nonsense_does_not(tmp_path: Path) -> None:
    assert cpu_temperature(sensors(tmp_path / "some", "41500\n", "52000\n", "-274000", "nonsense")) == 52
    assert cpu_temperature(tmp_path / "none") is None


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    figures = Health(tmp_path, START, tmp_path).figures(START, EMPTY)
    assert not {"cpu_temperature", "clock_offset", "line_loss"} & set(figures)
    assert Health(tmp_path, START, tmp_path).figures(START, EMPTY, clock_offset_s=-3.5)["clock_offset"] == -3.5

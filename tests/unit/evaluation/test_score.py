"""What counts as found, as false, and as the same silence told twice."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.detect.findings import Finding
from alerts.hindsight.alarms import Alarm
from core.model import AlertKind, Severity
from evaluation.score import Score
from simulator.season.mishaps import Happening, Mishap

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alarm(
    kind: AlertKind, began: datetime, opened: datetime, severity: Severity = Severity.URGENT, subject: int = -1
) -> Alarm:
    finding = Finding(1, kind, severity, subject, f"v1:{kind}:1", began, "", {})
    return Alarm(1, kind, severity, subject, finding.dedup_key, began, opened, began, finding)


def score(what: Mishap, hours: float, *alarms: Alarm) -> Score:
    found = Score()
    start = START.timestamp()
    found.add_home(alarms, [Happening(1, what, start, start + hours * 3600)], 10)
    return found


def test_an_alert_after_it_was_over_is_not_false_and_has_found_nothing() -> None:
    late = alarm(AlertKind.LONG_STAY, START, START + 5.5 * HOUR)
    found = score(Mishap.STUCK_IN_BATHROOM, 5, late)
    assert found.false_alarms == 0
    assert found.kinds[AlertKind.LONG_STAY].figures()["recall"] == 0


def test_an_alert_that_looks_back_at_what_was_over_for_hours_is_false() -> None:
    """A day's water is too much for a day after the tap was shut: who is called then is called for nothing."""
    late = alarm(AlertKind.WATER_RUNNING, START + 3 * HOUR, START + 27 * HOUR, Severity.NORMAL)
    found = score(Mishap.TAP, 9, alarm(AlertKind.WATER_RUNNING, START, START + 3 * HOUR, Severity.NORMAL), late)
    assert (found.kinds[AlertKind.WATER_RUNNING].true, found.false_alarms) == (1, 1)


def test_a_press_that_an_outage_kept_is_found_when_it_arrives() -> None:
    found = score(Mishap.SOS, 0.2, alarm(AlertKind.SOS, START, START + 6 * HOUR))
    assert found.kinds[AlertKind.SOS].figures()["median_delay_s"] == 6 * 3600


def test_who_found_it_under_another_name_is_told() -> None:
    found = score(Mishap.NOT_COMING_BACK, 60, alarm(AlertKind.INACTIVITY, START, START + 9 * HOUR))
    figures = found.kinds[AlertKind.NOT_RETURNED].figures()
    assert (figures["found"], figures["found_by_this_kind"]) == (1, 0)


def test_what_no_sensor_could_report_is_missed_all_the_same_and_counted_apart() -> None:
    start = START.timestamp()
    truth = [Happening(1, Mishap.GAS, start, start + 600), Happening(1, "radio_hangs", start - 3600, start + 86_400)]
    for alarms, said in (([], 0), ([alarm(AlertKind.CANNOT_WATCH, START, START, Severity.NOTICE)], 1)):
        found = Score()
        found.add_home(alarms, truth, 10)
        figures = found.kinds[AlertKind.GAS].figures()
        assert (figures["recall"], figures["unwatched"], figures["unwatched_said"]) == (0, 1, said)
        assert figures["recall_watched"] is None


def test_what_a_lasting_outage_of_the_network_kept_is_not_called_unwatched() -> None:
    start = START.timestamp()
    truth = [Happening(1, Mishap.GAS, start, start + 600), Happening(1, "network_outage", start - 60, start + 7200)]
    found = Score()
    found.add_home([], truth, 10)
    assert found.kinds[AlertKind.GAS].figures()["unwatched"] == 0


def test_what_is_said_again_while_it_lasts_is_not_called_unwatched_when_that_could_be_heard() -> None:
    start = START.timestamp()
    for what, fault, unwatched in (
        (Mishap.SMOKE, "radio_hangs", 0), (Mishap.GAS, "power_outage", 0), (Mishap.FALL, "radio_hangs", 0),
        (Mishap.FALL, "power_outage", 1),  # a radar without power has not seen it
        (Mishap.SOS, "radio_hangs", 1), (Mishap.TAMPER, "power_outage", 1),
    ):  # fmt: skip
        found = Score()
        found.add_home([], [Happening(1, what, start, start + 3600), Happening(1, fault, start - 60, start + 1800)], 10)
        assert found.kinds[AlertKind(what.value)].unseen == unwatched, what


@pytest.mark.parametrize("fault", ["radio_hangs", "power_outage", "dead_battery"])
def test_no_fault_that_was_missed_excuses_itself(fault: str) -> None:
    start = START.timestamp()
    found = Score()
    found.add_home([], [Happening(1, fault, start, start + 3600, 3)], 10)
    assert [tally.unseen for tally in found.kinds.values() if tally.incidents] == [0]


def test_an_alert_about_another_device_has_found_nothing_and_is_false() -> None:
    start = START.timestamp()
    for subject, found_it in ((103, 1), (105, 0)):
        found = Score()
        silent = alarm(AlertKind.DEVICE_SILENT, START, START + 4 * HOUR, Severity.NOTICE, subject)
        found.add_home([silent], [Happening(1, "dead_battery", start, start + 86_400, 3)], 10)
        figures = found.kinds[AlertKind.DEVICE_SILENT].figures()
        assert (figures["found"], found.false_notices) == (found_it, 1 - found_it)


def test_one_silence_is_one_false_alarm_however_often_it_is_told() -> None:
    twice = [alarm(AlertKind.INACTIVITY, START, START + hours * HOUR) for hours in (9, 22)]
    other = alarm(AlertKind.INACTIVITY, START + 30 * HOUR, START + 39 * HOUR)
    found = score(Mishap.NIGHT_AWAY, 23, *twice, other)
    assert (found.false_alarms, found.false_again) == (2, 1)

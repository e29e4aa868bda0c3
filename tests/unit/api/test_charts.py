"""The day and the week, as places on a page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.pages.day_chart import Bar, Coverage, draw_day, join
from api.pages.week_chart import draw_week, shade
from core.metrics import BY_NAME

ZONE = "Asia/Shanghai"
START = datetime(2026, 3, 2, tzinfo=ZoneInfo(ZONE))
END = START + timedelta(days=1)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 17:00 there
ROOMS = [{"id": 1, "kind": "bedroom", "name": ""}, {"id": 2, "kind": "entry", "name": "Porch"}]
WHOLE = Coverage(START, 1440.0, 1020.0, [])


def said(
    minute: float, metric: str, value: float, room: int | None = 1, exterior: bool = False, flags: int = 1
) -> dict[str, Any]:
    return {"time": (START + timedelta(minutes=minute)).astimezone(UTC), "device_id": 7, "exterior": exterior,
            "room_id": room, "metric": BY_NAME[metric].id, "value": value, "flags": flags}  # fmt: skip


def test_a_night_in_bed_begins_at_midnight_when_its_first_word_is_off() -> None:
    chart = draw_day([said(400, "occupied", 0)], ROOMS, WHOLE)
    assert chart.rows[0].resting == [Bar(0.0, 400.0)]


def test_who_lies_down_and_has_not_got_up_lies_until_now() -> None:
    chart = draw_day([said(1000, "occupied", 1)], ROOMS, WHOLE)
    assert chart.rows[0].resting == [Bar(1000.0, 20.0)]


def test_a_sensor_that_forgets_to_say_off_does_not_fill_the_day() -> None:
    over = Coverage(START, 1440.0, 1440.0, [])
    chart = draw_day([said(10, "presence", 1)], ROOMS, over)
    assert chart.rows[0].stirring == [Bar(10.0, 960.0)]


def test_motion_close_together_is_one_bar() -> None:
    chart = draw_day([said(600, "motion", 1), said(604, "motion", 1), said(640, "motion", 1)], ROOMS, WHOLE)
    assert chart.rows[0].stirring == [Bar(600.0, 6.0), Bar(640.0, 2.0)]
    assert chart.rows[0].first == (START + timedelta(minutes=600))


def test_a_radar_that_says_all_night_that_somebody_is_there_draws_no_movement() -> None:
    """Said again is not moved: the page and the alarms mean the same by a sign of life (core.metrics)."""
    night = [said(minute, "motion", 1, flags=0) for minute in range(0, 400, 10)]
    row = draw_day([*night, said(420, "motion", 1)], ROOMS, WHOLE).rows[0]
    assert row.stirring == [Bar(420.0, 2.0)]
    assert row.first == row.last == START + timedelta(minutes=420)


def test_the_front_door_is_told_from_other_doors_and_a_repeated_word_is_no_opening() -> None:
    readings = [said(60, "open", 1, 2, True), said(61, "open", 1, 2, True, flags=0), said(90, "open", 1, 2)]
    row = draw_day(readings, ROOMS, WHOLE).rows[1]
    assert ([bar.start for bar in row.leaving], [bar.start for bar in row.doors]) == ([60.0], [90.0])
    assert row.name == "Porch"


def test_what_stands_in_no_room_is_shown_last_and_only_when_it_speaks() -> None:
    assert len(draw_day([], ROOMS, WHOLE).rows) == 2
    assert draw_day([said(60, "motion", 1, None)], ROOMS, WHOLE).rows[-1].kind == ""


def test_quarters_without_a_reading_are_not_seen_and_the_running_one_is_not_judged() -> None:
    first = START.astimezone(UTC)
    rows = [{"bucket": first + timedelta(minutes=15 * n), "readings": 3} for n in range(60) if n not in (8, 9)]
    cover = Coverage.of(rows, START, END, first + timedelta(hours=15, minutes=10))
    assert cover.unseen == [Bar(120.0, 30.0)]
    assert (cover.minutes, cover.until) == (1440.0, 910.0)


def test_a_day_on_which_the_clocks_change_has_its_true_length() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin)
    assert Coverage.of([], start, end, NOW + timedelta(days=60)).minutes == 23 * 60


def test_joining_keeps_the_longer_end() -> None:
    assert join([Bar(0, 100), Bar(10, 5), Bar(103, 1)], 4) == [Bar(0, 104)]


def test_a_week_tells_quiet_from_not_seen_and_leaves_the_future_empty() -> None:
    rows = [
        {"bucket": (START + timedelta(hours=hour)).astimezone(UTC), "life": 30 if hour == 8 else 0, "readings": 5}
        for hour in range(17)
        if hour != 3
    ]
    today = draw_week(rows, ZONE, NOW, 7)[-1]
    assert (today.cells[8], today.cells[2], today.cells[3], today.cells[20]) == (3, 0, None, None)
    assert (today.unseen, today.life) == ([3], 30)
    assert len(draw_week(rows, ZONE, NOW, 7)) == 7


def test_shades_grow_with_life() -> None:
    assert [shade(count) for count in (0, 1, 6, 20, 60)] == [0, 1, 2, 3, 4]

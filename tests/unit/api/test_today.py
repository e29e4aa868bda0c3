"""Is today as usual? Days are made of quarters of an hour in Asia/Shanghai; nothing here knows the real time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.pages.today import Because, Quarter, Today, Verdict, judge_today, rise_of

ZONE = "Asia/Shanghai"
LOCAL = ZoneInfo(ZONE)
MONDAY = datetime(2026, 3, 2, tzinfo=LOCAL)
Life = Callable[[datetime], int]
Seen = Callable[[datetime], bool]


def usual(at: datetime) -> int:
    """Up at 06:45, a nap after lunch, to bed at 22:00; one walk to the toilet at 05:00."""
    hour = at.hour + at.minute / 60
    if hour == 5:
        return 1
    return 5 if 6.75 <= hour < 22 and not 13 <= hour < 14 else 0


def quarters(until: datetime, life: Life = usual, days: int = 14, seen: Seen = lambda at: True) -> list[Quarter]:
    at = (MONDAY - timedelta(days=days)).astimezone(UTC)
    found = []
    while at < until:
        local = at.astimezone(LOCAL)
        if seen(local):
            found.append(Quarter(at, life(local)))
        at += timedelta(minutes=15)
    return found


def judge(hour: float, today: Life = usual, *, days: int = 14, unseen: bool = False, alert: bool = False,
          seen: Seen = lambda at: True) -> Today:  # fmt: skip
    now = (MONDAY + timedelta(hours=hour)).astimezone(UTC)

    def life(at: datetime) -> int:
        return today(at) if at.date() == MONDAY.date() else usual(at)

    found = quarters(now, life, days, seen)
    life_at = max((quarter.start for quarter in found if quarter.life), default=None)
    return judge_today(now, ZONE, found, life_at, unseen=unseen, alert=alert)


def stays_in_bed(at: datetime) -> int:
    return 0


def test_a_day_like_the_others_is_as_usual_and_names_the_rise() -> None:
    today = judge(17)
    assert today.verdict is Verdict.USUAL
    assert today.rise is not None
    assert today.rise.astimezone(LOCAL).strftime("%H:%M") == "06:45"
    assert today.usual_rise == today.rise


def test_one_walk_to_the_toilet_is_no_rise() -> None:
    assert judge(6).rise is None
    assert judge(6).verdict is Verdict.USUAL


def test_not_up_an_hour_and_a_half_after_the_usual_time_is_not_as_usual() -> None:
    assert judge(8, stays_in_bed).verdict is Verdict.USUAL
    late = judge(8.5, stays_in_bed)
    assert (late.verdict, late.because) == (Verdict.UNUSUAL, Because.LATE)


def test_a_morning_that_could_not_be_seen_is_not_called_late() -> None:
    def seen(at: datetime) -> bool:
        return at.date() != MONDAY.date() or not 5 <= at.hour < 8

    today = judge(8.75, stays_in_bed, seen=seen)
    assert today.because is not Because.LATE
    assert today.not_seen == timedelta(hours=3)


def test_a_morning_with_a_gap_and_no_sign_of_life_at_all_is_not_called_usual() -> None:
    def seen(at: datetime) -> bool:
        return at.date() != MONDAY.date() or not 5 <= at.hour < 7

    today = judge(11, stays_in_bed, seen=seen)
    assert (today.verdict, today.because) == (Verdict.UNUSUAL, Because.SILENT)


def test_a_silence_two_hours_longer_than_ever_at_this_time_is_not_as_usual() -> None:
    def silent_after_ten(at: datetime) -> int:
        return usual(at) if at.hour < 10 else 0

    assert judge(11.5, silent_after_ten).verdict is Verdict.USUAL
    today = judge(12, silent_after_ten)
    assert (today.verdict, today.because) == (Verdict.UNUSUAL, Because.SILENT)
    assert today.usual_silence == timedelta(0)


def test_the_usual_nap_is_no_silence() -> None:
    assert judge(13.9).verdict is Verdict.USUAL


def test_a_silence_that_could_not_be_seen_does_not_count() -> None:
    def silent_after_ten(at: datetime) -> int:
        return usual(at) if at.hour < 10 else 0

    today = judge(12, silent_after_ten, seen=lambda at: at.date() != MONDAY.date() or at.hour < 10)
    assert today.verdict is Verdict.USUAL
    assert today.silence is not None
    assert today.silence < timedelta(minutes=30)


def test_an_open_alert_goes_before_everything_else() -> None:
    today = judge(17, unseen=True, alert=True)
    assert (today.verdict, today.because) == (Verdict.UNUSUAL, Because.ALERT)


def test_a_home_that_cannot_be_seen_is_never_called_usual() -> None:
    assert judge(17, unseen=True).verdict is Verdict.UNSEEN


def test_a_new_home_is_still_being_learned() -> None:
    assert judge(17, days=4).verdict is Verdict.LEARNING
    assert judge(17, days=5).verdict is Verdict.USUAL


def test_a_home_without_any_data_says_nothing_about_life() -> None:
    today = judge_today(MONDAY.astimezone(UTC), ZONE, [], None, unseen=False, alert=False)
    assert (today.verdict, today.silence, today.rise) == (Verdict.LEARNING, None, None)


def test_a_rise_is_found_while_its_hour_still_runs() -> None:
    now = MONDAY + timedelta(hours=7, minutes=16)
    found = quarters(now.astimezone(UTC))
    rise = rise_of(MONDAY.date(), ZONE, found, now)
    assert rise is not None
    assert rise.astimezone(LOCAL).strftime("%H:%M") == "06:45"


def test_the_night_in_which_the_clocks_change_does_not_move_the_usual_rise() -> None:
    zone = "Europe/Berlin"
    local = ZoneInfo(zone)
    begin = datetime(2026, 3, 20, tzinfo=local).astimezone(UTC)
    now = datetime(2026, 3, 30, 12, tzinfo=local)  # summer time began on 29 March
    found = []
    while begin < now:
        found.append(Quarter(begin, usual(begin.astimezone(local))))
        begin += timedelta(minutes=15)
    today = judge_today(now, zone, found, found[-1].start, unseen=False, alert=False)
    assert today.usual_rise is not None
    assert today.usual_rise.astimezone(local).strftime("%H:%M") == "06:45"

"""The picture of `yiju detect explain`: the last two days, and the quiet spells that the present one is like."""

from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.doubts import Doubt
from alerts.reasoning import Reasoning
from yiju.explain_words import began_words, doubt_words

WIDTH, HEIGHT, LEFT, RIGHT = 820, 500, 60, 50
DOUBT_HEIGHT: Final = 34  # of the line of one sensor that is not believed
SHOWN_S: Final = 48 * 3600.0
HOURS: Final = (2, 4, 8, 14, 24)  # how much of a length may be drawn: the least that holds all
INK, QUIET, ALARM, NOW, GREY = "#1b6e53", "#d9e7e1", "#b4532a", "#333333", "#777777"
UNHEARD, DOUBTED, TRACK = "#c9c9c9", "#d9a441", "#eeeeee"


def picture(found: Reasoning) -> str:
    """As SVG."""
    due = found.due_at if np.isfinite(found.due_at) else found.at
    end = max(found.at, min(due, found.at + SHOWN_S / 4))
    start = end - SHOWN_S

    def x(moment: float) -> float:
        return LEFT + (min(max(moment, start), end) - start) / SHOWN_S * (WIDTH - LEFT - RIGHT)

    doubts = [*found.mute, *found.doubts]
    down = DOUBT_HEIGHT * len(doubts)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + down}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT + down}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(found.home)}: signs of life before '
        f"{_clock(found.at, found.zone, day=True)}</text>",
    ]
    if np.isfinite(found.life_at):
        parts.append(_bar(x(found.life_at), x(found.at), 44, 60, QUIET))
    for begin, until in found.holes:
        parts.append(_bar(x(begin), x(until), 44, 60, UNHEARD))
    for time in found.signs.time[found.signs.time >= start]:
        parts.append(_line(x(float(time)), 52, x(float(time)), 96, INK, 0.6))
    parts.append(_line(x(found.at), 40, x(found.at), 108, NOW, 1.5))
    if start <= found.due_at <= end:
        parts.append(_line(x(found.due_at), 40, x(found.due_at), 108, ALARM, 2.0))
    parts += _hours(found, start, end)
    parts += _key(found)
    for place, doubt in enumerate(doubts):
        parts += _doubted(found, doubt, 172 + DOUBT_HEIGHT * place, x)
    return "\n".join([*parts, *_spells(found, down), "</svg>\n"])


def _doubted(found: Reasoning, doubt: Doubt, y: float, x: Callable[[float], float]) -> list[str]:
    """Why a sensor is not believed, and on the time line since when."""
    since = x(doubt.since if np.isfinite(doubt.since) else -np.inf)
    words = f"not believed: {doubt_words(doubt, found.zone)}"
    return [
        f'<text x="{LEFT}" y="{y}" font-size="11" fill="{GREY}">{escape(words)}</text>',
        _bar(LEFT, WIDTH - RIGHT, y + 6, 6, TRACK),
        _bar(since, x(found.at), y + 6, 6, DOUBTED),
    ]


def _hours(found: Reasoning, start: float, end: float) -> list[str]:
    """A word for each six hours of the wall clock, and the day at midnight."""
    zone, parts = ZoneInfo(found.zone), []
    for tick in range(int(start // 3600 + 1) * 3600, int(end), 3600):
        clock = datetime.fromtimestamp(tick, zone)
        if clock.hour % 6 == 0:
            at = LEFT + (tick - start) / SHOWN_S * (WIDTH - LEFT - RIGHT)
            words = clock.strftime("%m-%d" if clock.hour == 0 else "%H:%M")
            parts.append(f'<text x="{at:.1f}" y="122" text-anchor="middle" fill="{GREY}">{words}</text>')
    return parts


def _key(found: Reasoning) -> list[str]:
    """What the colours mean, with the moments."""
    said = [(INK, "a sign of life"), (QUIET, "the silence"), (NOW, f"asked about: {_clock(found.at, found.zone)}")]
    if found.holes:
        said.insert(2, (UNHEARD, "the meter stands" if found.stood else "nothing received"))
    if np.isfinite(found.due_at):
        said.append((ALARM, f"too long from {_clock(found.due_at, found.zone, day=True)}"))
    return _legend(said, 144)


def _legend(said: list[tuple[str, str]], y: float) -> list[str]:
    parts, x = [], float(LEFT)
    for colour, words in said:
        parts.append(f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15:.1f}" y="{y:.1f}" fill="{GREY}">{escape(words)}</text>')
        x += 35 + 6.6 * len(words)
    return parts


def _spells(found: Reasoning, down: float) -> list[str]:
    """Each past spell that began so is a dot: the hour at which it began, and how long it lasted.

    Args:
        down: how much lower than usual it begins.
    """
    top, bottom = 200.0 + down, 430.0 + down
    drawn = [float(length) for length in found.spells_s]
    drawn += [length for length in (found.limit_s, found.silence_s) if np.isfinite(length)]
    most = next((hours for hours in HOURS if hours * 3600 >= max(drawn, default=0.0)), HOURS[-1])

    def x(hour: float) -> float:
        return LEFT + hour / 24 * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        return bottom - min(seconds / 3600, most) / most * (bottom - top)

    parts = [
        f'<text x="{LEFT}" y="{top - 16:.0f}" font-size="15">past quiet spells that began the same way '
        f"({began_words(found.began)}), by the hour at which they began</text>"
    ]
    for part in range(5):
        hours = most * part / 4
        parts.append(_line(LEFT, y(hours * 3600), WIDTH - RIGHT, y(hours * 3600), "#eeeeee", 1.0))
        parts.append(f'<text x="{LEFT - 8}" y="{y(hours * 3600) + 4:.1f}" text-anchor="end">{hours:g} h</text>')
    for hour in range(0, 25, 3):
        parts.append(f'<text x="{x(hour):.1f}" y="{bottom + 20}" text-anchor="middle">{hour:02d}:00</text>')
    for hour, length in zip(found.spells_hour, found.spells_s, strict=True):
        parts.append(
            f'<circle cx="{x(float(hour)):.1f}" cy="{y(float(length)):.1f}" r="3" fill="{INK}" opacity="0.5"/>'
        )
    said = [(INK, "a spell of the past")]
    if np.isfinite(found.life_at):
        now = datetime.fromtimestamp(found.life_at, ZoneInfo(found.zone))
        here = x(now.hour + now.minute / 60)
        parts.append(_line(here, bottom, here, y(found.silence_s), NOW, 4.0))
        said.append((NOW, "this silence"))
        if np.isfinite(found.limit_s):
            parts.append(_line(here - 14, y(found.limit_s), here + 14, y(found.limit_s), ALARM, 3.0))
            said.append((ALARM, "its limit, as applied"))
    return parts + _legend(said, bottom + 50)


def _bar(x1: float, x2: float, y: float, height: float, colour: str) -> str:
    return f'<rect x="{x1:.1f}" y="{y}" width="{max(x2 - x1, 1):.1f}" height="{height}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _clock(moment: float, zone: str, *, day: bool = False) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M" if day else "%H:%M")

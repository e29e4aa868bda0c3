"""The picture of `yiju detect explain`: the last two days, and the quiet spells that the present one is like."""

from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.detect.spells import Began
from alerts.reasoning import Reasoning

WIDTH, HEIGHT, LEFT, RIGHT = 820, 500, 60, 50
SHOWN_S: Final = 48 * 3600.0
HOURS: Final = (2, 4, 8, 14, 24)  # how much of a length may be drawn: the least that holds all
INK, QUIET, ALARM, NOW, GREY = "#1b6e53", "#d9e7e1", "#b4532a", "#333333", "#777777"
_BEGAN: Final = {
    Began.INDOORS: "indoors",
    Began.BEDROOM: "in the bedroom",
    Began.BATHROOM: "in the bathroom or toilet",
    Began.RESTING: "on a bed or seat",
    Began.LEFT: "at the door, leaving",
    Began.CAME: "at the door, coming home",
    Began.DOOR_RESTING: "at the door, with somebody on a bed or seat",
}


def began_words(began: Began | None) -> str:
    """How a silence began, in words; "-" where there was no sign of life."""
    return "-" if began is None else _BEGAN[began]


def picture(found: Reasoning) -> str:
    """As SVG."""
    due = found.due_at if np.isfinite(found.due_at) else found.at
    end = max(found.at, min(due, found.at + SHOWN_S / 4))
    start = end - SHOWN_S

    def x(moment: float) -> float:
        return LEFT + (min(max(moment, start), end) - start) / SHOWN_S * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(found.home)}: signs of life before '
        f"{_clock(found.at, found.zone, day=True)}</text>",
    ]
    if np.isfinite(found.life_at):
        parts.append(
            f'<rect x="{x(found.life_at):.1f}" y="44" width="{max(x(found.at) - x(found.life_at), 1):.1f}" height="60"'
            f' fill="{QUIET}"/>'
        )
    for time in found.signs.time[found.signs.time >= start]:
        parts.append(_line(x(float(time)), 52, x(float(time)), 96, INK, 0.6))
    parts.append(_line(x(found.at), 40, x(found.at), 108, NOW, 1.5))
    if start <= found.due_at <= end:
        parts.append(_line(x(found.due_at), 40, x(found.due_at), 108, ALARM, 2.0))
    parts += _hours(found, start, end)
    parts += _key(found)
    return "\n".join([*parts, *_spells(found), "</svg>\n"])


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


def _spells(found: Reasoning) -> list[str]:
    """Each past spell that began so is a dot: the hour at which it began, and how long it lasted."""
    top, bottom = 200.0, 430.0
    drawn = [float(length) for length in found.spells_s]
    drawn += [length for length in (found.limit_s, found.silence_s) if np.isfinite(length)]
    most = next((hours for hours in HOURS if hours * 3600 >= max(drawn, default=0.0)), HOURS[-1])

    def x(hour: float) -> float:
        return LEFT + hour / 24 * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        return bottom - min(seconds / 3600, most) / most * (bottom - top)

    parts = [
        f'<text x="{LEFT}" y="184" font-size="15">past quiet spells that began the same way '
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


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _clock(moment: float, zone: str, *, day: bool = False) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M" if day else "%H:%M")

"""The picture of `yiju detect explain`: the last two days, and the quiet spells that the present one is like."""

from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.reasoning import Reasoning

WIDTH, LEFT, RIGHT = 820, 60, 30
SHOWN_S: Final = 48 * 3600.0
HOURS: Final = 14  # the greatest length that is drawn
INK, QUIET, ALARM = "#1b6e53", "#d9e7e1", "#b4532a"


def picture(found: Reasoning) -> str:
    """As SVG."""
    end = max(found.at, found.due_at) if np.isfinite(found.due_at) else found.at
    start = end - SHOWN_S

    def x(moment: float) -> float:
        return LEFT + (min(max(moment, start), end) - start) / SHOWN_S * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 460" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="460" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(found.home)}: signs of life before '
        f"{_clock(found.at, found.zone, day=True)}</text>",
        f'<rect x="{x(found.life_at):.1f}" y="44" width="{max(x(found.at) - x(found.life_at), 1):.1f}" height="60"'
        f' fill="{QUIET}"/>',
    ]
    for time in found.signs.time[found.signs.time >= start]:
        parts.append(_line(x(float(time)), 52, x(float(time)), 96, INK, 0.6))
    parts.append(_line(x(found.at), 40, x(found.at), 108, "#333333", 1.5))
    if np.isfinite(found.due_at):
        parts.append(_line(x(found.due_at), 40, x(found.due_at), 108, ALARM, 2.0))
        parts.append(
            f'<text x="{x(found.due_at):.1f}" y="124" fill="{ALARM}" text-anchor="middle">'
            f"alarm {_clock(found.due_at, found.zone)}</text>"
        )
    first = int(start // 10_800 + 1) * 10_800
    for tick in range(first, int(end), 21_600):
        parts.append(f'<text x="{x(tick):.1f}" y="140" text-anchor="middle" fill="#777777">'
                     f"{_clock(tick, found.zone)}</text>")  # fmt: skip
    return "\n".join([*parts, *_spells(found), "</svg>\n"])


def _spells(found: Reasoning) -> list[str]:
    """Each past spell that began so is a dot: the hour at which it began, and how long it lasted."""
    top, bottom = 190.0, 420.0

    def x(hour: float) -> float:
        return LEFT + hour / 24 * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        return bottom - min(seconds / 3600, HOURS) / HOURS * (bottom - top)

    how = found.began.name.lower().replace("_", " ") if found.began is not None else "-"
    parts = [f'<text x="{LEFT}" y="176" font-size="15">past quiet spells that began the same way ({how})</text>']
    for hours in range(0, HOURS + 1, 2):
        parts.append(_line(LEFT, y(hours * 3600), WIDTH - RIGHT, y(hours * 3600), "#eeeeee", 1.0))
        parts.append(f'<text x="{LEFT - 8}" y="{y(hours * 3600) + 4:.1f}" text-anchor="end">{hours} h</text>')
    for hour in range(0, 25, 3):
        parts.append(f'<text x="{x(hour):.1f}" y="{bottom + 20}" text-anchor="middle">{hour:02d}:00</text>')
    for hour, length in zip(found.spells_hour, found.spells_s, strict=True):
        parts.append(
            f'<circle cx="{x(float(hour)):.1f}" cy="{y(float(length)):.1f}" r="3" fill="{INK}" opacity="0.5"/>'
        )
    if not np.isnan(found.life_at):
        now = datetime.fromtimestamp(found.life_at, ZoneInfo(found.zone))
        here = x(now.hour + now.minute / 60)
        parts.append(_line(here, bottom, here, y(found.silence_s), "#333333", 3.0))
        if np.isfinite(found.limit_s):
            parts.append(_line(here - 14, y(found.limit_s), here + 14, y(found.limit_s), ALARM, 3.0))
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _clock(moment: float, zone: str, *, day: bool = False) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M" if day else "%H:%M")

"""The whole curve as SVG: median delay against false alarms per home-day, ours and the rules to beat."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 64, 240, 28, 56
MOST_RATE: Final = 0.4
MOST_DELAY_H: Final = 26.0
COLOURS: Final = ("#1b6e53", "#b4532a", "#6b5ca5", "#44576b", "#946f00")


def plot(found: Mapping[str, Any]) -> str:
    """The figures of `report.document` as an SVG picture."""
    lines = [("yiju, median", _points(found["inactivity"]["curve"], "median"), "")]
    lines.append(("yiju, 90 %", _points(found["inactivity"]["curve"], "p90"), "6 4"))
    seen: set[str] = set()
    for name, one in found["baselines"].items():
        label = "no activity for N h" if name.startswith("no_activity") else name.replace("_", " ")
        if label not in seen:
            seen.add(label)
            lines.append((f"{label}, median", _points(one["curve"], "median"), ""))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(),
    ]
    for place, (label, points, dash) in enumerate(lines):
        colour = COLOURS[0] if place < 2 else COLOURS[place - 1]
        parts += _line(label, points, colour, dash, place)
    own = found["inactivity"]["pooled"]
    parts.append(_mark(own["false_alarms_per_home_day"], own["delay_h"]["median"], COLOURS[0]))
    parts.append("</svg>\n")
    return "\n".join(parts)


def _points(curve: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """From the loosest setting to the strictest."""
    return [(one["false_alarms_per_home_day"], one["delay_h"][name]) for one in curve]


def _x(rate: float) -> float:
    return LEFT + min(rate, MOST_RATE) / MOST_RATE * (WIDTH - LEFT - RIGHT)


def _y(delay_h: float) -> float:
    return TOP + (1 - min(delay_h, MOST_DELAY_H) / MOST_DELAY_H) * (HEIGHT - TOP - BOTTOM)


def _axes() -> list[str]:
    parts = []
    for hours in range(0, int(MOST_DELAY_H), 4):
        parts.append(_stroke(LEFT, _y(hours), WIDTH - RIGHT, _y(hours), "#e3e3e3"))
        parts.append(f'<text x="{LEFT - 8}" y="{_y(hours) + 4:.1f}" text-anchor="end">{hours}</text>')
    for step in range(5):
        rate = step * MOST_RATE / 4
        parts.append(f'<text x="{_x(rate):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{rate:g}</text>')
    parts.append(_stroke(_x(0.02), TOP, _x(0.02), HEIGHT - BOTTOM, "#999999", "2 3"))
    parts.append(f'<text x="{_x(0.02) + 3:.1f}" y="{TOP + 12}" fill="#666666">0.02</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">false alarms per home-day</text>')
    parts.append(f'<text x="16" y="{TOP - 8}">delay, hours</text>')
    return parts


def _line(label: str, points: Sequence[tuple[float, float]], colour: str, dash: str, place: int) -> list[str]:
    drawn = " ".join(f"{_x(rate):.1f},{_y(delay):.1f}" for rate, delay in points)
    at = TOP + 14 + place * 20
    return [
        f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>',
        *(f'<circle cx="{_x(rate):.1f}" cy="{_y(delay):.1f}" r="2.5" fill="{colour}"/>' for rate, delay in points),
        _stroke(WIDTH - RIGHT + 16, at - 4, WIDTH - RIGHT + 36, at - 4, colour, dash),
        f'<text x="{WIDTH - RIGHT + 42}" y="{at}">{escape(label)}</text>',
    ]


def _mark(rate: float, delay_h: float, colour: str) -> str:
    return f'<circle cx="{_x(rate):.1f}" cy="{_y(delay_h):.1f}" r="7" fill="none" stroke="{colour}" stroke-width="2"/>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1.5"'
        f' stroke-dasharray="{dash}"/>'
    )

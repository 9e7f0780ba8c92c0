"""Drawing curves as SVG: a logarithmic axis below, a linear one at the left, every line with its name beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 150, 44, 44

_PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
 font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="#24292f">
<title>{title}</title>
<rect width="{width}" height="{height}" fill="#ffffff"/>
{panels}
</svg>
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right. A dashed line is something to compare with."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. Lines begin at 0 on the left axis, which ends at `top`."""

    title: str
    below: str
    lines: Sequence[Line]
    top: float
    step: float


def page(title: str, panels: Sequence[Panel]) -> str:
    """The panels, one below the other."""
    drawn = [f'<g transform="translate(0 {place * HEIGHT})">\n{_panel(p)}\n</g>' for place, p in enumerate(panels)]
    return _PAGE.format(width=WIDTH, height=HEIGHT * len(panels), title=escape(title), panels="\n".join(drawn))


def _panel(panel: Panel) -> str:
    along = [x for line in panel.lines for x, _ in line.points]
    first, last = log10(min(along)), log10(max(along))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - first) / (last - first or 1)
        up = y / panel.top
        return _LEFT + across * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text x="{_LEFT}" y="24" font-size="15" font-weight="600">{escape(panel.title)}</text>']
    for number in range(int(panel.top / panel.step) + 1):
        _, y = place(10**first, number * panel.step)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="#d8dee4"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number * panel.step:,.0f}</text>')
    for exponent in range(round(first), round(last) + 1):
        x, _ = place(10**exponent, 0)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 19}" text-anchor="middle">{10**exponent:,}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(panel.below)}</text>')
    names = _apart([place(*line.points[-1])[1] for line in panel.lines])
    parts += [_line(line, [place(*p) for p in line.points], y) for line, y in zip(panel.lines, names, strict=True)]
    return "\n".join(parts)


def _line(line: Line, places: Sequence[tuple[float, float]], name_at: float) -> str:
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dashes = ' stroke-dasharray="5 4"' if line.dashed else ""
    dots = "" if line.dashed else "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places)
    name = f'<text x="{places[-1][0] + 9:.1f}" y="{name_at + 4:.1f}">{escape(line.name)}</text>'
    curve = f'<path d="{way}" fill="none" stroke="{line.colour}" stroke-width="2"{dashes}/>'
    return f'<g fill="{line.colour}">{curve}{dots}{name}</g>'


def _apart(heights: Sequence[float], least: float = 16) -> list[float]:
    """The same heights, moved up so far that names do not lie upon one another."""
    moved = dict.fromkeys(range(len(heights)), 0.0)
    above = float("inf")
    for place in sorted(range(len(heights)), key=lambda n: -heights[n]):
        above = moved[place] = min(heights[place], above - least)
    return [moved[place] for place in range(len(heights))]

"""How far apart messages were, as bars: in letters for a terminal, as SVG for the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

WIDTH, HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 44, 44
_LAST = 60
"""Milliseconds; whatever is more is counted there."""
_BAR = "█"
_WIDEST = 60
_ALLOWED = 1000 / 30

_PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
 font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="#24292f">
<title>{title}</title>
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="{left}" y="24" font-size="15" font-weight="600">{title}</text>
{parts}
</svg>
"""


def counted(distances: Sequence[float]) -> Counter[int]:
    """How many of the distances (seconds) lie in each millisecond."""
    return Counter(min(_LAST, int(d * 1000)) for d in distances)


def text(distances: Sequence[float]) -> str:
    """One line a millisecond."""
    bars = counted(distances)
    most = max(bars.values(), default=1)
    lines = []
    for at in range(min(bars, default=0), max(bars, default=0) + 1):
        more = "+" if at == _LAST else " "
        lines.append(f"{at:>3}{more} {bars[at]:>5} {_BAR * round(_WIDEST * bars[at] / most)}".rstrip())
    return "\n".join(lines)


def svg(distances: Sequence[float]) -> str:
    """One bar a millisecond, and where the bars would be if messages left as fast as allowed."""
    bars = counted(distances)
    most = max(bars.values(), default=1)
    across = (WIDTH - _LEFT - _RIGHT) / (_LAST + 1)
    down = HEIGHT - _BOTTOM
    parts = [_grid(most, down)]
    for at in range(0, _LAST + 1, 10):
        words = f"{at} or more" if at == _LAST else str(at)
        parts.append(f'<text x="{_LEFT + at * across:.1f}" y="{down + 19}" text-anchor="middle">{words}</text>')
    for at, count in sorted(bars.items()):
        high = (down - _TOP) * count / most
        parts.append(
            f'<rect x="{_LEFT + at * across + 1:.1f}" y="{down - high:.1f}" width="{across - 2:.1f}"'
            f' height="{high:.1f}" fill="#0969da"><title>{at} ms: {count}</title></rect>'
        )
    limit = _LEFT + _ALLOWED * across
    parts.append(f'<path d="M{limit:.1f} {_TOP - 6}V{down}" stroke="#cf222e" stroke-dasharray="5 4"/>')
    parts.append(f'<text x="{limit - 6:.1f}" y="{_TOP + 4}" text-anchor="end" fill="#cf222e">30 a second</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    words = f"milliseconds from one message to the next, {len(distances):,} of them, as the platform saw them"
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{words}</text>')
    title = "A run at full pace, ten people asking meanwhile"
    return _PAGE.format(width=WIDTH, height=HEIGHT, left=_LEFT, title=title, parts="\n".join(parts))


def _grid(most: int, down: int) -> str:
    unit = 100 if most >= 400 else 10 if most >= 40 else 1
    step = max(unit, most // 4 // unit * unit)
    lines = []
    for count in range(0, most + 1, step):
        y = down - (down - _TOP) * count / most
        lines.append(f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="#d8dee4"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{count:,}</text>')
    return "\n".join(lines)

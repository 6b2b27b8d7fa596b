"""Lines over time as an SVG. Not here: what is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _TOP = 800, 300, 50, 20


@dataclass(frozen=True)
class Line:
    """One line: (x, y) from left to right; x from 0, y from 0."""

    label: str
    colour: str
    points: Sequence[tuple[float, float]]


def plot(title: str, lines: Sequence[Line], *, every: float | None = None) -> str:
    """The lines in one frame, a tenth higher than the first one's highest point.

    Args:
        every: Between two vertical marks, in x; None: there are none.
    """
    top = max(y for _, y in lines[0].points) * 1.1
    last = lines[0].points[-1][0]
    marks = [_x(number * every, last) for number in range(1, int(last // every) + 1)] if every else []
    texts = [
        f'<text x="{_LEFT}" y="15">{title}</text>',
        f'<text x="5" y="30">{top:.0f}</text><text x="25" y="{_HEIGHT + 20}">0</text>',
        *(
            f'<text x="{60 + 260 * number}" y="{_HEIGHT + 40}" fill="{line.colour}">{line.label}</text>'
            for number, line in enumerate(lines)
        ),
    ]
    body = "\n".join(["".join(map(_mark, marks)), *(_drawn(line, last, top) for line in lines), *texts])
    frame = f'viewBox="0 0 {_WIDTH + 70} {_HEIGHT + 50}" font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>\n{body}\n</svg>\n'


def _x(x: float, last: float) -> str:
    return f"{_LEFT + _WIDTH * x / last:.0f}"


def _mark(x: str) -> str:
    return f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT + _TOP}" stroke="#ddd"/>'


def _drawn(line: Line, last: float, top: float) -> str:
    points = " ".join(f"{_x(x, last)},{_TOP + _HEIGHT * (1 - y / top):.0f}" for x, y in line.points)
    return f'<polyline fill="none" stroke="{line.colour}" stroke-width="2" points="{points}"/>'

"""Plots in SVG: a dot for each median, a line for its range, ten times more from one mark of a scale to the next."""

import math
from dataclasses import dataclass
from html import escape

LEFT, RIGHT, LINE, HEAD, TOP, WIDTH = 190, 90, 20, 40, 30, 860
RUST, PYTHON, NODE, JVM, OTHER = "#b7410e", "#3572a5", "#3c873a", "#7f52ff", "#888888"


@dataclass
class Row:
    title: str
    colour: str
    low: float
    middle: float
    high: float
    # What stands beside the dot.
    label: str


@dataclass
class Scale:
    # Says what a power of ten is called.
    unit: object
    # Pairs of a heading and its rows.
    groups: list


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def figure(number):
    """Three digits that count."""
    return f"{number:.{max(0, 2 - math.floor(math.log10(number)))}f}" if number < 100 else f"{number:.0f}"


def time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{figure(nanoseconds / size)} {unit}"
    return f"{figure(nanoseconds)} ns"


def time_mark(power):
    """A power of ten nanoseconds: `10 µs` for 4."""
    unit, zeros = divmod(power, 3)
    return f"{10**zeros} {['ns', 'µs', 'ms', 's'][unit]}"


def draw(scales):
    """The plot of several scales, one below the other."""
    scales = [scale for scale in scales if any(rows for _, rows in scale.groups)]
    height = TOP + 24 * (len(scales) - 1) + sum(extent(scale) for scale in scales) + 16
    style = 'font-family="sans-serif" font-size="12" fill="#222"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {style}>', f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>']
    top = TOP
    for scale in scales:
        out += part(scale, top)
        top += extent(scale) + 24
    return "\n".join([*out, "</svg>"]) + "\n"


def extent(scale):
    return sum(HEAD + LINE * len(rows) for _, rows in scale.groups)


def part(scale, y):
    rows = [row for _, rows in scale.groups for row in rows]
    first = math.floor(math.log10(min(row.low for row in rows)))
    last = max(first + 1, math.ceil(math.log10(max(row.high for row in rows))))
    bottom = y + extent(scale)

    def x(value):
        return LEFT + (math.log10(value) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    for power in range(first, last + 1):
        at = x(10.0**power)
        yield f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - 10}" y2="{bottom - 8}" stroke="#ddd"/>'
        yield text(at, y - 16, scale.unit(power), 'text-anchor="middle" fill="#666"')
    for heading, rows in scale.groups:
        y += HEAD
        yield text(12, y - 17, heading, 'font-weight="bold"')
        for row in rows:
            yield text(LEFT - 12, y + 4, row.title, 'text-anchor="end"')
            yield f'<line x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y}" y2="{y}" stroke="{row.colour}" stroke-width="2"/>'
            yield f'<circle cx="{x(row.middle):.1f}" cy="{y}" r="4.5" fill="{row.colour}"/>'
            yield text(x(row.high) + 9, y + 4, row.label)
            y += LINE


def text(at, y, content, style=""):
    return f'<text x="{at:.1f}" y="{y:.1f}" {style}>{escape(content)}</text>'

"""The report of a measurement: a table in Markdown and a plot in SVG. `report.py <measured.json>` writes it again."""

import json
import math
import statistics
import sys
from html import escape
from pathlib import Path

CALLERS = {
    "rust": ("Rust, awaited in place", "#b7410e"),
    "rust_task": ("Rust, in a task", "#b7410e"),
    "python_blocking": ("Python, blocking", "#3572a5"),
    "python": ("Python, asyncio", "#3572a5"),
    "python_uvloop": ("Python, uvloop", "#3572a5"),
    "node": ("Node.js", "#3c873a"),
    "kotlin": ("Kotlin (JVM)", "#7f52ff"),
}
OPERATIONS = {
    "nothing": "A call that does nothing",
    "nothing_64": "The same, 64 at once, per call",
    "echo": "One record of 13 fields, there and back",
    "echo_many": "1000 such records, there and back",
    "token": "A stored token, read from SQLite and opened",
    "token_64": "The same, 64 at once, per call",
    "token_postgres": "A stored token, read from PostgreSQL and opened",
    "token_postgres_64": "The same, 64 at once, per call",
}
RECORD = "record_2KiB"
BASE = "rust_task"


def write(measured, folder):
    """Writes <name>.md and <name>.svg; returns their paths."""
    folder.mkdir(exist_ok=True)
    cells = {}
    for key, rounds in measured["rounds"].items():
        operation, caller = key.split()
        tenths = statistics.quantiles(rounds, n=10)
        cells[operation, caller] = (tenths[0], statistics.median(rounds), tenths[-1])
    pages = {".md": markdown(measured, cells), ".svg": plot(cells)}
    paths = [folder / (measured["name"] + suffix) for suffix in pages]
    for path, text in zip(paths, pages.values()):
        path.write_text(text, encoding="utf-8")
    return paths


def groups(cells):
    for operation, title in OPERATIONS.items():
        rows = [(caller, cells[operation, caller]) for caller in CALLERS if (operation, caller) in cells]
        if rows:
            yield operation, title, rows


def markdown(measured, cells):
    name, loads = measured["name"], measured["loads"]
    out = [f"# Measurements: {name}", ""]
    out += ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in measured["machine"].items())]
    out += [f"| Load average, the measurement included | {min(loads):.1f} to {max(loads):.1f}, median {statistics.median(loads):.1f} |", ""]
    spread = statistics.median(high / low for low, _, high in cells.values())
    out += [
        f"Medians of the rounds. Between the tenth and the ninetieth percentile of its rounds a figure varies {spread:.1f} times in",
        "the middle case: differences below that say nothing. The ratio is to the same call in a task of Rust, in the same run.",
        "",
        f"![The medians on a logarithmic scale, with the range from the tenth to the ninetieth percentile]({name}.svg)",
    ]
    for operation, title, rows in groups(cells):
        base = cells[operation, BASE][1]
        out += ["", f"## {title}", "", "| | median | 10 % to 90 % | ratio |", "| --- | ---: | ---: | ---: |"]
        for caller, (low, middle, high) in rows:
            out.append(f"| {CALLERS[caller][0]} | {time(middle)} | {time(low)} to {time(high)} | {figure(middle / base)} |")
    out += ["", "## A record of 2 KiB, in Rust", "", "| | median | 10 % to 90 % | per second |", "| --- | ---: | ---: | ---: |"]
    for action in ("seal", "open"):
        low, middle, high = cells[RECORD, action]
        out.append(f"| {action} | {time(middle)} | {time(low)} to {time(high)} | {figure(2048 / middle * 1e9 / 2**20)} MiB |")
    return "\n".join(out) + "\n"


def figure(number):
    """Three digits that count."""
    return f"{number:.{max(0, 2 - math.floor(math.log10(number)))}f}" if number < 100 else f"{number:.0f}"


def time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{figure(nanoseconds / size)} {unit}"
    return f"{figure(nanoseconds)} ns"


def plot(cells):
    """A dot for each median, a line for the range of the rounds; time grows tenfold from one mark to the next."""
    left, right, line, head, top = 190, 90, 20, 40, 30
    width = 860
    shown = list(groups(cells))
    lows = [low for _, _, rows in shown for _, (low, _, _) in rows]
    highs = [high for _, _, rows in shown for _, (_, _, high) in rows]
    first, last = math.floor(math.log10(min(lows))), math.ceil(math.log10(max(highs)))
    height = top + sum(head + line * len(rows) for _, _, rows in shown) + 16

    def x(nanoseconds):
        return left + (math.log10(nanoseconds) - first) / (last - first) * (width - left - right)

    def text(at, y, content, style=""):
        return f'<text x="{at:.1f}" y="{y:.1f}" {style}>{escape(content)}</text>'

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for power in range(first, last + 1):
        at = x(10**power)
        out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 10}" y2="{height - 8}" stroke="#ddd"/>')
        out.append(text(at, top - 16, scale(power), 'text-anchor="middle" fill="#666"'))
    y = top
    for _, title, rows in shown:
        y += head
        out.append(text(12, y - 17, title, 'font-weight="bold"'))
        for caller, (low, middle, high) in rows:
            label, colour = CALLERS[caller]
            out.append(text(left - 12, y + 4, label, 'text-anchor="end"'))
            out.append(f'<line x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
            out.append(f'<circle cx="{x(middle):.1f}" cy="{y}" r="4.5" fill="{colour}"/>')
            out.append(text(x(high) + 9, y + 4, time(middle)))
            y += line
    return "\n".join([*out, "</svg>"]) + "\n"


def scale(power):
    """A power of ten nanoseconds: `10 µs` for 4."""
    unit, zeros = divmod(power, 3)
    return f"{10**zeros} {['ns', 'µs', 'ms', 's'][unit]}"


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), Path(__file__).resolve().parent / "results"):
        print(path)

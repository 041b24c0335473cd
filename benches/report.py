"""The report of a measurement: a table in Markdown and a plot in SVG. `report.py <measured.json>` writes it again."""

import json
import statistics
import sys
from pathlib import Path

import chart
from chart import JVM, NODE, PYTHON, RUST, figure, time

CALLERS = {
    "rust": ("Rust, awaited in place", RUST),
    "rust_task": ("Rust, in a task", RUST),
    "python_blocking": ("Python, blocking", PYTHON),
    "python": ("Python, asyncio", PYTHON),
    "python_uvloop": ("Python, uvloop", PYTHON),
    "node": ("Node.js", NODE),
    "kotlin": ("Kotlin (JVM)", JVM),
}
OPERATIONS = {
    "nothing": "A call that does nothing",
    "nothing_64": "The same, 64 at once, per call",
    "echo": "One record of 13 fields, there and back",
    "echo_many": "1000 such records, there and back",
    "token": "A stored token, read from SQLite and opened",
    "token_64": "The same, 64 at once, per call",
    "token_cached": "A stored token, read moments ago",
    "token_cached_64": "The same, 64 at once, per call",
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


def plot(cells):
    def row(caller, cell):
        title, colour = CALLERS[caller]
        low, middle, high = cell
        return chart.Row(title, colour, low, middle, high, time(middle))

    rows = [(title, [row(*of) for of in rows]) for _, title, rows in groups(cells)]
    return chart.draw([chart.Scale(chart.time_mark, rows)])


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), Path(__file__).resolve().parent / "results"):
        print(path)

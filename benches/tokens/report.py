"""The report of a measurement: tables in Markdown and a plot in SVG. `report.py <measured.json>` writes it again."""

import json
import statistics
import sys
from pathlib import Path

from subjects import SUBJECTS

# After `subjects`, which knows where they are.
import chart
from chart import figure, percentile, time
from side_by_side import RESULTS, missing

PEERS = ("betterauth", "sqlalchemy_orm", "sqlalchemy_core")
# Whom a subject is compared with that runs in the same language.
NEIGHBOURS = {
    "betterauth": ("ours_node", "ours_node_cached"),
    "sqlalchemy_orm": ("ours_blocking", "ours_blocking_cached", "ours_asyncio", "ours_asyncio_cached"),
    "sqlalchemy_core": ("ours_blocking", "ours_blocking_cached", "ours_asyncio", "ours_asyncio_cached"),
}
TITLES = {subject.key: subject.title for subject in SUBJECTS}


def write(measured, folder):
    """Writes <name>.md and <name>.svg; returns their paths."""
    pages = {f"{measured['name']}.md": markdown(measured), f"{measured['name']}.svg": plot(measured)}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def figures(measured, measure):
    """The subjects that were measured so, with their figures."""
    found = [(subject, measured["found"].get(f"{subject.key} {measure}")) for subject in SUBJECTS]
    return [(subject, numbers) for subject, numbers in found if numbers]


def median(measured, key, measure="one"):
    found = measured["found"].get(f"{key} {measure}")
    return statistics.median(found) if found else None


def short(measure, found):
    middle = statistics.median(found)
    return time(middle) if measure == "latency" else f"{middle:,.0f}/s"


def markdown(measured):
    name, loads, arguments = measured["name"], measured["loads"], measured["arguments"]
    out = [f"# Reading a token, side by side: {name}", "", "| | |", "| --- | --- |"]
    out += [f"| {key} | {value} |" for key, value in measured["machine"].items()]
    out += [f"| Load average after each round | {', '.join(f'{load:.1f}' for load in loads)} |"]
    out += [f"| Turns that began while others used the machine | {measured['busy']} of {measured['turns']} |", ""]
    out += [
        f"A valid access token of one of {arguments['accounts']} connected accounts in SQLite. Reads per second: medians of {len(loads)} rounds in which every",
        "subject had its turn, with the lowest and the highest round. Latency: all samples of all rounds together. [What is measured](../tokens/README.md).",
        "",
        f"![The medians on a logarithmic scale, with their ranges]({name}.svg)",
    ]
    for measure, heading in (("one", "One caller"), ("many", "64 at once")):
        rows = figures(measured, measure)
        if rows:
            out += ["", f"## {heading}", "", "| | reads per second | lowest to highest |", "| --- | ---: | ---: |"]
            out += [f"| {s.title} | {statistics.median(found):,.0f} | {min(found):,.0f} to {max(found):,.0f} |" for s, found in rows]
    out += ["", "## Latency of one read", "", "| | median | 99 % within | samples |", "| --- | ---: | ---: | ---: |"]
    for subject, found in figures(measured, "latency"):
        out.append(f"| {subject.title} | {time(statistics.median(found))} | {time(percentile(found, 0.99))} | {len(found)} |")
    return "\n".join([*out, *ratios(measured), *aims(measured), *missing(measured, SUBJECTS)]) + "\n"


def ratios(measured):
    """How many times as many reads per second, first where both are called from the same language."""
    pairs = [(mine, theirs) for theirs, keys in NEIGHBOURS.items() for mine in keys]
    pairs = [(mine, theirs, median(measured, mine), median(measured, theirs)) for mine, theirs in pairs]
    rows = [f"| {TITLES[mine]} | {TITLES[theirs]} | {figure(a / b)} |" for mine, theirs, a, b in pairs if a and b]
    table = ["", "## To the peer in the same language", "", "| | to | times as many reads, one caller |", "| --- | --- | ---: |", *rows] if rows else []

    peers = [peer for peer in PEERS if median(measured, peer)]
    rows = [subject for subject, _ in figures(measured, "one") if subject.key not in PEERS]
    if peers and rows:
        table += ["", "## To every peer", "", "Times as many reads per second by one caller.", ""]
        table += [f"| | {' | '.join(TITLES[peer] for peer in peers)} |", f"| ---{' | ---:' * len(peers)} |"]
        for subject in rows:
            cells = [figure(median(measured, subject.key) / median(measured, peer)) for peer in peers]
            table.append(f"| {subject.title} | {' | '.join(cells)} |")
    return table


def aims(measured):
    """What the library is to reach, and whether it did in this run."""
    def within(title, key, most):
        found = median(measured, key, "latency")
        if found:
            yield f"| {title} | < {most} µs | {time(found)} | {'yes' if found < most * 1000 else 'no'} |"

    def ratio(mine, theirs):
        a, b = median(measured, mine), median(measured, theirs)
        if a and b:
            yield f"| {TITLES[mine]}: to {TITLES[theirs]} | ≥ 10 | {figure(a / b)} | {'yes' if a >= 10 * b else 'no'} |"

    table = [
        *within("A read from SQLite in Rust, median", "ours_rust", 50),
        *within("A cached read in Rust, median", "ours_rust_cached", 5),
        *(row for mine in ("ours_rust", "ours_rust_cached") for theirs in PEERS for row in ratio(mine, theirs)),
    ]
    return ["", "## Aims", "", "| | aim | this run | reached |", "| --- | ---: | ---: | --- |", *table] if table else []


def plot(measured):
    """The rates above, with the range of the rounds; the latencies below, with the range of 98 % of them."""
    def rates(measure):
        return [chart.Row(s.title, s.colour, min(f), statistics.median(f), max(f), short(measure, f)) for s, f in figures(measured, measure)]

    def latencies():
        for subject, found in figures(measured, "latency"):
            low, middle, high = (percentile(found, share) for share in (0.01, 0.5, 0.99))
            yield chart.Row(subject.title, subject.colour, low, middle, high, time(middle))

    return chart.draw([
        chart.Scale(lambda power: f"{10**power:,}/s", [("Reads by one caller", rates("one")), ("64 reads at once", rates("many"))]),
        chart.Scale(chart.time_mark, [("One read", list(latencies()))]),
    ])


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), RESULTS):
        print(path)

"""The report of a measurement: a table in Markdown and a plot in SVG. `report.py <measured.json>` writes it again."""

import json
import statistics
import sys
from pathlib import Path

from subjects import SUBJECTS

# After `subjects`, which knows where they are.
import chart
from chart import figure, time
from side_by_side import RESULTS, missing

TITLES = {subject.key: subject.title for subject in SUBJECTS}
# Ours, a peer, and how many times the peer's cost ours may be.
AIMS = [
    ("ours_rust", "plain", 1.5),
    ("ours_blocking", "google_python", 1 / 3),
    ("ours_asyncio", "google_python", 1 / 3),
    ("ours_node", "google_node", 1 / 3),
]


def write(measured, folder):
    """Writes <name>.md and <name>.svg; returns their paths."""
    pages = {f"{measured['name']}.md": markdown(measured), f"{measured['name']}.svg": plot(measured)}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def rows(measured):
    return [(subject, found) for subject in SUBJECTS if (found := measured["found"].get(subject.key))]


def markdown(measured):
    name, loads, arguments = measured["name"], measured["loads"], measured["arguments"]
    out = [f"# Listing files, side by side: {name}", "", "| | |", "| --- | --- |"]
    out += [f"| {key} | {value} |" for key, value in measured["machine"].items()]
    out += [f"| Load average after each round | {', '.join(f'{load:.1f}' for load in loads)} |"]
    out += [f"| Turns that began while others used the machine | {measured['busy']} of {measured['turns']} |", ""]
    out += [
        f"Processor time of the whole process per file, user and system, for lists of {arguments['items']:,} files in pages of 1,000 from loopback: medians of",
        f"{len(loads)} rounds in which every subject had its turn, with the lowest and the highest. [What is measured](../listing/README.md).",
        "",
        f"![The medians on a logarithmic scale, with their ranges]({name}.svg)",
        "",
        "| | per file | lowest to highest |",
        "| --- | ---: | ---: |",
    ]
    out += [f"| {s.title} | {time(statistics.median(found))} | {time(min(found))} to {time(max(found))} |" for s, found in rows(measured)]
    return "\n".join([*out, *aims(measured), *missing(measured, SUBJECTS)]) + "\n"


def aims(measured):
    """What the library is to reach, and whether it did in this run."""
    found = {key: statistics.median(times) for key, times in measured["found"].items() if times}
    table = []
    for mine, theirs, most in AIMS:
        if mine in found and theirs in found:
            ratio = found[mine] / found[theirs]
            table.append(f"| {TITLES[mine]}: to {TITLES[theirs]} | ≤ {figure(most)} | {figure(ratio)} | {'yes' if ratio <= most else 'no'} |")
    return ["", "## Aims", "", "| | aim | this run | reached |", "| --- | ---: | ---: | --- |", *table] if table else []


def plot(measured):
    points = [chart.Row(s.title, s.colour, min(f), statistics.median(f), max(f), time(statistics.median(f))) for s, f in rows(measured)]
    return chart.draw([chart.Scale(chart.time_mark, [("Processor time per file", points)])])


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), RESULTS):
        print(path)

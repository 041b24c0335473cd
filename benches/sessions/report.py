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

# How many times as many verifications the library is to make as the peer in the same language.
AIMS = (("ours_blocking", "pyjwt", 3), ("ours_asyncio", "pyjwt", 3), ("ours_node", "jose", 1.5))
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


def median(measured, name):
    found = measured["found"].get(name)
    return statistics.median(found) if found else None


def short(name, found):
    middle = statistics.median(found)
    return time(middle) if name.startswith(("sign_in", "crowd")) else f"{middle:,.0f}/s"


def markdown(measured):
    name, loads, arguments = measured["name"], measured["loads"], measured["arguments"]
    out = [f"# Verifying sessions and signing in, side by side: {name}", "", "| | |", "| --- | --- |"]
    out += [f"| {key} | {value} |" for key, value in measured["machine"].items()]
    out += [f"| Load average after each round | {', '.join(f'{load:.1f}' for load in loads)} |"]
    out += [f"| Turns that began while others used the machine | {measured['busy']} of {measured['turns']} |", ""]
    out += [
        f"{arguments['tokens']} access tokens of one user, EdDSA, verified in turn. Per second: medians of {len(loads)} rounds in which every subject had its turn, with the",
        "lowest and the highest round. [What is measured](../sessions/README.md).",
        "",
        f"![The medians on a logarithmic scale, with their ranges]({name}.svg)",
    ]
    for measure, heading in (("one", "One caller"), ("many", "64 at once")):
        rows = figures(measured, measure)
        if rows:
            out += ["", f"## {heading}", "", "| | verified per second | lowest to highest | each |", "| --- | ---: | ---: | ---: |"]
            for subject, found in rows:
                middle = statistics.median(found)
                out.append(f"| {subject.title} | {middle:,.0f} | {min(found):,.0f} to {max(found):,.0f} | {time(1e9 / middle)} |")
    return "\n".join([*out, *sign_ins(measured), *aims(measured), *missing(measured, SUBJECTS)]) + "\n"


def sign_ins(measured):
    rows = [
        ("Verifying the hash alone", "sign_in hash"),
        ("A sign-in", "sign_in whole"),
        ("`authenticate_live` on a quiet machine", "crowd alone"),
        (f"The same while {measured['arguments']['users']} users sign in", "crowd beside"),
    ]
    rows = [(title, measured["found"][key]) for title, key in rows if measured["found"].get(key)]
    table = [f"| {title} | {time(statistics.median(f))} | {time(percentile(f, 0.99))} | {time(max(f))} | {len(f)} |" for title, f in rows]
    head = ["", "## Signing in", "", "In Rust, on SQLite.", "", "| | median | 99 % within | longest | samples |", "| --- | ---: | ---: | ---: | ---: |"]
    return [*head, *table] if table else []


def aims(measured):
    """What the library is to reach, and whether it did in this run."""
    table = []
    for measure, said in (("one", "one caller"), ("many", "64 at once")):
        for mine, theirs, least in AIMS:
            # PyJWT has one caller only: many callers of the library are compared with that.
            a = median(measured, f"{mine} {measure}")
            b = median(measured, f"{theirs} {measure}") or median(measured, f"{theirs} one")
            if a and b:
                yes = "yes" if a >= least * b else "no"
                table.append(f"| {TITLES[mine]}, {said}: to {TITLES[theirs]} | ≥ {least} | {figure(a / b)} | {yes} |")
    hash_time, whole = median(measured, "sign_in hash"), median(measured, "sign_in whole")
    if hash_time and whole:
        more = max(whole - hash_time, 1)
        table.append(f"| A sign-in beyond its hash, medians | < 1 ms | {time(more)} | {'yes' if more < 1e6 else 'no'} |")
    beside = measured["found"].get("crowd beside")
    if beside:
        p99 = percentile(beside, 0.99)
        table.append(f"| Another call while many sign in, 99 % within | < 50 ms | {time(p99)} | {'yes' if p99 < 50e6 else 'no'} |")
    return ["", "## Aims", "", "| | aim | this run | reached |", "| --- | ---: | ---: | --- |", *table] if table else []


def plot(measured):
    """The rates above, with the range of the rounds; the times of sign-ins below, with the range of 98 % of them."""
    def rates(measure):
        return [chart.Row(s.title, s.colour, min(f), statistics.median(f), max(f), short("", f)) for s, f in figures(measured, measure)]

    def times():
        for title, key in (("the hash", "sign_in hash"), ("a sign-in", "sign_in whole"), ("another call", "crowd alone"), ("…beside a crowd", "crowd beside")):
            if found := measured["found"].get(key):
                low, middle, high = (percentile(found, share) for share in (0.01, 0.5, 0.99))
                yield chart.Row(title, chart.RUST, low, middle, high, time(middle))

    return chart.draw([
        chart.Scale(lambda power: f"{10**power:,}/s", [("Verified by one caller", rates("one")), ("64 at once", rates("many"))]),
        chart.Scale(chart.time_mark, [("Signing in, in Rust", list(times()))]),
    ])


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), RESULTS):
        print(path)

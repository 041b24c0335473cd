"""The report of a measurement: tables in Markdown and plots in SVG. `report.py <measured.json>` writes it again."""

import json
import statistics
import sys
from pathlib import Path

from subjects import SUBJECTS

# After `subjects`, which knows where they are.
import chart
from chart import percentile
from side_by_side import RESULTS, missing

DATABASES = {"sqlite": ("SQLite", ("sqlite",)), "postgres": ("PostgreSQL", ("postgres", "redis"))}
COLOURS = {"raw": chart.OTHER, "ours": chart.RUST}
PEER = chart.PYTHON


def measures(arguments):
    return {
        "commit": "Commits of one row",
        "enqueue-one": "Enqueued one by one",
        "steps": "Steps of one job, one recorded after the other",
        "enqueue-many": f"Enqueued in bulk, {arguments['jobs']:,} at once",
        "drain-few": f"Done from a backlog of {arguments['few']:,}",
        "drain": f"Done from a backlog of {arguments['jobs']:,}",
        "latency": "From the call that enqueues to the start of the handler, on an idle worker",
        "held": "How late a timer of the event loop is while 64 handlers run in it",
        "next": f"From the start of a job to the start of the next, with {arguments['done']:,} jobs done and {arguments['waiting']:,} waiting",
    }


# What is a time, and not a rate.
TIMES = ("latency", "held", "next")


def write(measured, folder):
    """Writes <name>.md and <name>-<database>.svg; returns their paths."""
    pages = {f"{measured['name']}.md": markdown(measured)}
    pages |= {f"{measured['name']}-{database}.svg": plot(measured, database) for database in DATABASES}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def figures(measured, subject, measure):
    return measured["found"].get(f"{subject.database} {subject.key} {measure}", [])


def shown(measured, database):
    return [subject for subject in SUBJECTS if subject.database in DATABASES[database][1]]


def per_second(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def milliseconds(number):
    return f"{number:,.0f} ms" if number >= 100 else f"{number:.3g} ms"


def short(measure, found):
    middle = statistics.median(found)
    return milliseconds(middle) if measure in TIMES else f"{per_second(middle)}/s"


def markdown(measured):
    name, arguments, loads = measured["name"], measured["arguments"], measured["loads"]
    out = [f"# Job queues side by side: {name}", "", "| | |", "| --- | --- |"]
    out += [f"| {key} | {value} |" for key, value in measured["machine"].items()]
    out += [f"| Load average after each round | {', '.join(f'{load:.1f}' for load in loads)} |"]
    out += [f"| Turns that began while others used the machine | {measured['busy']} of {measured['turns']} |", ""]
    out += [
        f"Medians of {len(loads)} rounds in which every subject had its turn, with the lowest and the highest round; jobs per second.",
        f"A backlog is done when the database says so. What took longer than {arguments['seconds']} seconds was cut off and counts for",
        "what it did by then. Latency: all samples of all rounds together. [What is measured](../jobs/README.md).",
    ]
    for database, (title, _) in DATABASES.items():
        out += ["", f"## {title}", "", f"![The medians on a logarithmic scale, with the range of the rounds]({name}-{database}.svg)"]
        for measure, heading in measures(arguments).items():
            rows = [(subject, figures(measured, subject, measure)) for subject in shown(measured, database)]
            rows = [(subject, found) for subject, found in rows if found]
            if rows:
                out += ["", f"### {heading}", ""] + (latencies(rows) if measure in TIMES else rates(rows))
        out += ["", "### Settings, and what becomes of a job", "", "| | settings | after success, and when a process is killed |", "| --- | --- | --- |"]
        out += [f"| {subject.title} | {subject.how} | {subject.after} |" for subject in shown(measured, database)]
    return "\n".join([*out, *aims(measured), *missing(measured, SUBJECTS)]) + "\n"


def rates(rows):
    table = ["| | per second | lowest to highest | to Atom |", "| --- | ---: | ---: | ---: |"]
    base = next((statistics.median(found) for subject, found in rows if subject.key == "ours"), None)
    for subject, found in rows:
        middle = statistics.median(found)
        ratio = f"{middle / base:.3g}" if base else ""
        table.append(f"| {subject.title} | {per_second(middle)} | {per_second(min(found))} to {per_second(max(found))} | {ratio} |")
    return table


def latencies(rows):
    table = ["| | median | 99 % within | most | samples |", "| --- | ---: | ---: | ---: | ---: |"]
    for subject, found in rows:
        cells = [milliseconds(percentile(found, share)) for share in (0.5, 0.99, 1)]
        table.append(f"| {subject.title} | {' | '.join(cells)} | {len(found)} |")
    return table


def aims(measured):
    """What the library is to reach, and whether it did in this run."""
    def median(database, key, measure):
        found = measured["found"].get(f"{database} {key} {measure}")
        return statistics.median(found) if found else None

    def ratio(title, database, key, rival, factor, measure="drain"):
        mine, theirs = median(database, key, measure), median("redis" if rival == "celery" else database, rival, measure)
        if mine and theirs:
            yield f"| {title} | ≥ {factor} | {mine / theirs:.3g} | {'yes' if mine >= factor * theirs else 'no'} |"

    def time(title, database, key, measure, share, most):
        found = measured["found"].get(f"{database} {key} {measure}")
        if found:
            reached = percentile(found, share)
            yield f"| {title} | ≤ {most} ms | {milliseconds(reached)} | {'yes' if reached <= most else 'no'} |"

    def steps(title, database, rival):
        mine, theirs = median(database, "ours_one", "steps"), median(database, rival, "commit")
        if mine and theirs:
            yield f"| {title} | ≥ 0.5 | {mine / theirs:.3g} | {'yes' if mine >= theirs / 2 else 'no'} |"

    def added(title, key, most):
        rust, other = median("sqlite", "ours", "drain"), median("sqlite", key, "drain")
        if rust and other:
            micros = 1e6 / other - 1e6 / rust
            yield f"| {title} | ≤ {most} µs | {micros:.3g} µs | {'yes' if micros <= most else 'no'} |"

    table = [
        *ratio("SQLite, backlog: to apalis-sqlite", "sqlite", "ours", "apalis", 10),
        *ratio("SQLite, backlog: to apalis-sqlite, tuned", "sqlite", "ours", "apalis_tuned", 1),
        *ratio("SQLite, backlog: to FlexiQ, tuned", "sqlite", "ours", "flexiq_tuned", 10),
        *ratio("PostgreSQL, backlog: to graphile-worker, batched", "postgres", "ours", "graphile_batched", 1),
        *ratio("PostgreSQL, backlog, no prefetch: to graphile-worker", "postgres", "ours_unbatched", "graphile", 1.5),
        *ratio("PostgreSQL, backlog: to Celery with Redis", "postgres", "ours", "celery", 5),
        *time("PostgreSQL, latency, median", "postgres", "ours", "latency", 0.5, 5),
        *time("PostgreSQL, latency, 99 % within", "postgres", "ours", "latency", 0.99, 20),
        *time("SQLite, latency in one process, median", "sqlite", "ours", "latency", 0.5, 1),
        *time("SQLite, latency in one process, 99 % within", "sqlite", "ours", "latency", 0.99, 5),
        *time("PostgreSQL, from job to job in a full database, 99 % within", "postgres", "ours_one", "next", 0.99, 5),
        *time("SQLite, from job to job in a full database, 99 % within", "sqlite", "ours_one", "next", 0.99, 5),
        *steps("PostgreSQL, recorded steps: to raw commits of one client", "postgres", "raw_1"),
        *steps("SQLite, recorded steps: to raw commits, FULL", "sqlite", "raw_full"),
        *added("SQLite, backlog: a coroutine in Python adds to a job", "ours_python_coroutine", 150),
        *added("SQLite, backlog: a plain function in Python adds to a job", "ours_python_plain", 150),
        *added("SQLite, backlog: a function in JavaScript adds to a job", "ours_node", 150),
        *time("Python: a timer beside 64 handlers is late by, 99 % within", "sqlite", "ours_python_coroutine", "held", 0.99, 5),
        *time("Node.js: a timer beside 64 handlers is late by, 99 % within", "sqlite", "ours_node", "held", 0.99, 5),
    ]
    return ["", "## Aims", "", "| | aim | this run | reached |", "| --- | ---: | ---: | --- |", *table] if table else []


def plot(measured, database):
    """The rates above, the times below."""
    def row(measure, subject, found):
        colour = COLOURS.get(subject.key.split("_")[0], PEER)
        return chart.Row(subject.title, colour, *ends(measure, found), short(measure, [ends(measure, found)[1]]))

    def groups(times):
        for measure, heading in measures(measured["arguments"]).items():
            rows = [(subject, figures(measured, subject, measure)) for subject in shown(measured, database)]
            if (measure in TIMES) == times and any(found for _, found in rows):
                yield heading, [row(measure, subject, found) for subject, found in rows if found]

    rates = chart.Scale(lambda power: f"{10**power:,}/s", list(groups(times=False)))
    times = chart.Scale(lambda power: f"{10.0**power:g} ms", list(groups(times=True)))
    return chart.draw([rates, times])


def ends(measure, found):
    """The range that is drawn, and its middle: of the rounds, or of 98 % of the latencies. Less than a microsecond has no place on the scale."""
    if measure in TIMES:
        return tuple(max(percentile(found, share), 0.001) for share in (0.01, 0.5, 0.99))
    return min(found), statistics.median(found), max(found)


if __name__ == "__main__":
    for path in write(json.loads(Path(sys.argv[1]).read_text()), RESULTS):
        print(path)

"""Measures job queues side by side, on one machine in one run, and writes the report. README.md says what is measured."""

import argparse
from collections import defaultdict
from contextlib import ExitStack

import report
import servers
import subjects
from subjects import SHOP, SUBJECTS

# After `subjects`, which knows where it is.
import side_by_side
from side_by_side import RESULTS, ROOT, say


class Run:
    def __init__(self, args, postgres, redis):
        self.args, self.postgres, self.redis = args, postgres, redis
        self.turns = side_by_side.Turns(SHOP.here, args.calm, postgres.bin)
        self.found = defaultdict(list)

    def fresh(self, database):
        """An empty place for one subject: a file, a database, a Redis."""
        if database == "redis":
            return self.redis.fresh()
        if database == "postgres":
            return self.postgres.fresh("jobs")
        for old in SHOP.folder.glob("jobs.db*"):
            old.unlink()
        return f"sqlite:{SHOP.folder / 'jobs.db'}"

    def drive(self, subject, url, mode, jobs, seconds=None):
        """What a driver says; none when it failed, once said."""
        seconds = seconds or self.args.seconds
        command = [*subject.command, "--db", url, "--mode", mode, "--jobs", jobs, "--seconds", seconds]
        return self.turns.drive(f"{subject.key} {subject.database} {mode}", command, seconds)

    def measure(self, subject, measure):
        """The figures of one measure, by its name."""
        args, url = self.args, self.fresh(subject.database)
        self.turns.calm()
        if measure == "next":
            return self.next(subject, url)
        if measure == "steps":
            said = self.drive(subject, url, measure, args.one)
            return {measure: [rate(said)]} if said else {}
        if measure in ("latency", "held"):
            said = self.drive(subject, url, measure, args.samples if measure == "latency" else args.few)
            return {measure: [sample / 1000 for sample in said["samples_us"]]} if said else {}
        if measure in ("commit", "enqueue-one"):
            said = self.drive(subject, url, "enqueue-one", args.commits if measure == "commit" else args.one)
            return {measure: [rate(said)]} if said else {}
        jobs = args.few if measure == "drain-few" else args.jobs
        filled = self.drive(subject, url, "enqueue-many", jobs)
        if not filled:
            return {}
        if subject.database == "postgres":
            # As autovacuum does within a minute, for the plans of a database that has been at work.
            self.postgres.sql("jobs", "ANALYZE")
        drained = self.drive(subject, url, "drain", jobs)
        figures = {} if measure == "drain-few" else {"enqueue-many": [rate(filled)]}
        return figures | ({measure: [rate(drained)]} if drained else {})

    def next(self, subject, url):
        """From one job to the next, where many are done and many wait. The filling takes minutes, so it is done once."""
        if f"{subject.database} {subject.key} next" in self.found:
            return {}
        filler = next(other for other in SUBJECTS if (other.database, other.key) == (subject.database, "ours_kept"))
        for mode, jobs in (("enqueue-many", self.args.done), ("drain", self.args.done), ("enqueue-many", self.args.waiting)):
            did = self.drive(filler, url, mode, jobs, seconds=600)
            if not did:
                return {}
            if did["jobs"] < jobs:
                self.turns.failed[f"{subject.key} {subject.database} next"] = f"only {did['jobs']} of {jobs} jobs were done in ten minutes"
                return {}
        if subject.database == "postgres":
            self.postgres.sql("jobs", "ANALYZE")
        said = self.drive(subject, url, "next", self.args.one)
        return {"next": [sample / 1000 for sample in said["samples_us"]]} if said else {}

    def round(self, number, taking_part):
        for measure in ("commit", "enqueue-one", "steps", "drain", "drain-few", "latency", "held", "next"):
            for subject in side_by_side.back_and_forth(number, taking_part):
                if measure in subject.measures:
                    for name, figures in self.measure(subject, measure).items():
                        self.found[f"{subject.database} {subject.key} {name}"] += figures
                        say(f"round {number + 1} of {self.args.rounds}  {subject.title:26} {name:13} {report.short(name, figures)}")


def rate(said):
    return said["jobs"] / said["seconds"]


def machine(postgres, redis, absent):
    versions = subjects.versions(absent) | {"PostgreSQL": postgres.version} | ({"Redis": redis.version} if redis else {})
    settings = f"as shipped (`fsync`, `synchronous_commit` on), {servers.SETTINGS[0].replace(chr(39), '')}"
    return side_by_side.machine(SHOP.folder, __file__, versions, PostgreSQL=settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("name", help="of the report, benches/results/<name>.md")
    parser.add_argument("--rounds", type=int, default=5, help="how often each subject has its turn")
    parser.add_argument("--jobs", type=int, default=50_000, help="how long the long backlog is")
    parser.add_argument("--few", type=int, default=2_000, help="how long the short backlog is")
    parser.add_argument("--one", type=int, default=2_000, help="how many are enqueued one by one")
    parser.add_argument("--commits", type=int, default=10_000, help="how many raw commits are made")
    parser.add_argument("--samples", type=int, default=50, help="how often latency is taken in a round")
    parser.add_argument("--seconds", type=int, default=15, help="after which a drain is cut off, and counts for what it did")
    parser.add_argument("--done", type=int, default=1_000_000, help="how many jobs are done where one is taken after the other")
    parser.add_argument("--waiting", type=int, default=100_000, help="how many wait there")
    parser.add_argument("--calm", type=int, default=30, help="how many seconds at most a turn waits for an idle machine")
    parser.add_argument("--only", nargs="*", default=[], help="subjects whose keys begin so")
    args = parser.parse_args()

    absent = subjects.install()
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.Postgres(SHOP.folder))
        redis = None if "redis" in absent else stack.enter_context(servers.Redis(SHOP.folder, subjects.redis_binary()))
        run = Run(args, postgres, redis)
        measured = {"name": args.name, "arguments": vars(args), "machine": machine(postgres, redis, absent), "absent": absent}
        side_by_side.rounds(args, run, SUBJECTS, measured, SHOP.folder)
    for path in report.write(measured, RESULTS):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

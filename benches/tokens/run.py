"""Measures side by side what reading a token costs, on one machine in one run, and writes the report. README.md says what is measured."""

import argparse
from collections import defaultdict

import report
import subjects
from subjects import SHOP, SUBJECTS

# After `subjects`, which knows where it is.
import side_by_side
from side_by_side import RESULTS, ROOT, say


class Run:
    def __init__(self, args):
        self.args = args
        self.turns = side_by_side.Turns(SHOP.here, args.calm)
        self.found = defaultdict(list)

    def drive(self, subject, command, mode):
        """What a driver says; none when it failed, once said."""
        args = self.args
        sizes = ["--accounts", args.accounts, "--seconds", args.seconds, "--samples", args.samples]
        command = [*command, "--db", SHOP.folder / "tokens.db", "--mode", mode, *sizes]
        return self.turns.drive(f"{subject.title}, {mode}", command, 2 * args.seconds)

    def measure(self, subject, measure):
        """The figures of one measure, by name, in a database of its own."""
        for old in SHOP.folder.glob("tokens.db*"):
            old.unlink()
        if not self.drive(subject, subject.filler, "fill"):
            return {}
        self.turns.calm()
        said = self.drive(subject, subject.command, measure)
        if not said:
            return {}
        samples = {"latency": said["samples_ns"]} if "samples_ns" in said else {}
        return {measure: [said["reads"] / said["seconds"]]} | samples

    def round(self, number, taking_part):
        for measure in ("one", "many"):
            for subject in side_by_side.back_and_forth(number, taking_part):
                if measure == "one" or subject.at_once:
                    figures = self.measure(subject, measure)
                    for name, found in figures.items():
                        self.found[f"{subject.key} {name}"] += found
                    told = "  ".join(report.short(name, found) for name, found in figures.items()) or "failed"
                    say(f"round {number + 1} of {self.args.rounds}  {subject.title:30} {measure:5} {told}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("name", help="of the report, benches/results/<name>.md")
    parser.add_argument("--rounds", type=int, default=5, help="how often each subject has its turn")
    parser.add_argument("--accounts", type=int, default=50, help="how many connected accounts there are; a user begins at most 60 in ten minutes")
    parser.add_argument("--seconds", type=float, default=3, help="how long reads are counted in a turn")
    parser.add_argument("--samples", type=int, default=5_000, help="how many reads are timed one by one in a turn")
    parser.add_argument("--calm", type=int, default=30, help="how many seconds at most a turn waits for an idle machine")
    parser.add_argument("--only", nargs="*", default=[], help="subjects whose keys begin so")
    args = parser.parse_args()

    absent = subjects.install()
    machine = side_by_side.machine(SHOP.folder, __file__, subjects.versions(absent))
    run = Run(args)
    measured = {"name": args.name, "arguments": vars(args), "machine": machine, "absent": absent}
    side_by_side.rounds(args, run, SUBJECTS, measured, SHOP.folder)
    for path in report.write(measured, RESULTS):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

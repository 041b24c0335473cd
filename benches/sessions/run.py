"""Measures side by side what verifying a session costs, and what a sign-in costs beyond its hash, and writes the report. README.md says what is measured."""

import argparse
from collections import defaultdict

import report
import subjects
from subjects import OURS, SHOP, SUBJECTS

# After `subjects`, which knows where it is.
import side_by_side
from side_by_side import RESULTS, ROOT, say

FILE = SHOP.folder / "sessions.json"
DATABASE = SHOP.folder / "sessions.db"


class Run:
    def __init__(self, args):
        self.args = args
        self.turns = side_by_side.Turns(SHOP.here, args.calm)
        self.found = defaultdict(list)

    def drive(self, what, command, mode, *more):
        """What a driver says; none when it failed, once said."""
        sizes = ["--file", FILE, "--mode", mode, "--seconds", self.args.seconds, *more]
        return self.turns.drive(f"{what}, {mode}", [*command, *sizes], 2 * self.args.seconds)

    def fill(self, users):
        """A new database with so many users, and tokens of the first that are valid for a quarter of an hour."""
        for old in SHOP.folder.glob("sessions.db*"):
            old.unlink()
        return self.drive("The database", OURS, "fill", "--db", DATABASE, "--tokens", self.args.tokens, "--users", users)

    def note(self, number, title, measure, figures):
        for name, found in figures.items():
            self.found[name] += found
        told = "  ".join(f"{name.rsplit(' ', 1)[-1]} {report.short(name, found)}" for name, found in figures.items()) or "failed"
        say(f"round {number + 1} of {self.args.rounds}  {title:16} {measure:8} {told}")

    def round(self, number, taking_part):
        for measure in ("one", "many"):
            if not self.fill(users=1):
                return
            for subject in side_by_side.back_and_forth(number, taking_part):
                if measure == "one" or subject.at_once:
                    self.turns.calm()
                    said = self.drive(subject.title, subject.command, measure)
                    figures = {f"{subject.key} {measure}": [said["verified"] / said["seconds"]]} if said else {}
                    self.note(number, subject.title, measure, figures)
        self.sign_in(number)

    def sign_in(self, number):
        args = self.args
        if self.fill(users=args.users):
            self.turns.calm()
            said = self.drive("Sign-ins", OURS, "sign_in", "--db", DATABASE, "--samples", args.samples)
            self.note(number, "Atom, Rust", "sign_in", {f"sign_in {name}": said[name] for name in ("hash", "whole")} if said else {})
            self.turns.calm()
            said = self.drive("Sign-ins", OURS, "crowd", "--db", DATABASE, "--users", args.users)
            self.note(number, "Atom, Rust", "crowd", {f"crowd {name}": said[name] for name in ("alone", "beside")} if said else {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("name", help="of the report, benches/results/<name>.md")
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject has its turn")
    parser.add_argument("--tokens", type=int, default=200, help="how many different tokens are verified in turn")
    parser.add_argument("--seconds", type=float, default=3, help="how long verifications are counted in a turn")
    parser.add_argument("--samples", type=int, default=100, help="how many hashes and sign-ins are timed one by one in a round")
    parser.add_argument("--users", type=int, default=500, help="how many sign in at once")
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

"""Measures side by side what listing files costs, on one machine in one run, and writes the report. README.md says what is measured."""

import argparse
import subprocess
from collections import defaultdict

import report
import subjects
from subjects import FILLER, OURS, SHOP, SUBJECTS

# After `subjects`, which knows where it is.
import side_by_side
from side_by_side import RESULTS, ROOT, say

# Nobody needs a second for a list.
LONGEST_LIST = 1


class Run:
    def __init__(self, args, url):
        self.args, self.url = args, url
        self.turns = side_by_side.Turns(SHOP.here, args.calm)
        self.found = defaultdict(list)
        self.seen = set()

    def round(self, number, taking_part):
        for subject in side_by_side.back_and_forth(number, taking_part):
            self.turns.calm()
            command = [*subject.command, "--db", SHOP.folder / "listing.db", "--url", self.url, "--lists", self.args.lists]
            said = self.turns.drive(subject.title, command, self.args.lists * LONGEST_LIST)
            if not said:
                continue
            # Whoever saw other files than the rest has not done the same work.
            self.seen.add((said["items"], said["bytes"], said["letters"]))
            if len(self.seen) > 1:
                raise RuntimeError(f"{subject.title} read something else: {self.seen}")
            self.found[subject.key].append(said["cpu"] / said["items"] * 1e9)
            say(f"round {number + 1} of {self.args.rounds}  {subject.title:30} {report.time(self.found[subject.key][-1])} per file")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("name", help="of the report, benches/results/<name>.md")
    parser.add_argument("--rounds", type=int, default=5, help="how often each subject has its turn")
    parser.add_argument("--items", type=int, default=10_000, help="how many files there are")
    parser.add_argument("--lists", type=int, default=20, help="how often all of them are listed in a turn")
    parser.add_argument("--calm", type=int, default=30, help="how many seconds at most a turn waits for an idle machine")
    parser.add_argument("--only", nargs="*", default=[], help="subjects whose keys begin so")
    args = parser.parse_args()

    absent = subjects.install()
    machine = side_by_side.machine(SHOP.folder, __file__, subjects.versions(absent))
    for old in SHOP.folder.glob("listing.db*"):
        old.unlink()
    side_by_side.run(*FILLER, "--db", SHOP.folder / "listing.db")
    service = [str(part) for part in [*OURS, "--variant", "serve", "--items", args.items]]
    with subprocess.Popen(service, text=True, stdout=subprocess.PIPE) as serving:
        try:
            run = Run(args, serving.stdout.readline().strip())
            measured = {"name": args.name, "arguments": vars(args), "machine": machine, "absent": absent}
            side_by_side.rounds(args, run, SUBJECTS, measured, SHOP.folder)
        finally:
            serving.kill()
    for path in report.write(measured, RESULTS):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

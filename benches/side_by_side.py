"""What the measurements beside peers share: where peers are installed, turns on a quiet machine, and what is said about the machine."""

import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
RESULTS = BENCHES / "results"
# The drivers in Rust.
DRIVERS = ROOT / "target" / "release" / "drivers"
# Where `run.py` puts the packages for Python and Node.js with their release libraries.
STAGED = ROOT / "target" / "bench"

# A driver that takes longer than its time by this much hangs.
PATIENCE = 120


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **{"cwd": ROOT, **options})


def output(*command, **options):
    said = subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE, **{"cwd": ROOT, **options})
    return said.stdout.strip()


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


class Workshop:
    """A folder under `target` for what one measurement installs: the packages of its requirements.txt and package.json."""

    def __init__(self, here):
        self.here = here
        self.folder = ROOT / "target" / here.name
        self.python = self.folder / "venv" / "bin" / "python"
        # Node.js itself is one of the requirements: the peers need a newer one than many machines have.
        self.node = self.folder / "venv" / "bin" / "node"

    def install_python(self):
        if not self.python.exists():
            run(sys.executable, "-m", "venv", self.folder / "venv")
        run(self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", self.here / "requirements.txt")

    def install_node(self):
        path = f"{self.node.parent}{os.pathsep}{os.environ['PATH']}"
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=self.here, env={**os.environ, "PATH": path})

    def build_ours(self):
        """The drivers in Rust, and the libraries of the bindings."""
        packages = ["-p", "atom-py", "-p", "atom-node", "-p", "atom-benches", "--all-features"]
        run("cargo", "build", "--quiet", "--release", *packages, "--lib", "--bin", "drivers")

    def stage(self):
        """Puts the libraries that were built with `build_ours` into the packages for Python and Node.js."""
        run(sys.executable, "-c", "import run; run.stage()", cwd=BENCHES)

    def install(self, steps):
        """Takes the steps, by name; returns those that failed, with the reason."""
        self.folder.mkdir(parents=True, exist_ok=True)
        absent = {}
        for name, step in steps.items():
            say(f"installing: {name}")
            try:
                step()
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                absent[name] = str(error)
                say(f"absent: {name}: {error}")
        return absent

    def python_versions(self, *packages):
        code = "import importlib.metadata as m, sys\nfor p in sys.argv[1:]: print(p, m.version(p))"
        return dict(map(str.split, output(self.python, "-c", code, *packages).splitlines()))

    def node_versions(self, *packages):
        found = {"Node.js": output(self.node, "--version").removeprefix("v")}
        for package in packages:
            manifest = json.loads((self.here / "node_modules" / package / "package.json").read_text())
            found[package] = manifest["version"]
        return found

    def python_drives(self, script, *arguments):
        return [self.python, self.here / script, *arguments]

    def node_drives(self, script, *arguments):
        return [self.node, self.here / script, *arguments]

    def ours_in_python(self, script, *arguments):
        return ["env", f"PYTHONPATH={STAGED / 'python'}", *self.python_drives(script, *arguments)]

    def ours_in_node(self, script, *arguments):
        return ["env", f"ATOM_BENCH_NODE={STAGED / 'node'}", *self.node_drives(script, *arguments)]


class Turns:
    """Gives one driver after the other its turn, each when the machine is quiet."""

    def __init__(self, here, calm, tools=None):
        self.here, self.longest_wait, self.tools = here, calm, tools
        self.count = self.busy = 0
        self.failed = {}

    def calm(self):
        """Waits until others leave the processors alone, but not forever."""
        end = time.monotonic() + self.longest_wait
        self.count += 1
        while busy(0.5) > 0.2:
            if time.monotonic() >= end:
                self.busy += 1
                return

    def drive(self, what, command, seconds):
        """What a driver says in its last line; none when it failed, once said."""
        path = {"PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}"} if self.tools else {}
        try:
            said = subprocess.run(
                [str(part) for part in command], capture_output=True, text=True, check=True, cwd=self.here,
                env={**os.environ, **path}, timeout=seconds + PATIENCE,
            )
            return json.loads(said.stdout.splitlines()[-1])
        except (OSError, subprocess.SubprocessError, json.JSONDecodeError, IndexError) as error:
            last = (getattr(error, "stderr", None) or "").strip().splitlines()[-1:]
            self.failed[what] = f"{type(error).__name__}: {' '.join(last)}"
            return None


def back_and_forth(number, taking_part):
    """The subjects of a round in their order, so that a load that comes or goes does not fall on one of them."""
    return taking_part if number % 2 == 0 else taking_part[::-1]


def rounds(args, run, subjects, measured, folder):
    """Takes all rounds, and keeps what was found after each, so that a run that is stopped is not lost."""
    wanted = [subject for subject in subjects if not args.only or subject.key.startswith(tuple(args.only))]
    taking_part, loads = [subject for subject in wanted if subject.needs not in measured["absent"]], []
    for number in range(args.rounds):
        run.round(number, taking_part)
        loads.append(os.getloadavg()[0])
        turns = {"turns": run.turns.count, "busy": run.turns.busy, "failed": run.turns.failed}
        measured |= {"loads": loads, "found": run.found, **turns}
        (folder / f"{args.name}.json").write_text(json.dumps(measured))


def missing(measured, subjects):
    """The end of a report: what could not be installed, and what failed."""
    absent = [f"- {', '.join(s.title for s in subjects if s.needs == need) or need}: {why}" for need, why in measured["absent"].items()]
    failed = [f"- {what}: {why}" for what, why in measured["failed"].items()]
    out = ["", "## Absent", "", *absent] if absent else []
    return out + (["", "## Failed", "", *failed] if failed else [])


def busy(seconds):
    """The share of the processors' time that is used."""
    def times():
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
        return sum(fields), fields[3] + fields[4]

    before = times()
    time.sleep(seconds)
    total, idle = (now - then for now, then in zip(times(), before))
    return 1 - idle / total


def machine(work, script, versions, **more):
    """What a report says about the machine and the run."""
    processor = re.search(r"Model name:\s+(.*)", output("lscpu"))[1]
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 2**20
    disk = output("findmnt", "-n", "-o", "SOURCE,FSTYPE", "-T", work)
    versions = {"Python": platform.python_version()} | versions | {"rustc": output("rustc", "--version").split()[1]}
    return {
        "Processor": f"{processor}, {os.cpu_count()} cores",
        "Memory and disk": f"{memory:.0f} GiB, {' '.join(disk.split())}",
        "System": " ".join(os.uname()[i] for i in (0, 2, 4)),
        **more,
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Commit": output("git", "describe", "--always", "--dirty"),
        "Date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Command": f"`python3 {Path(script).resolve().relative_to(ROOT)} {' '.join(sys.argv[1:])}`",
    }

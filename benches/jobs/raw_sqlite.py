"""What one connection to SQLite can do at most: commits of one row, by the line protocol of README.md."""

import sqlite3

import driver

args = driver.arguments()
connection = sqlite3.connect(args.db.removeprefix("sqlite:"), isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute(f"PRAGMA synchronous = {args.variant}")
connection.execute("CREATE TABLE commits (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")


def commit():
    for _ in range(args.jobs):
        connection.execute("INSERT INTO commits (payload) VALUES ('{}')")


driver.timed(args.jobs, commit)

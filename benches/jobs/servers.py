"""The servers of a run, private to it: they listen on this machine only and end with it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

# The rest is as PostgreSQL ships it: fsync and synchronous_commit are on.
SETTINGS = ["shared_buffers = '256MB'", "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binaries():
    """Where PostgreSQL's programs are."""
    places = [Path(os.path.realpath(found)).parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "postgres").exists() and (place / "pgbench").exists():
            return place
    raise RuntimeError("initdb, postgres and pgbench are not installed")


class Postgres:
    def __init__(self, folder):
        self.bin = binaries()
        self.data = folder / "postgres"
        self.port = free_port()
        self.version = subprocess.check_output([self.bin / "postgres", "--version"], text=True).split()[2]
        # It refuses to run as root.
        self.user = "postgres" if os.getuid() == 0 else None

    def __enter__(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700, parents=True)
        if self.user:
            shutil.chown(self.data, self.user)
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8")
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write("\n".join([*SETTINGS, f"port = {self.port}", ""]))
        self.run("pg_ctl", "-w", "-l", self.data / "log", "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-w", "-m", "fast", "stop")
        shutil.rmtree(self.data)

    def run(self, program, *arguments):
        command = [self.bin / program, "-D", self.data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self.user, cwd="/")

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, database, *statements):
        commands = [part for statement in statements for part in ("-c", statement)]
        quiet = {**os.environ, "PGOPTIONS": "-c client_min_messages=warning"}
        subprocess.run([self.bin / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *commands], check=True, env=quiet)

    def fresh(self, database):
        """An empty database, with no checkpoint of an earlier subject due."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}", "CHECKPOINT")
        return self.url(database)


class Redis:
    """As Redis ships it: a snapshot at times, nothing written per command."""

    def __init__(self, folder, binary):
        self.binary = binary
        self.folder = folder / "redis"
        self.version = subprocess.check_output([binary, "--version"], text=True).split("v=")[1].split()[0]
        self.port = free_port()

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        await_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def fresh(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            if connection.recv(16) != b"+OK\r\n":
                raise RuntimeError("Redis did not empty its database")
        return f"redis://127.0.0.1:{self.port}/0"


def await_port(port, process):
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"a server ended at once with code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise RuntimeError("a server does not answer")

"""Who is measured, how each is installed, and what a read is."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
import chart
from side_by_side import DRIVERS, Workshop, output

SHOP = Workshop(Path(__file__).resolve().parent)
OURS = [DRIVERS, "tokens"]


@dataclass
class Subject:
    key: str
    title: str
    colour: str
    needs: str
    command: list
    # What fills its database.
    filler: list
    at_once: bool = True


def ours(key, title, colour, needs, command, at_once=True):
    filler = [*OURS, "--variant", "stored"]
    for variant, suffix, said in (("stored", "", "from SQLite"), ("cached", "_cached", "cached")):
        yield Subject(f"ours_{key}{suffix}", f"Atom, {title}, {said}", colour, needs, [*command, variant], filler, at_once)


def peer(key, title, needs, command, at_once=True):
    return Subject(key, title, chart.OTHER, needs, command, command, at_once)


SUBJECTS = [
    *ours("rust", "Rust", chart.RUST, "ours", [*OURS, "--variant"]),
    *ours("node", "Node.js", chart.NODE, "bindings", SHOP.ours_in_node("ours.mjs", "--variant")),
    peer("betterauth", "better-auth", "node", SHOP.node_drives("betterauth.mjs")),
    *ours("asyncio", "asyncio", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py", "--variant")),
    *ours("blocking", "Python", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py", "--blocking", "--variant"), at_once=False),
    peer("sqlalchemy_orm", "SQLAlchemy, ORM", "python", SHOP.python_drives("sqlalchemy_peer.py", "--variant", "orm"), at_once=False),
    peer("sqlalchemy_core", "SQLAlchemy, Core", "python", SHOP.python_drives("sqlalchemy_peer.py", "--variant", "core"), at_once=False),
]


def install():
    """Installs what is needed; returns what is absent, with the reason."""
    return SHOP.install({
        "python": SHOP.install_python,
        "node": SHOP.install_node,
        "ours": SHOP.build_ours,
        "bindings": SHOP.stage,
    })


def versions(absent):
    """The versions of all that is measured, and of what it runs on."""
    found = {}
    if "python" not in absent:
        found |= SHOP.python_versions("SQLAlchemy", "cryptography")
        found["SQLite of Python"] = output(SHOP.python, "-c", "import sqlite3; print(sqlite3.sqlite_version)")
    if "node" not in absent:
        found |= SHOP.node_versions("better-auth", "better-sqlite3")
    return found

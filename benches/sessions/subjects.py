"""Who is measured, how each is installed, and how it is started."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
import chart
from side_by_side import DRIVERS, Workshop

SHOP = Workshop(Path(__file__).resolve().parent)
OURS = [DRIVERS, "sessions"]


@dataclass
class Subject:
    key: str
    title: str
    colour: str
    needs: str
    command: list
    at_once: bool = True


SUBJECTS = [
    Subject("ours_rust", "Atom, Rust", chart.RUST, "ours", OURS),
    Subject("ours_node", "Atom, Node.js", chart.NODE, "bindings", SHOP.ours_in_node("ours.mjs")),
    Subject("jose", "jose", chart.OTHER, "node", SHOP.node_drives("jose_peer.mjs")),
    Subject("ours_asyncio", "Atom, asyncio", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py")),
    Subject("ours_blocking", "Atom, Python", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py", "--blocking"), at_once=False),
    Subject("pyjwt", "PyJWT", chart.OTHER, "python", SHOP.python_drives("pyjwt_peer.py"), at_once=False),
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
    """The versions of all that is measured."""
    found = SHOP.python_versions("PyJWT", "cryptography") if "python" not in absent else {}
    return found | (SHOP.node_versions("jose") if "node" not in absent else {})

"""Who is measured, how each is installed, and how it is started."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
import chart
from side_by_side import DRIVERS, Workshop

SHOP = Workshop(Path(__file__).resolve().parent)
OURS = [DRIVERS, "listing"]
# Fills a database with a connected account.
FILLER = [DRIVERS, "tokens", "--mode", "fill", "--accounts", 1]


@dataclass
class Subject:
    key: str
    title: str
    colour: str
    needs: str
    command: list


SUBJECTS = [
    Subject("plain", "reqwest and serde_json", chart.OTHER, "ours", [*OURS, "--variant", "plain"]),
    Subject("ours_rust", "Atom, Rust", chart.RUST, "ours", [*OURS, "--variant", "ours"]),
    Subject("google_python", "google-api-python-client", chart.OTHER, "python", SHOP.python_drives("drive.py")),
    Subject("ours_blocking", "Atom, Python", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py", "--blocking")),
    Subject("ours_asyncio", "Atom, asyncio", chart.PYTHON, "bindings", SHOP.ours_in_python("ours.py")),
    Subject("google_node", "@googleapis/drive", chart.OTHER, "node", SHOP.node_drives("google.mjs")),
    Subject("ours_node", "Atom, Node.js", chart.NODE, "bindings", SHOP.ours_in_node("ours.mjs")),
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
    found = SHOP.python_versions("google-api-python-client", "google-auth") if "python" not in absent else {}
    return found | (SHOP.node_versions("@googleapis/drive") if "node" not in absent else {})

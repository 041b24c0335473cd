"""Generates UniFFI's Python bindings of the mobile library, which the tests import as `atom`."""

import os
import pathlib
import shutil
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).parents[2]
# Where cargo put libatom_mobile and uniffi-bindgen.
LIBRARIES = pathlib.Path(os.environ.get("ATOM_LIBRARIES", REPOSITORY / "target/debug")).absolute()
LIBRARY = LIBRARIES / ("libatom_mobile.dylib" if sys.platform == "darwin" else "libatom_mobile.so")
GENERATED = REPOSITORY / "target/mobile/python"

shutil.rmtree(GENERATED, ignore_errors=True)
generate = [LIBRARIES / "uniffi-bindgen", "generate", LIBRARY, "--language", "python", "--no-format", "--out-dir", GENERATED]
subprocess.run(generate, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
# The bindings load the library that lies beside them.
(GENERATED / LIBRARY.name).symlink_to(LIBRARY)
sys.path.insert(0, str(GENERATED))

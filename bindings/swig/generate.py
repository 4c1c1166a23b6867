#!/usr/bin/env python3
"""Makes the C source of the Lua module peergraph.core from the public headers, by SWIG.

python bindings/swig/generate.py            writes peergraph_wrap.c, which is committed: to build needs no SWIG
python bindings/swig/generate.py --check    says whether it is stale, and fails if it is

Another version of SWIG writes other text, so that only the one below is used.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "4.1.0"
HERE = Path(__file__).resolve().parent
INTERFACE = HERE / "peergraph.i"
OUTPUT = HERE / "peergraph_wrap.c"
HEADERS = HERE.parents[1] / "core" / "include"


def installed_version() -> str | None:
    """The version of the SWIG that is installed, or None."""
    if not shutil.which("swig"):
        return None
    text = subprocess.run(["swig", "-version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"SWIG Version (\S+)", text)
    return found.group(1) if found else None


def generated() -> str:
    """The wrapper as SWIG writes it now; a warning of its is an error."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / OUTPUT.name
        options = ["-lua", "-nomoduleglobal", "-Wall", "-Werror", f"-I{HEADERS}", "-o", str(output)]
        result = subprocess.run(
            ["swig", *options, INTERFACE.name], cwd=HERE, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise SystemExit(f"swig failed:\n{result.stdout}{result.stderr}")
        return output.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the output is stale")
    arguments = parser.parse_args()
    version = installed_version()
    if version != VERSION:
        raise SystemExit(f"SWIG {VERSION} is needed, and {version or 'none'} is installed")
    text = generated()
    if OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == text:
        return 0
    print(f"{'stale' if arguments.check else 'written'}: {OUTPUT.name}")
    if arguments.check:
        return 1
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

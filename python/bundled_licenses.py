"""Puts the licences of the libraries that auditwheel put into a wheel into it too. ./dev package runs this.

    python bundled_licenses.py WHEEL

Which packages the libraries are from stands in the list that auditwheel leaves in the wheel. Their texts are taken from
this machine, from /usr/share/doc and /usr/share/common-licenses.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOC = Path("/usr/share/doc")
COMMON = Path("/usr/share/common-licenses")


def main(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tool = (sys.executable, "-m", "wheel")
        subprocess.run([*tool, "unpack", "--dest", folder, wheel], check=True, stdout=subprocess.DEVNULL)
        (unpacked,) = Path(folder).iterdir()
        (info,) = unpacked.glob("*.dist-info")
        texts = texts_of(packages_in(info / "sboms" / "auditwheel.cdx.json"))
        add(info, texts)
        subprocess.run([*tool, "pack", "--dest-dir", wheel.parent, unpacked], check=True, stdout=subprocess.DEVNULL)
    print(f"licences: {', '.join(texts)}")


def packages_in(bom: Path) -> list[str]:
    """The names of the system's packages. Exits if a library is from somewhere else, whose licence nobody knows."""
    names = []
    for component in json.loads(bom.read_text())["components"]:
        origin = component["purl"].partition("@")[0]
        if match := re.fullmatch(r"pkg:deb/\w+/(.+)", origin):
            names.append(match[1])
        elif not origin.startswith("pkg:pypi/peergraph"):
            sys.exit(f"{component['name']} is from {origin}; only the licences of Debian packages are known")
    return names


def texts_of(packages: list[str]) -> dict[str, str]:
    """The text of each package; and of the licence as a whole where the text only names it."""
    texts = {}
    for package in packages:
        texts[f"{package}.txt"] = text = (DOC / package / "copyright").read_text()
        of_all = re.search(r"^Files: \*\n(?:.+\n)*?License: (\S+)", text, re.MULTILINE)
        if of_all and (COMMON / of_all[1]).is_file():
            texts[f"{of_all[1]}.txt"] = (COMMON / of_all[1]).read_text()
    return texts


def add(info: Path, texts: dict[str, str]) -> None:
    """The files, and their names in the metadata (PEP 639)."""
    folder = info / "licenses" / "bundled"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    metadata = info / "METADATA"
    lines = "".join(f"License-File: bundled/{name}\n" for name in texts)
    before, own, after = metadata.read_text().partition("License-File: LICENSE\n")
    metadata.write_text(before + own + lines + after)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""An installed peergraph in a folder, and programs that are built against it from outside."""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples" / "c"


def run(*command: str | Path, **environment: str | Path) -> str:
    """What a command printed; if it fails, that is what the test says."""
    result = subprocess.run(
        command,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stdout}"
    return result.stdout


@dataclasses.dataclass(frozen=True)
class Tree:
    """What one `cmake --install` has put below a prefix."""

    prefix: Path

    @property
    def libraries(self) -> Path:
        (found,) = self.prefix.rglob("libpeergraph.a")
        return found.parent

    def pkg_config(self, *options: str) -> list[str]:
        text = run("pkg-config", *options, PKG_CONFIG_PATH=self.libraries / "pkgconfig")
        return shlex.split(text)

    def cmake(self, source: Path, build: Path, *options: str) -> str:
        """Configures and builds a project that finds this tree."""
        said = run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)
        return said + run("cmake", "--build", build)


def needed(program: Path) -> set[str]:
    """The shared libraries that a program asks for by itself."""
    lines = run("readelf", "-d", program).splitlines()
    return {line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line}

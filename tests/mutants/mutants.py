"""Engines that are broken on purpose: each patch in this folder breaks one, and the scenarios must notice.

  python tests/mutants/mutants.py [NAME...]     all of them, or those whose names contain one of the names

A patch begins with a sentence that says what is broken, and names the test programs that see it:

  Killed by: test_shapes test_sync

The patch is applied to a copy of the tree in build/mutants, these programs are built and run, and one of them has to
fail. A mutant that survives is a hole in the suite.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
BUILD = WORK / "build"
TIMEOUT_S = 300
# What the programs are made of; nothing else is copied.
SOURCES = ("CMakeLists.txt", "cmake", "core", "tests/sim", "tests/support", "tests/together", "bindings/codes.toml")


@dataclass
class Mutant:
    """One patch, and the programs that have to notice it."""

    path: Path
    what: str
    programs: list[str]

    @property
    def name(self) -> str:
        return self.path.stem


def read_mutant(path: Path) -> Mutant:
    """What stands before the patch itself."""
    head = path.read_text(encoding="utf-8").split("\n--- ", 1)[0]
    programs = re.search(r"^Killed by: (.+)$", head, re.MULTILINE)
    if not programs:
        raise ValueError(f'{path.name}: a line "Killed by: test_…" is missing')
    return Mutant(path, head.split("\n", 1)[0], programs.group(1).split())


def all_mutants() -> list[Mutant]:
    return [read_mutant(path) for path in sorted(FOLDER.glob("*.patch"))]


def patch_command(path: Path, *options: str) -> list[str]:
    return ["git", "apply", "--unsafe-paths", "--whitespace=nowarn", *options, str(path)]


def copy_file(source: Path, target: Path) -> None:
    """Leaves alone what is the same, so that it is not built again."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def copy_tree() -> None:
    wanted = set()
    for name in SOURCES:
        top = ROOT / name
        files = [path for path in top.rglob("*") if path.is_file()] if top.is_dir() else [top]
        for source in files:
            target = TREE / source.relative_to(ROOT)
            copy_file(source, target)
            wanted.add(target)
    for target in [path for path in TREE.rglob("*") if path.is_file()]:
        if target not in wanted:
            target.unlink()


def must(*command: str | Path) -> None:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        sys.exit(f"{result.stdout}\nfailed: {' '.join(map(str, command))}")


def build(programs: list[str]) -> None:
    must("cmake", "--build", BUILD, "--target", *(f"sim_{program}" for program in programs))


def run(program: str) -> list[str]:
    """The scenarios that failed, or what happened instead; nothing if all is well."""
    environment = os.environ | {"PEER_SIM_LARGE": "0", "PEER_SIM_HUGE": "0", "PEER_SIM_SEEDS": "3"}
    try:
        result = subprocess.run(
            [BUILD / "tests" / "sim" / f"sim_{program}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"{program} (no end in {TIMEOUT_S} s)"]
    failed = re.findall(r"^\[  FAILED  \] (?!GROUP)(?:tests: )?(\w+)$", result.stdout, re.MULTILINE)
    if result.returncode and not failed:
        return [f"{program} (exit code {result.returncode})"]
    return list(dict.fromkeys(failed))


def kill(mutant: Mutant) -> list[str]:
    """The scenarios that noticed."""
    must(*patch_command(mutant.path, "--directory", str(TREE)))
    try:
        build(mutant.programs)
        for program in mutant.programs:
            if failed := run(program):
                return failed
        return []
    finally:
        must(*patch_command(mutant.path, "--reverse", "--directory", str(TREE)))


def check_the_tree(mutants: list[Mutant]) -> None:
    """As it is, nothing fails: else a failure would prove nothing."""
    programs = sorted({program for mutant in mutants for program in mutant.programs})
    build(programs)
    for program in programs:
        if failed := run(program):
            sys.exit(f"{program} fails without a mutant: {', '.join(failed)}")


def main(names: list[str]) -> int:
    mutants = [mutant for mutant in all_mutants() if not names or any(name in mutant.name for name in names)]
    if not mutants:
        sys.exit("there is no such mutant")
    copy_tree()
    must("cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DPEER_TESTS=ON")
    check_the_tree(mutants)
    survivors = []
    for mutant in mutants:
        began = time.monotonic()
        failed = kill(mutant)
        verdict = f"{'killed  ' if failed else 'SURVIVED'}  {time.monotonic() - began:4.1f} s"
        print(f"{verdict}  {mutant.name}: {', '.join(failed) or mutant.what}", flush=True)
        if not failed:
            survivors.append(mutant)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants were killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

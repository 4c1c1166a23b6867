"""What ./dev package has put into dist/: it is complete, stands alone, and works where nothing can be built."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SMOKE = Path(__file__).resolve().parent / "smoke.py"
PACKAGES = {"peergraph", "peergraph_pytest"}
# What manylinux counts as present on every Linux, as far as we use it.
PRESENT = re.compile(r"lib(c|m|pthread|dl|rt)\.so\.\d|libexpat\.so\.1|ld-linux-.*\.so\.\d")


def run(*command: str | Path, **environment: str) -> str:
    result = subprocess.run(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}"
    return result.stdout


def the_one(pattern: str) -> Path:
    found = list((ROOT / "dist").glob(pattern))
    assert len(found) == 1, f"dist/ holds {len(found)} of {pattern}; run ./dev package"
    return found[0]


@pytest.fixture(scope="session")
def wheel() -> Path:
    return the_one("peergraph-*.whl")


@pytest.fixture(scope="session")
def wheel_files(wheel) -> set[str]:
    """The names of the files in the wheel that are of us, without what is written about them."""
    names = zipfile.ZipFile(wheel).namelist()
    return {name for name in names if name.split("/")[0] in PACKAGES and not name.endswith("/")}


@pytest.fixture(scope="session")
def unpacked(wheel, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture(scope="session")
def fresh_python(wheel, tmp_path_factory) -> Path:
    """A Python with the wheel and nothing else, installed where there is no compiler, no CMake and no index."""
    wheels = tmp_path_factory.mktemp("wheels")
    pip = ("-m", "pip", "--disable-pip-version-check")
    run(sys.executable, *pip, "download", "-q", "--only-binary=:all:", "--dest", wheels, "cffi>=1.17")
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    offline = ("--no-index", "--only-binary=:all:", "--find-links", wheels)
    run(python, *pip, "install", *offline, wheel, PATH=str(folder / "bin"), CC="/bin/false", CXX="/bin/false")
    return python


def test_the_source_distribution_holds_the_sources():
    with tarfile.open(the_one("peergraph-*.tar.gz")) as archive:
        names = archive.getnames()
    packed = {name.partition("/")[2] for name in names}
    tracked = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate")
    wanted = {name for name in tracked.splitlines() if (ROOT / name).exists()} - {".ci/run"}
    assert packed - {"PKG-INFO"} == wanted


def test_the_wheel_of_the_sources_holds_what_the_wheel_of_the_tree_holds(wheel_files):
    installed = importlib.metadata.files("peergraph")
    names = {str(path) for path in installed if path.parts[0] in PACKAGES and path.suffix != ".pyc"}
    assert wheel_files == names
    assert {"peergraph/__init__.py", "peergraph/_peergraph.abi3.so", "peergraph/py.typed"} <= wheel_files
    assert "peergraph_pytest/__init__.py" in wheel_files


def test_one_wheel_is_for_all_pythons_and_distributions(wheel):
    assert re.search(r"-cp310-abi3-manylinux_2_\d+_\w+\.whl$", wheel.name)


def test_the_wheel_brings_what_it_needs(unpacked):
    libraries = {path.name: path for path in unpacked.rglob("*") if ".so" in path.name}
    assert len(libraries) > 1
    for path in libraries.values():
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", path)))
        assert not {name for name in needed - set(libraries) if not PRESENT.fullmatch(name)}, path.name


def test_the_wheel_has_the_licences_of_what_it_brings(unpacked):
    (info,) = unpacked.glob("*.dist-info")
    named = importlib.metadata.PathDistribution(info).metadata.get_all("License-File")
    texts = {name: (info / "licenses" / name).read_text() for name in named}
    assert texts["LICENSE"] == (ROOT / "LICENSE").read_text()
    bundled = " ".join(text for name, text in texts.items() if name.startswith("bundled/"))
    words = {"libuv": "Joyent", "libcrypto": "Apache License", "libsqlite3": "public domain"}
    for library in (unpacked / "peergraph.libs").iterdir():
        assert words[library.name.partition("-")[0]] in bundled


def test_the_module_exports_only_how_it_begins(unpacked):
    symbols = run("nm", "-D", "--defined-only", unpacked / "peergraph" / "_peergraph.abi3.so").splitlines()
    assert {line.split()[-1] for line in symbols} == {"PyInit__peergraph"}


@pytest.mark.parametrize("pattern", ["peergraph-*.whl", "peergraph-*.tar.gz"])
def test_it_installs_in_an_empty_environment_where_pytest_finds_the_plugin(pattern, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    install = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q")
    run(*install, the_one(pattern))
    run(python, "-I", "-W", "error", SMOKE, tmp_path / "data", "peergraph", "ssl")
    run(*install, "pytest>=8")
    for name in ("duty.py", "test_duty.py"):
        (tmp_path / name).write_bytes((ROOT / "examples" / "testing" / name).read_bytes())
    command = (
        python,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "--rootdir",
        tmp_path,
        "--peer-seeds=2",
        tmp_path / "test_duty.py",
    )
    assert "10 passed" in run(*command)


@pytest.mark.parametrize("modules", [("peergraph",), ("ssl", "peergraph"), ("peergraph", "ssl")], ids="-".join)
def test_it_works_beside_the_openssl_of_python(fresh_python, tmp_path, modules):
    lines = run(fresh_python, "-I", "-W", "error", SMOKE, tmp_path, *modules).splitlines()
    loaded = {library: paths for library, *paths in map(str.split, lines)}
    ours = str(fresh_python.parent.parent)
    for library in ("libuv", "libcrypto", "libsqlite3"):
        assert sum(path.startswith(ours) for path in loaded[library]) == 1, loaded
    if "ssl" in modules and "_ssl" not in sys.builtin_module_names:
        assert len(loaded["libcrypto"]) == 2, loaded

"""The dev build, installed as a package maker does it, and then moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from install.tree import ROOT, Tree, run

BUILD = ROOT / "build" / "dev"


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Tree:
    """Staged with DESTDIR, then taken from there: nothing may depend on where it was made or meant to be."""
    if not (BUILD / "libpeergraph.so").exists():
        pytest.skip("the dev preset is not built")
    stage = tmp_path_factory.mktemp("stage")
    run("cmake", "--install", BUILD, "--prefix", "/opt/peergraph", DESTDIR=stage)
    prefix = stage.parent / "moved"
    shutil.move(stage / "opt" / "peergraph", prefix)
    assert not Path("/opt/peergraph").exists()
    return Tree(prefix)


@pytest.fixture(scope="session")
def archive_tree(tree, tmp_path_factory) -> Tree:
    """The same as it is without PEER_SHARED."""
    prefix = tmp_path_factory.mktemp("archive") / "usr"
    shutil.copytree(tree.prefix, prefix, symlinks=True)
    for path in [*prefix.rglob("libpeergraph.so*"), *prefix.rglob("peergraph-shared*.cmake")]:
        path.unlink()
    return Tree(prefix)

"""Runtimes with folders of their own, graphs that are connected, and nothing that is left open."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import peergraph
import pytest
from peergraph import Scope
from python.scene import join


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in a simulated network has one thread: ThreadSanitizer has nothing to see there."""
    for item in items:
        if "network" in getattr(item, "fixturenames", ()):
            item.add_marker("simulated")


@pytest.fixture(autouse=True)
def _nothing_is_left_open():
    """A handle that a test forgot is an error of that test: pytest makes errors of warnings in destructors."""
    yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _no_stray_data(tmp_path_factory):
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data-home"))


@pytest.fixture(scope="session")
def preload(tmp_path_factory) -> Callable[[str], str]:
    """Compiles a file beside the tests to a library; gives what LD_PRELOAD has to be. A sanitizer stays the first."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("nothing can be preloaded here")
    folder = tmp_path_factory.mktemp("preload")

    def compile_(name: str) -> str:
        library = folder / name.replace(".c", ".so")
        source = Path(__file__).with_name(name)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        return ":".join(filter(None, [os.environ.get("LD_PRELOAD"), str(library)]))

    return compile_


@pytest.fixture
def open_runtime(tmp_path) -> Iterator[Callable[..., peergraph.Runtime]]:
    """Opens runtimes; each name is a folder, which survives the runtime."""
    with contextlib.ExitStack() as stack:

        def open_(name: str = "one") -> peergraph.Runtime:
            return stack.enter_context(peergraph.open_runtime(tmp_path / name))

        yield open_


@pytest.fixture
def create_graph(open_runtime) -> Iterator[Callable[..., peergraph.Graph]]:
    """Creates a graph in a runtime of its own, with the same name as its peer; listens on request."""
    with contextlib.ExitStack() as stack:

        def create(peer_id: str, graph_id: str = "film club", listen: bool = True, **options) -> peergraph.Graph:
            graph = stack.enter_context(open_runtime(peer_id).create_graph(graph_id, peer_id=peer_id, **options))
            if listen:
                graph.listen(scope=Scope.LOOPBACK)
            return graph

        yield create


@pytest.fixture
def open_graph(open_runtime) -> Iterator[Callable[..., peergraph.Graph]]:
    """Opens a graph in a runtime of its own, with the same name as its peer."""
    with contextlib.ExitStack() as stack:

        def open_(peer_id: str, graph_id: str = "film club", **options) -> peergraph.Graph:
            return stack.enter_context(open_runtime(peer_id).open_graph(graph_id, peer_id=peer_id, **options))

        yield open_


@pytest.fixture
def runtime(open_runtime) -> peergraph.Runtime:
    return open_runtime()


@pytest.fixture
def graph(runtime) -> Iterator[peergraph.Graph]:
    """A graph of one node, which has created it."""
    with runtime.create_graph("film club", peer_id="alice") as graph:
        yield graph


@pytest.fixture
def pair(create_graph, open_graph) -> tuple[peergraph.Graph, peergraph.Graph]:
    """Two nodes of one graph, connected and synchronized: alice, who created it and listens, and bob."""
    alice = create_graph("alice")
    bob = open_graph("bob")
    join(bob, alice)
    return alice, bob

"""folder.py as it is, not a line changed, on three hosts of a simulated network with a partition in the middle."""

from __future__ import annotations

import os
from pathlib import Path

import folder
import pytest
from demo import manifest
from peergraph.sim import Network

WHEN = 1_700_000_000


def write(path: Path, text: str) -> None:
    """With a time of its own, so that every run sees the same."""
    path.write_text(text)
    os.utime(path, (WHEN, WHEN))


class Stage:
    """Three hosts, each with a real folder in which its program keeps files."""

    def __init__(self, network: Network, root: Path) -> None:
        self.network = network
        self.hosts = network.add_hosts(*"abc")
        self.root = root
        for host in self.hosts:
            (root / host.name).mkdir(parents=True)

    def __getitem__(self, name: str) -> Path:
        return self.root / name

    def start(self, name: str, *command: str) -> None:
        verb, *rest = command
        listen = ("--name", name, "--listen", "5000", "--listen-everywhere", "--json")
        self.network.host(name).start(folder.main, [verb, str(self[name]), *rest, *listen])

    def start_all(self) -> None:
        self.start("a", "create")
        self.start("b", "join", "a:5000")
        self.start("c", "join", "b:5000")

    def contents(self, name: str) -> dict[str, str]:
        return {path: (self[name] / path).read_text() for path in manifest(self[name])}

    def until_equal(self, to: dict[str, str], names: str = "abc") -> None:
        self.network.run_until(lambda: all(self.contents(name) == to for name in names), every=0.5, timeout=900)


@pytest.fixture
def stage(tmp_path):
    with Network(5) as network:
        yield Stage(network, tmp_path)


def test_a_partition_in_the_middle(stage):
    write(stage["a"] / "one", "one")
    stage.start_all()
    stage.until_equal({"one": "one"})

    stage.network.partition(stage.hosts[:1], stage.hosts[1:])
    write(stage["a"] / "one", "what a wrote")
    write(stage["b"] / "one", "what b wrote")
    write(stage["c"] / "two", "two")
    stage.until_equal({"one": "what b wrote", "two": "two"}, "bc")
    stage.network.run_for(300)
    assert stage.contents("a") == {"one": "what a wrote"}

    stage.network.heal()
    stage.network.run_until(lambda: len(stage.contents("a")) == 3, every=0.5, timeout=900)
    found = stage.contents("a")
    (copy,) = found.keys() - {"one", "two"}
    assert copy in ("one.conflict-a", "one.conflict-b")
    assert {found["one"], found[copy]} == {"what a wrote", "what b wrote"}
    stage.until_equal(found)
    stage.network.run_until_converged()


def test_a_host_that_crashes_goes_on_where_it_was(stage):
    write(stage["a"] / "one", "one")
    stage.start_all()
    stage.until_equal({"one": "one"})
    stage.network.run_for(60)  # until everyone knows of everyone
    stage.network.hosts[1].crash(machine=True)
    write(stage["c"] / "two", "two")
    write(stage["b"] / "three", "three")
    stage.until_equal({"one": "one", "two": "two"}, "ac")
    stage.network.hosts[1].restart()
    stage.start("b", "join", "c:5000")
    stage.until_equal({"one": "one", "two": "two", "three": "three"})


def run(root: Path) -> tuple[int, float]:
    with Network(5) as network:
        stage = Stage(network, root)
        write(stage["a"] / "one", "one")
        stage.start_all()
        stage.until_equal({"one": "one"})
        write(stage["c"] / "one", "another")
        stage.until_equal({"one": "another"})
        return network.trace_hash, network.now


def test_every_run_is_the_same(tmp_path):
    assert run(tmp_path / "first") == run(tmp_path / "second")


def test_a_wrong_command_ends_the_program(stage, capsys):
    assert stage.hosts[0].run(folder.main, ["dance"]) == 2
    assert "invalid choice: 'dance'" in capsys.readouterr().err

"""What is said of a failure: the seed, the command that replays it, and the end of the trace."""

from __future__ import annotations

import os
import re
import shlex
from typing import Any

import pytest
from peergraph.sim import Network

from . import network_of

_told = pytest.StashKey[str]()


def add_to(report: pytest.TestReport, item: pytest.Item) -> None:
    """Adds it to the report of a test that has a network: to the failure itself, which is always shown."""
    told = item.stash.get(_told, None) or _tell(item, item.stash[network_of])
    failure: Any = report.longrepr
    if hasattr(failure, "addsection"):
        failure.addsection("peer_network", told, "-")
    else:
        report.sections.append(("peer_network", told))


def remember(item: pytest.Item, network: Network) -> None:
    """Keeps what is to be said of a network that ends before the test; of the first, if there are several."""
    if _told not in item.stash:
        item.stash[_told] = _tell(item, network)


def forget(item: pytest.Item) -> None:
    """A test begins, perhaps once more."""
    if _told in item.stash:
        del item.stash[_told]


def _tell(item: pytest.Item, network: Network) -> str:
    count = len(network.hosts)
    trace = network.trace
    shown = trace[len(trace) - min(max(0, item.config.option.peer_trace), len(trace)) :]
    lines = [
        f"seed {network.seed}, {count} host{'' if count == 1 else 's'}, failed at {network.now:.6f} virtual seconds",
        f"replay: {replay_command(_name_here(item), network.seed)}",
    ]
    if shown:
        lines.append(f"the last {len(shown)} lines of the trace:" if len(shown) > 1 else "the last line of the trace:")
    return "\n".join([*lines, *(f"  {line}" for line in shown)])


def _name_here(item: pytest.Item) -> str:
    """The name of a test where pytest was called, which need not be where the names of its tests begin."""
    file = os.path.relpath(item.path, item.config.invocation_params.dir)
    return "::".join([file, *item.nodeid.split("::")[1:]])


def replay_command(nodeid: str, seed: int) -> str:
    """The command that runs one test with one seed."""
    bare = re.sub(rf"(?<=\[)seed{seed}-|-seed{seed}(?=[-\]])|\[seed{seed}\]", "", nodeid, count=1)
    return f"pytest {shlex.quote(bare)} --peer-seed={seed} --peer-seeds=1"

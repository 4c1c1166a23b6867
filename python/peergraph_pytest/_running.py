"""Tests that use the fixture: each with its network, coroutines in the network's loop."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest
from peergraph.sim import Network

from . import network_of
from ._failure import forget, remember

DAY: Final = 86_400.0
"""How long a test may run, in virtual seconds, unless its marker says otherwise: a test that never ends is no test."""

options_of = pytest.StashKey[dict[str, Any]]()


def open_network(seed: int, options: dict[str, Any]) -> Network:
    """A network as a test wants it."""
    return Network(seed, **{"time_limit": DAY, **options})


def provide(node: Any, seed: int, options: dict[str, Any]) -> Iterator[Network]:
    """The fixture."""
    network = open_network(seed, options)
    node.stash[network_of], node.stash[options_of] = network, options
    forget(node)
    yield network
    remember(node, network)  # for a failure that is reported after the end of the network
    network.close()


def take_over(item: Any) -> None:
    """From now on a test is run here. A unittest.TestCase has ways of its own, and no coroutine of pytest."""
    if item.cls is None or not issubclass(item.cls, unittest.TestCase):
        item.runtest = functools.partial(_run_test, item)


def _run_test(item: pytest.Function) -> None:
    """Runs a test as pytest.Function does, but a coroutine function in the loop of its network."""
    __tracebackhide__ = True
    function = item.obj
    if hasattr(function, "hypothesis"):
        from ._examples import Examples

        with Examples(item, function.hypothesis):
            pytest.Function.runtest(item)
        return
    network = item.stash[network_of]

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        run_in(network, function, args, kwargs)

    item.obj = run
    try:
        pytest.Function.runtest(item)
    finally:
        item.obj = function


def run_in(network: Network, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Calls a test; what a program raised that nobody has seen fails it."""
    __tracebackhide__ = True
    if inspect.iscoroutinefunction(function):
        network.run(functools.partial(function, *args, **kwargs))
    else:
        function(*args, **kwargs)
    network.raise_failures()

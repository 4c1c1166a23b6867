"""Tests of hypothesis: each example has a network of its own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import pytest

from . import network_of
from ._failure import remember
from ._running import open_network, options_of, run_in

if TYPE_CHECKING:
    from peergraph.sim import Network

OURS: Final = ("peer_network", "peer_seed")


class Examples:
    """While it is entered, each example of a test is run with a network of its own."""

    def __init__(self, item: pytest.Function, handle: Any) -> None:
        self._item = item
        self._handle = handle
        self._inner = handle.inner_test
        self._last: Network | None = None

    def __enter__(self) -> None:
        def run(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            self._run(args, kwargs)

        inner = self._inner
        run.__name__, run.__qualname__, run.__doc__ = inner.__name__, inner.__qualname__, inner.__doc__
        self._handle.inner_test = run

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """The last example is the one that hypothesis shows, if the test has failed."""
        self._handle.inner_test = self._inner
        if kind is not None and self._last is not None:
            remember(self._item, self._last)
        self._close_last()

    def _close_last(self) -> None:
        if self._last is not None:
            self._last.close()

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        __tracebackhide__ = True
        item = self._item
        shared = item.stash[network_of]
        if OURS[0] not in kwargs:  # another fixture holds the network, and hypothesis was told that this is meant
            run_in(shared, self._inner, args, kwargs)
            return
        self._close_last()
        # Nothing is done here only if the example fails: hypothesis would name such lines as the reason.
        self._last = network = open_network(shared.seed, item.stash[options_of])
        run_in(network, self._inner, args, {**kwargs, OURS[0]: network})


def allow(item: Any) -> None:
    """Hypothesis refuses fixtures that are not made anew for each example; ours is."""
    from hypothesis import HealthCheck, settings  # type: ignore[import-not-found, unused-ignore]

    names = set(inspect.signature(item.function).parameters).difference(OURS)
    known = item._fixtureinfo.name2fixturedefs
    if any(known[name][-1].scope == "function" for name in names if name in known):
        return  # it has something to say about another fixture
    function = getattr(item.obj, "__func__", item.obj)
    given: Any = getattr(function, "_hypothesis_internal_use_settings", settings.default)
    function._hypothesis_internal_use_settings = settings(
        parent=given,
        suppress_health_check={HealthCheck.function_scoped_fixture} | set(given.suppress_health_check),
    )

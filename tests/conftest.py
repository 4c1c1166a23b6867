"""The time that a test has is pytest-timeout's, but kept by a thread that needs no interpreter: a wait in C ends, too,
and what every thread did is shown, which pytest-timeout cannot do in a process of pytest-xdist.
"""

from __future__ import annotations

import faulthandler
import os

import pytest
from pytest_timeout import is_debugging

STDERR = pytest.StashKey[int]()
SECONDS = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STDERR] = os.dup(2)  # nothing is captured now


def begin(item: pytest.Item) -> None:
    if not is_debugging():  # somebody thinks
        faulthandler.dump_traceback_later(item.stash[SECONDS], exit=True, file=item.config.stash[STDERR])


def pytest_timeout_set_timer(item: pytest.Item, settings) -> bool:
    item.stash[SECONDS] = settings.timeout
    begin(item)
    return True


def pytest_timeout_cancel_timer() -> bool:
    faulthandler.cancel_dump_traceback_later()
    return True


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """The others have stopped the clock, because of debuggers; what is cleaned up after a failure can hang, too."""
    if SECONDS in node.stash:
        begin(node)

"""What all handles have in common: they are closed once, and complain if nobody did."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable

from ._codes import E_INVALIDARG, PEER_E_NOT_INITIALIZED
from ._native import Handle as NativeHandle
from .errors import PeerError

_lock = threading.RLock()  # a destructor may run wherever its thread holds it

_generation = 0


def _after_fork_in_child() -> None:
    """Nothing that was opened before the fork belongs to the child: what ends there keeps its hands off."""
    global _generation, _lock
    _generation += 1
    _lock = threading.RLock()  # a thread that is not here may have held the other one


os.register_at_fork(after_in_child=_after_fork_in_child)


class Handle:
    """Base of everything that has to be closed.

    What is garbage collected open is closed then, with a ResourceWarning. While the interpreter ends, destructors leave
    the library alone: it closes by itself when the process exits. In a forked child nothing is closed, not even by a
    with statement: it all belongs to the parent.
    """

    __slots__ = ("__weakref__", "_ended", "_generation", "_handle")

    _handle: NativeHandle
    _ended: bool
    _generation: int

    def __init__(self, handle: NativeHandle) -> None:
        self._ended = False
        self._generation = _generation
        self._handle = handle

    def _end(self) -> None:
        """Ends the handle in C."""
        raise NotImplementedError

    def _is_gone(self) -> bool:
        """Whether something above has ended it already."""
        return False

    def _is_foreign(self) -> bool:
        """Whether it was opened by a process of which this one is a fork."""
        return self._generation != _generation

    def _may_be_dropped(self) -> bool:
        """Whether the garbage collector may close it without a complaint."""
        return False

    def _begin_end(self) -> bool:
        """Marks the handle ended; False if it was."""
        with _lock:
            ended, self._ended = self._ended, True
        return not ended

    def _close(self) -> None:
        """Ends the handle if it is open."""
        if self._begin_end() and not self._is_foreign() and not self._is_gone():
            self._end()

    def __del__(self) -> None:
        try:
            if self._ended or self._is_foreign() or self._is_gone():
                return
            try:
                if not self._may_be_dropped():
                    warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            finally:
                if not sys.is_finalizing():
                    self._close()
        except (AttributeError, TypeError, ImportError):
            return  # half built, or half torn down with the interpreter
        except PeerError:
            return  # somebody else was faster


def end_with_graph(end: Callable[[NativeHandle], None], handle: NativeHandle) -> None:
    """Ends what also ends with its graph, which another thread may have closed just now."""
    try:
        end(handle)
    except PeerError as error:
        if error.code not in (E_INVALIDARG, PEER_E_NOT_INITIALIZED):
            raise

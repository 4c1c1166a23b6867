"""What all handles have in common: they are closed once, and complain if nobody did."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import Final

from ._native import Handle as NativeHandle
from .errors import PeerError

_LOCK: Final = threading.RLock()  # a destructor may run wherever its thread holds it

_forked = False


def _after_fork_in_child() -> None:
    """Nothing that was opened before the fork belongs to the child: destructors keep their hands off."""
    global _forked, _LOCK
    _forked = True


os.register_at_fork(after_in_child=_after_fork_in_child)


class Handle:
    """Base of everything that has to be closed.

    What is garbage collected open is closed then, with a ResourceWarning. In a forked child, and while the interpreter
    ends, destructors leave the library alone: it closes by itself when the process exits.
    """

    __slots__ = ("__weakref__", "_ended", "_handle")

    _handle: NativeHandle
    _ended: bool

    def __init__(self, handle: NativeHandle) -> None:
        self._ended = False
        self._handle = handle

    def _end(self) -> None:
        """Ends the handle in C."""
        raise NotImplementedError

    def _is_gone(self) -> bool:
        """Whether something above has ended it already."""
        return False

    def _begin_end(self) -> bool:
        """Marks the handle ended; False if it was."""
        with _LOCK:
            ended, self._ended = self._ended, True
        return not ended

    def _close(self) -> None:
        """Ends the handle if it is open."""
        if self._begin_end() and not self._is_gone():
            self._end()

    def __del__(self) -> None:
        try:
            if self._ended or _forked or self._is_gone():
                return
            try:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            finally:
                if not sys.is_finalizing():
                    self._close()
        except (AttributeError, TypeError, ImportError):
            return  # half built, or half torn down with the interpreter
        except PeerError:
            return  # somebody else was faster

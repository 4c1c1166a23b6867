"""Where a simulated network supplies runtimes.

`peergraph.aio.open_runtime()` asks `current_host` first. While it holds a host, the runtime is the one that the host
starts, and everything opened in it lives on the host's network; the program is none the wiser. Outside of a
simulation it is None.
"""

from __future__ import annotations

from contextvars import ContextVar
from os import PathLike
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._peergraph import CData


class Host(Protocol):
    """What a simulated host must be able to do."""

    def startup(self, data_directory: str | PathLike[str] | None) -> CData:
        """Starts a runtime that lives on this host and gives its handle; raises PeerError."""

    def clock_us(self) -> int:
        """The host's clock, in microseconds since 1970 UTC."""


current_host: ContextVar[Host | None] = ContextVar("peergraph_current_host", default=None)

"""One exception class for each family of errors.

Each carries the code of the API (`code`, `name`) and a line that names the offending value (`message`), and is also the
built-in exception that a Python programmer expects: a record that is missing is a KeyError, a full disk an OSError.
"""

from __future__ import annotations

import errno
import sys
from typing import Any, ClassVar

from . import _codes


class PeerError(Exception):
    """Base of everything that a call of peergraph raises.

    code     the number, signed, as on Windows: -2140995568
    name     its name: "PEER_E_INVALID_GRAPH"
    message  what was wrong with which value; may be empty
    """

    _errno: ClassVar[int | None] = None

    code: int
    name: str
    message: str

    def __init__(self, code: int, message: str = "") -> None:
        BaseException.__init__(self, code, message)  # the arguments, also for pickle; not OSError's (errno, text)
        self.code = code
        self.message = message
        self.name = _codes.STATUS.get(code, (f"0x{code & 0xFFFFFFFF:08X}", ""))[0]
        if isinstance(self, OSError):
            error: Any = self
            error.errno = self._errno
            error.strerror = message or self._text()

    def _text(self) -> str:
        return _codes.STATUS.get(self.code, ("", "unknown error"))[1]

    def __str__(self) -> str:
        return f"{self.name}: {self.message or self._text()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, {self.message!r})"


# -- arguments and the library -----------------------------------------------------------------------------------------


class InvalidArgument(PeerError, ValueError):
    """An argument is missing or ill-formed."""


class InvalidName(InvalidArgument):
    """A peer name or a friendly name is ill-formed."""


class InvalidSearch(InvalidArgument):
    """Search criteria break their schema."""


class UnsupportedVersion(InvalidArgument):
    """The library does not know the requested version."""


class OutOfMemory(PeerError, MemoryError):
    """There is no memory for it."""


class NotInitialized(PeerError, RuntimeError):
    """The runtime was shut down, or none was opened."""


class NotAvailable(PeerError, RuntimeError):
    """The computer, or the graph, does not offer it."""


class Forked(PeerError, RuntimeError):
    """The process was forked. Use the "spawn" method of multiprocessing, or open a runtime in a program of its own."""


class InternalError(PeerError, RuntimeError):
    """A defect of the library, or a disk that fails; what was asked for was not done."""


class AccessDenied(PeerError, PermissionError):
    """The operating system refuses it."""

    _errno = errno.EACCES


class DiskFull(PeerError, OSError):
    """The disk is full, or the records hold as much as was allowed; nothing was changed."""

    _errno = errno.ENOSPC


# -- what is missing, what is there already ----------------------------------------------------------------------------


class NotFound(PeerError, LookupError):
    """Something does not exist."""


class FileNotFound(NotFound, FileNotFoundError):
    """A file or a folder does not exist."""

    _errno = errno.ENOENT


class NodeNotFound(NotFound, KeyError):
    """No node of this id is known."""


class ConnectionNotFound(NotFound, KeyError):
    """There is no connection of this id."""


class RecordNotFound(NotFound, KeyError):
    """The record is unknown, deleted or expired."""


class IdentityNotFound(NotFound, KeyError):
    """There is no such identity."""


class AlreadyExists(PeerError):
    """It exists already; for connect: there is a neighbour connection to that node."""


class AlreadyListening(AlreadyExists):
    """The graph listens already."""


class DuplicateGraph(AlreadyExists):
    """The graph is open in this runtime already."""


# -- graphs ------------------------------------------------------------------------------------------------------------


class InvalidGraph(PeerError, ValueError):
    """The graph was closed."""


class GraphNotReady(PeerError, RuntimeError):
    """The graph was never synchronized; wait for it first."""


class GraphShuttingDown(PeerError, RuntimeError):
    """The graph is being closed."""


class GraphInUse(PeerError, RuntimeError):
    """The graph is open, listens or is connected, and must not be."""


class NotAuthorized(PeerError, PermissionError):
    """The graph does not allow it."""

    _errno = errno.EPERM


# -- databases ---------------------------------------------------------------------------------------------------------


class DatabaseError(PeerError, OSError):
    """A database cannot be used."""


class DatabaseInUse(DatabaseError):
    """Another process has the database open; the message names it."""

    _errno = errno.EBUSY


class DatabaseAlreadyPresent(DatabaseError, FileExistsError):
    """A database of this graph, peer and name exists: open it, or delete it first."""

    _errno = errno.EEXIST


class DatabaseNotPresent(DatabaseError, FileNotFoundError):
    """There is no database of this graph, peer and name."""

    _errno = errno.ENOENT


class DatabaseAccessDenied(DatabaseError, PermissionError):
    """The database may not be read or written."""

    _errno = errno.EACCES


class InvalidDatabase(DatabaseError):
    """The file is damaged, not ours, or from a newer version."""


# -- records -----------------------------------------------------------------------------------------------------------


class InvalidRecord(PeerError, ValueError):
    """A record cannot be accepted."""


class InvalidRecordExpiration(InvalidRecord):
    """The expiration is in the past, or earlier than before."""


class InvalidRecordSize(InvalidRecord):
    """A part of the record has an impossible size."""


class MaxRecordSizeExceeded(InvalidRecord):
    """Data and attributes are larger than the graph allows."""


class InvalidAttributes(InvalidRecord):
    """Attributes break their schema; the message says where."""


class TooManyAttributes(InvalidAttributes):
    """A record has at most 4,096 attributes."""


# -- connections -------------------------------------------------------------------------------------------------------


class ConnectionFailed(PeerError, ConnectionError):
    """A connection could not be made, or was lost."""


class ConnectionRefused(ConnectionFailed, ConnectionRefusedError):
    """The other node answered and refused: it is full, or is connected to us already."""

    _errno = errno.ECONNREFUSED


class ConnectionNotAuthenticated(ConnectionFailed):
    """The connection was lost before both sides knew each other."""


class ConnectSelf(ConnectionFailed):
    """The address is one of this node's own."""


class UnableToListen(PeerError, OSError):
    """The port is taken, or not permitted."""


class OutboxFull(PeerError, BlockingIOError):
    """Too much waits to be sent; a Writable event tells when there is room."""

    _errno = errno.EAGAIN


# ----------------------------------------------------------------------------------------------------------------------

_CLASSES: dict[int, type[PeerError]] = {
    code: getattr(sys.modules[__name__], name) for code, name in _codes.EXCEPTIONS.items()
}

__all__ = [name for name, value in list(globals().items()) if isinstance(value, type) and issubclass(value, PeerError)]

for _name in __all__:
    globals()[_name].__module__ = "peergraph"  # as people import them, and as a traceback shows them


def error_for(code: int, message: str = "") -> PeerError:
    """The exception for an error code. A code that this version does not know becomes a plain PeerError."""
    return _CLASSES.get(code, PeerError)(code, message)

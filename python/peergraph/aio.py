"""peergraph for asyncio: the same names, and coroutines where something takes time.

    import peergraph.aio as peergraph

    async with peergraph.open_runtime() as runtime:
        graph = await runtime.open_graph("film club", peer_id="bob")
        await graph.connect("192.0.2.1:5000")
        await graph.synchronized()
        async for event in graph.events():
            print(event)

Starting, creating, opening, connecting, enumerating, committing, closing and deleting are awaited. Adding, updating,
deleting and reading one record, and the status, are plain calls.
"""

from __future__ import annotations

from ._aio_direct import Channel, Direct
from ._aio_events import Events
from ._aio_graph import Batch, Graph
from ._aio_runtime import Runtime, open_runtime
from ._changes import KEEP
from ._codes import (
    AttributeType,
    ConnectionFlag,
    ConnectionStatus,
    GraphEvent,
    GraphStatus,
    NodeChange,
    ProgressAction,
    RecordChange,
    RecordFlag,
    Scope,
)
from ._direct import MESSAGE_TYPE
from ._graph import GraphProperties
from ._nodes import ConnectionInfo, NodeInfo
from .attributes import Attributes
from .errors import (
    AccessDenied,
    AlreadyExists,
    AlreadyListening,
    ConnectionFailed,
    ConnectionNotAuthenticated,
    ConnectionNotFound,
    ConnectionRefused,
    ConnectSelf,
    DatabaseAccessDenied,
    DatabaseAlreadyPresent,
    DatabaseError,
    DatabaseInUse,
    DatabaseNotPresent,
    DiskFull,
    DuplicateGraph,
    FileNotFound,
    Forked,
    GraphInUse,
    GraphNotReady,
    GraphShuttingDown,
    IdentityNotFound,
    InternalError,
    InvalidArgument,
    InvalidAttributes,
    InvalidDatabase,
    InvalidGraph,
    InvalidName,
    InvalidRecord,
    InvalidRecordExpiration,
    InvalidRecordSize,
    InvalidSearch,
    MaxRecordSizeExceeded,
    NodeNotFound,
    NotAuthorized,
    NotAvailable,
    NotFound,
    NotInitialized,
    OutboxFull,
    OutOfMemory,
    PeerError,
    RecordNotFound,
    TooManyAttributes,
    UnableToListen,
    UnsupportedVersion,
)
from .events import (
    Closed,
    ConnectionRequired,
    DirectConnection,
    Event,
    IncomingData,
    NeighbourConnection,
    NodeChanged,
    Overflow,
    Progress,
    PropertyChanged,
    RecordChanged,
    StatusChanged,
    Synchronized,
    Validation,
    Verdict,
    Writable,
)
from .records import Record
from .search import Attr, Query, escape_wildcards

for _class in (Runtime, Graph, Batch, Events, Direct, Channel):
    _class.__module__ = __name__  # as people import them

__all__ = [
    "open_runtime",
    "Runtime",
    "Graph",
    "Batch",
    "Events",
    "Direct",
    "Channel",
    "MESSAGE_TYPE",
    "KEEP",
    "AttributeType",
    "ConnectionFlag",
    "ConnectionStatus",
    "GraphEvent",
    "GraphStatus",
    "NodeChange",
    "ProgressAction",
    "RecordChange",
    "RecordFlag",
    "Scope",
    "GraphProperties",
    "NodeInfo",
    "ConnectionInfo",
    "Attributes",
    "Attr",
    "Query",
    "escape_wildcards",
    "PeerError",
    "InvalidArgument",
    "InvalidName",
    "InvalidSearch",
    "UnsupportedVersion",
    "OutOfMemory",
    "NotInitialized",
    "NotAvailable",
    "Forked",
    "InternalError",
    "AccessDenied",
    "DiskFull",
    "NotFound",
    "FileNotFound",
    "NodeNotFound",
    "ConnectionNotFound",
    "RecordNotFound",
    "IdentityNotFound",
    "AlreadyExists",
    "AlreadyListening",
    "DuplicateGraph",
    "InvalidGraph",
    "GraphNotReady",
    "GraphShuttingDown",
    "GraphInUse",
    "NotAuthorized",
    "DatabaseError",
    "DatabaseInUse",
    "DatabaseAlreadyPresent",
    "DatabaseNotPresent",
    "DatabaseAccessDenied",
    "InvalidDatabase",
    "InvalidRecord",
    "InvalidRecordExpiration",
    "InvalidRecordSize",
    "MaxRecordSizeExceeded",
    "InvalidAttributes",
    "TooManyAttributes",
    "ConnectionFailed",
    "ConnectionRefused",
    "ConnectionNotAuthenticated",
    "ConnectSelf",
    "UnableToListen",
    "OutboxFull",
    "Event",
    "StatusChanged",
    "PropertyChanged",
    "RecordChanged",
    "NeighbourConnection",
    "DirectConnection",
    "IncomingData",
    "ConnectionRequired",
    "NodeChanged",
    "Synchronized",
    "Overflow",
    "Closed",
    "Writable",
    "Validation",
    "Verdict",
    "Progress",
    "Record",
]

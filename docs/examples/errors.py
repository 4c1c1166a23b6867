import logging
from datetime import timedelta
from uuid import UUID, uuid4

import peergraph
from scene import HOUR, NOTE, open_scene


# example: trouble of the computer
def add(graph: peergraph.Graph, text: str) -> bool:
    try:
        graph.add_record(type=NOTE, data=text.encode(), lifetime=HOUR)
    except peergraph.DiskFull:
        return False  # try again later: GraphStatus.STORAGE_FULL goes away when there is room
    except peergraph.InvalidDatabase:
        logging.exception("the database is damaged: remove it, and the neighbours have the records")
        raise
    except (peergraph.GraphShuttingDown, peergraph.InvalidGraph, peergraph.NotInitialized):
        return False  # the program is about to end
    except (peergraph.OutOfMemory, peergraph.InternalError, peergraph.Forked):
        logging.exception("nothing can be done about it here")
        raise
    return True


# end


# example: records that are refused
def import_note(graph: peergraph.Graph, type: UUID, data: bytes, attributes: dict[str, str]) -> str:
    try:
        graph.add_record(type=type, data=data, attributes=attributes, lifetime=HOUR)
    except (peergraph.InvalidAttributes, peergraph.TooManyAttributes) as error:
        return f"attributes: {error.message}"
    except (peergraph.MaxRecordSizeExceeded, peergraph.InvalidRecordSize) as error:
        return f"too large: {error.message}"
    except (peergraph.InvalidRecord, peergraph.InvalidRecordExpiration, peergraph.NotAuthorized) as error:
        return f"refused: {error.message}"
    except peergraph.GraphNotReady:
        return "connect first, and wait until graph.synchronized() returns"
    return "added"


# end


# example: opening or creating
def open_or_create(runtime: peergraph.Runtime, name: str) -> peergraph.Graph | None:
    try:
        return runtime.create_graph(name, peer_id="alice")
    except peergraph.DuplicateGraph:
        return None  # it is open in this runtime
    except peergraph.DatabaseAlreadyPresent:
        return runtime.open_graph(name, peer_id="alice")
    except (peergraph.DatabaseInUse, peergraph.DatabaseAccessDenied, peergraph.DatabaseError) as error:
        raise SystemExit(f"cannot open {name}: {error.message}") from error


# end


# example: deleting a graph
def forget(runtime: peergraph.Runtime, name: str) -> bool:
    try:
        runtime.delete_graph(name, peer_id="alice")
    except (peergraph.DatabaseNotPresent, peergraph.FileNotFound):
        return False
    except (peergraph.GraphInUse, peergraph.AccessDenied) as error:
        print(error.message)
        return False
    return True


# end


# example: connections that fail
def connect(graph: peergraph.Graph, address: str) -> bool:
    try:
        graph.connect(address, timeout=30)
    except peergraph.AlreadyExists:
        return True
    except peergraph.ConnectSelf:
        return False
    except (peergraph.ConnectionRefused, peergraph.ConnectionNotAuthenticated) as error:
        print(f"{address} does not want us: {error}")
        return False
    except peergraph.ConnectionFailed as error:
        print(f"nobody answers at {address}: {error}")
        return False
    return True


# end


# example: listening fails
def listen(graph: peergraph.Graph, port: int) -> None:
    try:
        graph.listen(port)
    except peergraph.AlreadyListening:
        pass
    except (peergraph.UnableToListen, peergraph.NotAvailable):
        graph.close()
        raise


# end


# example: sending fails
def send(graph: peergraph.Graph, connection_id: int, data: bytes) -> bool:
    try:
        graph.send_data(connection_id, NOTE, data)
    except peergraph.OutboxFull:
        return False  # again after a Writable event
    except (peergraph.ConnectionNotFound, peergraph.NodeNotFound):
        return False  # it has gone
    return True


# end


# example: what is not there
def text_of(graph: peergraph.Graph, record_id: UUID) -> str:
    try:
        return graph.get_record(record_id).data.decode()
    except peergraph.NotFound:  # the base of RecordNotFound, NodeNotFound, …, and a KeyError
        return ""


# end


# example: arguments
def get(graph: peergraph.Graph, node_id: int) -> str:
    try:
        return graph.get_node_info(node_id).peer_id
    except (peergraph.InvalidName, peergraph.InvalidSearch, peergraph.UnsupportedVersion):
        raise AssertionError("these come from other functions") from None
    except peergraph.IdentityNotFound:
        raise AssertionError("so does this one") from None
    except peergraph.InvalidArgument as error:  # a ValueError too
        return error.message


# end

with open_scene() as scene:
    graph, runtime = scene.alice, scene.hosts[0].runtime
    assert add(graph, "hello")
    assert import_note(graph, NOTE, b"", {"no-hyphens": ""}).startswith("attributes")
    assert import_note(graph, NOTE, bytes(5_000_000), {}).startswith("too large")
    assert open_or_create(runtime, "film club") is None
    with open_or_create(runtime, "other") as other:
        listen(other, 5000)
        listen(other, 5000)
    with open_or_create(runtime, "other") as other:
        assert not forget(runtime, "other")
    assert forget(runtime, "other")
    assert not forget(runtime, "other")
    connect(scene.bob, scene.alice.address)
    assert not connect(scene.bob, "nobody.example:1")
    assert not connect(scene.bob, "bob:1")
    assert not send(graph, 12345, b"")
    assert text_of(graph, uuid4()) == ""
    assert get(graph, 0) == "alice"
    assert timedelta(hours=1) == HOUR

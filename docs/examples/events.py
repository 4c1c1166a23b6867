import peergraph
from peergraph import (
    Closed,
    ConnectionRequired,
    ConnectionStatus,
    DirectConnection,
    GraphEvent,
    IncomingData,
    NeighbourConnection,
    NodeChange,
    NodeChanged,
    Overflow,
    PropertyChanged,
    RecordChange,
    RecordChanged,
    StatusChanged,
    Synchronized,
    Validation,
    Writable,
)
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    # example: peer_graph_register_event
    with graph.events(RecordChanged, NeighbourConnection, record_type=NOTE) as events:
        graph.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
        event = events.get(timeout=1)
        if isinstance(event, RecordChanged) and event.change == RecordChange.ADDED:
            print("a new note:", event.record.data)
    # end

    # example: register_event
    with graph.register_event(GraphEvent.RECORD_CHANGED, record_type=NOTE) as queue:
        graph.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
        if queue.wait(timeout=1):
            print(queue.get_event_data())
        print(queue.get_event_batch(100))  # the others that wait
        print(queue.closed)  # False
    queue.unregister_event()  # the with statement did it already
    queue.close()
    # end

    # example: peer_event_queue_get_descriptor
    import select

    with graph.events() as events:
        graph.add_record(type=NOTE, data=b"hello again", lifetime=HOUR)
        select.select([events.fileno()], [], [])
        for event in events.take():
            print(event)
    # end

    # example: descriptor of a queue
    queue = graph.register_event()
    print(queue.fileno())  # to be polled for reading, by a loop of your own
    queue.close()
    # end

    # example: matching
    def show(event: peergraph.Event) -> str:
        match event:
            case RecordChanged(RecordChange.ADDED | RecordChange.UPDATED):
                return f"{event.change.name}: {event.record}"
            case RecordChanged(change, record_id):
                return f"{record_id}: {change.name}"
            case NeighbourConnection(ConnectionStatus.FAILED, message=message):
                return f"not connected: {message}"
            case NodeChanged(NodeChange.CONNECTED, peer_id=peer_id):
                return f"{peer_id} is here"
            case Overflow():
                return "something was lost: read the records again"
        return repr(event)

    # end

    # example: other events
    def show_others(event: peergraph.Event) -> str:
        match event:
            case StatusChanged(status):
                return f"the status is {status!r}"
            case PropertyChanged():
                return "look at graph.properties"
            case ConnectionRequired():
                return "connect to another node"
            case IncomingData(connection_id) | DirectConnection(connection_id=connection_id):
                return f"{connection_id} has news"
            case Synchronized(record_type) | Validation(record_type=record_type):
                return f"about records of the type {record_type}"
            case Writable(connection_id):
                return f"there is room again on {connection_id}"
            case Closed(message=message):
                return f"this is the end: {message}"
        return repr(event)

    # end

    events = graph.events()
    graph.add_record(type=NOTE, lifetime=HOUR)
    event = events.get(timeout=1)
    print(show(event), show_others(event))
    events.close()

    # example: iteration
    events = graph.events()
    graph.add_record(type=NOTE, lifetime=HOUR)
    graph.close()
    for event in events:  # ends when the graph is closed
        print(event)
    print(events.closed.error)  # None: nothing went wrong
    events.close()
    # end

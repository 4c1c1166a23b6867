from datetime import timedelta

import peergraph
from peergraph import GraphStatus, Scope
from scene import NOTE, open_scene

with open_scene() as scene:
    runtime = scene.hosts[0].runtime
    # example: peer_graph_create
    graph = runtime.create_graph("book club", peer_id="alice", friendly_name="Those who read")
    graph.listen(5001, scope=Scope.GLOBAL)
    graph.close()
    runtime.delete_graph("book club", peer_id="alice")
    # end

    runtime = scene.hosts[1].runtime
    # example: peer_graph_open
    graph = runtime.open_graph("film club", peer_id="carol")
    if graph.is_new:
        print("nothing is here yet")
    graph.connect("alice:5000", timeout=30)
    graph.synchronized()
    assert graph.get_status() & GraphStatus.SYNCHRONIZED
    assert graph.status & GraphStatus.HAS_CONNECTIONS
    # end
    graph.close()

    # example: precedence
    graph = runtime.open_graph("film club", peer_id="dave", precedence=[NOTE])
    with graph.events(peergraph.Synchronized) as events:
        connection_id = graph.begin_connect("alice:5000")
        print(events.get(timeout=60).record_type)  # notes are here, other records may follow
    # end

    graph.close()

    graph = scene.alice
    # example: names
    print(graph.id, graph.peer_id, graph.database, graph.address, graph.closed)
    # end

    # example: peer_graph_get_properties
    print(graph.get_properties().creator_id, graph.properties.presence_lifetime)
    graph.set_properties(friendly_name="Those who watch", presence_lifetime=timedelta(minutes=10))
    # end
    # example: properties
    properties: peergraph.GraphProperties = graph.properties
    print(properties.friendly_name)
    # end

    # example: peer_retain_data
    record_id = graph.add_record(type=NOTE, lifetime=timedelta(hours=1))
    record = graph.get_record(record_id)
    graph.delete_record(record)
    print(record.id)  # objects live as long as something refers to them
    # end

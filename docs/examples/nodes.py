from peergraph import ConnectionFlag, ConnectionInfo, ConnectionStatus, DirectConnection, IncomingData, NodeInfo
from scene import NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    # example: peer_graph_get_node_info
    print(graph.node.peer_id, graph.get_node_info(0).id)
    print("connect to", graph.address)
    # end

    # example: peer_graph_set_presence
    graph.set_presence(True)
    graph.set_node_attributes("at lunch")
    # end

    # example: peer_graph_enum_nodes
    node: NodeInfo
    for node in graph.nodes():
        print(node.peer_id, "is here")
    # end

    # example: enum_nodes
    with graph.enum_nodes("alice") as nodes:
        print(nodes.get_item_count())
        print(nodes.get_next_item(100))
    nodes.end_enumeration()
    nodes.close()
    # end

    # example: peer_graph_enum_connections
    connection: ConnectionInfo
    for connection in graph.connections(ConnectionFlag.NEIGHBOR):
        print("connected to", connection.peer_id, "at", connection.address)
    # end

    # example: enum_connections
    with graph.enum_connections(ConnectionFlag.DIRECT) as connections:
        print(connections.get_item_count(), connections.get_next_item())
    connections.end_enumeration()
    connections.close()
    # end

    hers = scene.alice.events(DirectConnection, IncomingData)
    graph = scene.bob
    # example: peer_graph_open_direct_connection
    with graph.events(DirectConnection) as events:
        number = graph.open_direct_connection("alice", "alice:5000")
        assert events.get(60).status == ConnectionStatus.CONNECTED
        graph.send_data(number, NOTE, b"hello")
        graph.pause_direct_connection(number, True)  # what she sends waits with her
        graph.pause_direct_connection(number, False)
        graph.close_direct_connection(number)  # b"hello" still arrives
    # end

    # example: incoming data
    for event in hers:
        match event:
            case DirectConnection(ConnectionStatus.CONNECTED, number, peer_id=peer_id):
                print(peer_id, "has opened", number)
            case IncomingData(number, data_type, data):
                print(data)  # b"hello"
            case DirectConnection(ConnectionStatus.DISCONNECTED):
                break
    # end

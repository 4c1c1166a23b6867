import peergraph
from scene import NOTE, open_scene

with open_scene() as scene:
    hers = scene.alice.direct()
    graph = scene.bob
    # example: direct
    with graph.direct() as direct, direct.connect("alice", "alice:5000", timeout=30) as channel:
        channel.write(b"hello", peergraph.MESSAGE_TYPE)
        print(channel.id, channel.peer_id, channel.node_id, channel.closed)
    # end

    direct = hers
    # example: accepting
    channel = direct.accept(timeout=30)
    print(channel.read(timeout=10))  # b"hello"
    print(channel.read(timeout=10))  # None: the other side has closed
    channel.close()
    # end

    # example: in two steps
    with graph.direct(accept=False) as his:
        channel = his.connect("alice", "alice:5000")
        try:
            channel.write_nowait(b"hello")
        except peergraph.OutboxFull:
            channel.drain(timeout=10)  # until it may be tried again
        channel.write(b"{}", NOTE)
        channel.close()  # what was written still arrives
    # end

    channel = direct.accept(timeout=30)
    # example: with data types
    event: peergraph.IncomingData | None = channel.receive(timeout=10)
    while event:
        print(event.data_type, event.data)
        event = channel.receive(timeout=10)
    # end

    # example: the end of it
    direct.close()
    direct: peergraph.Direct = graph.direct()
    direct.close()
    # end
    channel: peergraph.Channel

from peergraph import Progress, ProgressAction
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    runtime = scene.hosts[1].runtime
    graph = scene.bob
    graph.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
    # example: peer_graph_export_database
    graph.export_database("film-club.backup")
    graph.close()

    # on another machine, or after its disk was lost
    graph = runtime.open_graph("film club", peer_id="bob", database="restored")
    graph.import_database("film-club.backup")
    graph.connect("alice:5000")
    # end

    # example: progress
    with graph.events(Progress) as events:
        graph.export_database("film-club.backup")
        for event in events.take():  # none for so small a database
            if event.action == ProgressAction.EXPORT:
                print(event.done, "of", event.total, "bytes")
    # end
    assert len(list(graph.records(NOTE))) == 1

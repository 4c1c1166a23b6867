from datetime import datetime, timezone

import peergraph
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    # example: peer_graph_add_record
    note_id = graph.add_record(type=NOTE, data=b"Stalker at eight", lifetime=HOUR)
    # end

    # example: expires
    graph.add_record(type=NOTE, data=b"Mirror at ten", expires=graph.now() + HOUR)
    # end

    # example: peer_graph_get_record
    record: peergraph.Record = graph.get_record(note_id)
    print("version", record.version, "of", record.data)
    graph.update_record(record, data=b"Stalker at nine")
    # end

    # example: flags
    print(peergraph.RecordFlag.AUTOREFRESH in record.flags)  # False: nobody prolongs it
    # end

    # example: keep
    graph.update_record(note_id, data=b"Stalker at ten", attributes=peergraph.KEEP, lifetime=2 * HOUR)
    # end

    # example: peer_graph_enum_records
    for record in graph.records(NOTE):
        print(record.creator_id, record.data)
    # end

    # example: peer_get_item_views
    with graph.enum_records(NOTE, creator_id="alice") as records:
        print(records.get_item_count())
        while items := records.get_next_item(100):
            print([record.data for record in items])
    records.end_enumeration()
    records.close()
    # end

    old = graph.add_record(type=NOTE, data=b"old", lifetime=HOUR)
    done = graph.add_record(type=NOTE, data=b"done", lifetime=HOUR)
    # example: peer_graph_begin_batch
    with graph.batch() as batch:
        batch.add_record(type=NOTE, lifetime=HOUR)
        batch.update_record(old, data=b"moved")
        batch.delete_record(done)
    # all of it, or nothing
    # end

    # example: begin_batch
    batch = graph.begin_batch()
    batch.add_record(type=NOTE, lifetime=HOUR)
    batch.commit()
    print(batch.closed)  # True
    # end

    # example: peer_batch_abort
    batch = graph.begin_batch()
    batch.abort()  # nothing was done; so it is when a with statement ends by an exception
    # end

    # example: peer_graph_delete_record
    try:
        graph.delete_record(note_id)
    except peergraph.RecordNotFound:
        print("somebody else was faster")
    # end

    # example: peer_graph_universal_time_to_peer_time
    now = datetime.now(timezone.utc)
    shared = graph.universal_time_to_peer_time(now)
    assert graph.peer_time_to_universal_time(shared) == now
    # end

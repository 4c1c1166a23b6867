from peergraph import Validation, Verdict
from scene import HOUR, NOTE, open_scene

with open_scene(judge=True) as scene:
    graph = scene.alice
    events = graph.events(Validation)
    scene.bob.add_record(type=NOTE, data=b"not signed", lifetime=HOUR)
    event = events.get(60)
    graph.judge_record(event.validation_id, Verdict.DEFER)

    # example: peer_graph_validate_deferred_records
    graph.validate_deferred_records()  # a key has come: ask about all once more
    # end

    event = events.get(60)
    # example: peer_graph_get_deferred_record
    if isinstance(event, Validation):
        record = graph.get_deferred_record(event.validation_id)
        graph.judge_record(event.validation_id, Verdict.ACCEPT if record.security_data else Verdict.REJECT)
    # end

    note_id = graph.add_record(type=NOTE, lifetime=HOUR)
    # example: peer_graph_delete_secured_record
    graph.delete_record(note_id, security_data=b"signature")
    # end

    note_id = graph.add_record(type=NOTE, lifetime=HOUR)
    # example: peer_batch_delete_secured_record
    with graph.batch() as batch:
        batch.delete_record(note_id, security_data=b"signature")
    # end

    note_id = graph.add_record(type=NOTE, lifetime=HOUR)
    # example: delete_record_here
    graph.delete_record_here(note_id)  # the others keep it
    # end

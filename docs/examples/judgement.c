#include "scene.h"

static void judge(peer_graph *graph, const peer_event_view *event)
{
    /* example: peer_graph_get_deferred_record peer_graph_judge_record */
    peer_record *record; /* event->type is PEER_EVENT_VALIDATION */
    peer_record_view view;
    peer_status verdict;

    check(peer_graph_get_deferred_record(graph, event->validation_id, &record));
    check(peer_record_get_view(record, sizeof view, &view));
    verdict = view.security_data_size > 0 ? PEER_OK : PEER_E_INVALID_RECORD;
    check(peer_graph_judge_record(graph, event->validation_id, verdict));
    peer_free_data(record);
    /* end */
}

static void remove_signed(peer_graph *graph, peer_guid id)
{
    /* example: peer_graph_delete_secured_record */
    peer_record_input tombstone = PEER_RECORD_INPUT_INIT;

    tombstone.id = id;
    tombstone.security_data = "signature";
    tombstone.security_data_size = 9;
    check(peer_graph_delete_secured_record(graph, &tombstone));
    /* end */
}

static void remove_signed_together(peer_graph *graph, peer_guid id)
{
    peer_record_input tombstone = PEER_RECORD_INPUT_INIT;
    peer_batch *batch;

    check(peer_graph_begin_batch(graph, &batch));
    /* example: peer_batch_delete_secured_record */
    tombstone.id = id;
    tombstone.security_data = "signature";
    tombstone.security_data_size = 9;
    check(peer_batch_delete_secured_record(batch, &tombstone));
    check(peer_batch_commit(batch));
    /* end */
}

int main(void)
{
    struct scene scene = open_scene(PEER_GRAPH_OPTION_JUDGE);
    peer_graph *graph = scene.alice;
    peer_event_queue *queue = watch(graph, PEER_EVENT_VALIDATION);
    peer_event *event;
    peer_event_view view;

    add_note(scene.bob, "not signed");
    check(peer_event_queue_wait(queue, 60000));
    check(peer_get_event_data(queue, &event));
    check(peer_event_get_view(event, sizeof view, &view));
    check(peer_graph_judge_record(graph, view.validation_id, PEER_E_DEFERRED_VALIDATION));
    peer_free_data(event);

    /* example: peer_graph_validate_deferred_records */
    check(peer_graph_validate_deferred_records(graph, 0, NULL)); /* a key has come: ask about all once more */
    /* end */

    check(peer_event_queue_wait(queue, 60000));
    check(peer_get_event_data(queue, &event));
    check(peer_event_get_view(event, sizeof view, &view));
    judge(graph, &view);
    peer_free_data(event);
    remove_signed(graph, add_note(graph, "one"));
    remove_signed_together(graph, add_note(graph, "two"));
    close_scene(&scene);
    return 0;
}

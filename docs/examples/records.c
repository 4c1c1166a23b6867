#include "scene.h"

static peer_guid add(peer_graph *graph)
{
    /* example: peer_graph_add_record */
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    record.type = NOTE;
    record.data = "Stalker at eight";
    record.size = strlen(record.data);
    record.expires_us = in_an_hour(graph); /* peer time */
    check(peer_graph_add_record(graph, &record, &id));
    /* end */
    return id;
}

static void update(peer_graph *graph, const peer_guid *id)
{
    /* example: peer_graph_get_record peer_record_get_view peer_graph_update_record */
    peer_record *record;
    peer_record_view view;

    check(peer_graph_get_record(graph, id, &record));
    check(peer_record_get_view(record, sizeof view, &view));
    printf("version %u of %.*s\n", view.version, (int)view.size, (const char *)view.data);
    view.data = "Stalker at nine";
    view.size = strlen(view.data);
    check(peer_graph_update_record(graph, &view)); /* a view can be edited and passed back */
    peer_free_data(record);
    /* end */
}

static void delete (peer_graph *graph, const peer_guid *id)
{
    /* example: peer_graph_delete_record */
    peer_status status = peer_graph_delete_record(graph, id, 0);
    if (status == PEER_E_RECORD_NOT_FOUND)
        printf("somebody else was faster\n");
    else
        check(status);
    /* end */
}

static void enumerate(peer_graph *graph)
{
    /* example: peer_graph_enum_records peer_get_item_count peer_get_next_item peer_end_enumeration */
    peer_enum *records;
    uint32_t count;
    const void *const *items;

    check(peer_graph_enum_records(graph, &NOTE, NULL, &records));
    check(peer_get_item_count(records, &count));
    printf("%u notes\n", count);
    do {
        check(peer_get_next_item(records, 100, &count, &items));
        for (uint32_t i = 0; i < count; i++) {
            peer_record_view view;
            check(peer_record_get_view(items[i], sizeof view, &view));
            printf("%s: %.*s\n", view.creator_id, (int)view.size, (const char *)view.data);
        }
        peer_free_data(items); /* the array and all that is in it */
    } while (count);
    check(peer_end_enumeration(records));
    /* end */
}

static void enumerate_views(peer_graph *graph)
{
    /* example: peer_get_item_views */
    peer_enum *records;
    const void *views;
    uint32_t count;

    check(peer_graph_enum_records(graph, &NOTE, "alice", &records));
    check(peer_get_item_views(records, 100, sizeof(peer_record_view), &count, &views));
    for (uint32_t i = 0; i < count; i++) {
        const peer_record_view *view = (const peer_record_view *)views + i;
        printf("%.*s\n", (int)view->size, (const char *)view->data);
    }
    peer_free_data(views); /* what the views point to goes with it */
    check(peer_end_enumeration(records));
    /* end */
    assert(count > 0);
}

static void batch(peer_graph *graph, peer_guid old, peer_guid done)
{
    /* example: peer_graph_begin_batch peer_batch_add_record peer_batch_update_record peer_batch_delete_record
     * peer_batch_commit */
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_batch *batch;
    peer_guid id;

    check(peer_graph_begin_batch(graph, &batch));
    record.type = NOTE;
    record.expires_us = in_an_hour(graph);
    check(peer_batch_add_record(batch, &record, &id));
    record.id = old;
    record.data = "moved";
    record.size = 5;
    check(peer_batch_update_record(batch, &record));
    check(peer_batch_delete_record(batch, &done));
    check(peer_batch_commit(batch)); /* all of it, or nothing */
    /* end */
}

static void forget(peer_graph *graph)
{
    /* example: peer_batch_abort */
    peer_batch *batch;

    check(peer_graph_begin_batch(graph, &batch));
    check(peer_batch_abort(batch)); /* nothing was done */
    /* end */
}

static void convert(peer_graph *graph)
{
    /* example: peer_graph_universal_time_to_peer_time peer_graph_peer_time_to_universal_time */
    int64_t time_us = PEER_SIM_EPOCH_UTC_US; /* by this machine's clock */

    check(peer_graph_universal_time_to_peer_time(graph, time_us, &time_us));
    check(peer_graph_peer_time_to_universal_time(graph, time_us, &time_us));
    /* end */
    assert(time_us == PEER_SIM_EPOCH_UTC_US);
}

int main(void)
{
    struct scene scene = open_scene(0);
    peer_guid id = add(scene.alice);

    update(scene.alice, &id);
    enumerate(scene.alice);
    enumerate_views(scene.alice);
    batch(scene.alice, add_note(scene.alice, "old"), add_note(scene.alice, "done"));
    forget(scene.alice);
    delete (scene.alice, &id);
    convert(scene.bob);
    close_scene(&scene);
    return 0;
}

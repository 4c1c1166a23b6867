/*
 * A database from the file of an exported one (graph-api.md 7.5, 14; wire/archive.h). All of it is one transaction of the
 * store, which is filled in steps; until its end every other call for the graph is turned away (api/handle.c), and nothing
 * of the graph's own doing touches the store. Each record goes through the checks of those that neighbours send (6.8), and
 * of two copies the one that 6.9 prefers stays.
 */
#include "event/backlog.h"
#include "graph/parts.h"

/** Changes that are told under one lock. */
#define TOLD_A_STEP 1024u

int peer__graph_is_importing(const struct graph *graph)
{
    return graph->import != NULL;
}

/* ------------------------------------------------------------------------------------------------------------- beginning */

static peer_status check_state(const struct graph *graph)
{
    if (graph->dialler.online || !list_is_empty(&graph->links))
        return peer__fail(PEER_E_GRAPH_IN_USE, "\"%s\" listens or has connected; import right after open",
                          graph->graph_id);
    if (graph->was_created)
        return peer__fail(E_INVALIDARG,
                          "\"%s\" was created, not opened; only the database of an opened graph can be"
                          " imported",
                          graph->graph_id);
    return PEER_OK;
}

peer_status peer__graph_import_begin(struct graph *graph, struct graph_import *import)
{
    *import = (struct graph_import){.crypto = graph->engine->config.crypto, .progress.action = PEER_PROGRESS_IMPORT};
    PEER_TRY(check_state(graph));
    PEER_TRY(peer__graph_require_room(graph));
    peer__engine_enter(graph->engine);
    peer_status status = peer__graph_commit(graph);
    peer__engine_leave(graph->engine);
    PEER_TRY(status);
    PEER_TRY(graph->store->operations->last_seq(graph->store, &import->began_seq));
    import->is_told = !list_is_empty(&graph->subscriptions);
    graph->import = import;
    return PEER_OK;
}

/* The timers that did nothing meanwhile (see peer__graph_is_importing). */
static void resume(struct graph *graph)
{
    graph->import = NULL;
    peer__graph_expiry_now(graph);
    (void)peer__graph_load_autorefresh(graph);
}

static void free_import(struct graph_import *import)
{
    peer__record_release(import->info_record);
    import->info_record = NULL;
    peer__buffer_free(&import->changes);
}

void peer__graph_import_drop(struct graph *graph, peer_status status)
{
    struct graph_import *import = graph->import;
    if (import == NULL)
        return;
    peer__graph_drop_effects(graph); /* there are none, but a transaction */
    if (status == PEER_E_DISK_FULL)
        peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    if (import->time_taken) { /* by differences: the clock may have been stepped since */
        graph->time_delta += import->delta_before;
        graph->clock_step += import->step_before;
        graph->time_known = 0;
    }
    free_import(import);
    resume(graph);
}

/* ------------------------------------------------------------------------------------------------------------- head */

static int is_ours(const struct buffer *ours, struct span text)
{
    return peer__span_equal((struct span){ours->data, ours->size}, text);
}

peer_status peer__graph_import_head(struct graph *graph, const struct archive_head *head)
{
    struct graph_import *import = graph->import;
    int64_t delta = graph->time_delta;
    int64_t step = graph->clock_step;
    if (!is_ours(&graph->graph_id_wire, head->graph_id))
        return peer__fail(PEER_E_INVALID_DATABASE, "the file is of another graph than \"%s\"", graph->graph_id);
    if (!is_ours(&graph->peer_id_wire, head->peer_id))
        return peer__fail(PEER_E_INVALID_DATABASE, "the file is of another peer than \"%s\"", graph->peer_id);
    import->makes_ready = head->ready;
    import->left = head->left;
    peer_status status = peer__graph_take_time(graph, head, &import->time_taken);
    import->delta_before = delta - graph->time_delta;
    import->step_before = step - graph->clock_step;
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- records */

/* A copy that this import brought itself, and that a later one replaces, is part of the same change. */
static int32_t change_with(const struct graph_import *import, const struct held *held, int32_t change)
{
    if (!held->found || held->seq <= import->began_seq || held->seq - import->began_seq > import->changes.size)
        return change;
    int32_t first = import->changes.data[held->seq - import->began_seq - 1];
    return first == 0 || change == 0 ? first | change : peer__record_change_merge(first, change);
}

static peer_status note_change(struct graph_import *import, const struct held *held, int32_t change)
{
    if (!import->is_told)
        return PEER_OK;
    change = change_with(import, held, change);
    peer__buffer_u8(&import->changes, (uint8_t)change);
    return import->changes.failed ? peer__out_of_memory() : PEER_OK;
}

static peer_status put(struct graph *graph, struct record *record, uint32_t local_flags, const struct held *held)
{
    struct graph_import *import = graph->import;
    uint64_t seq;
    PEER_TRY(note_change(import, held, peer__graph_change_of(graph, &record->fields, held)));
    PEER_TRY(peer__graph_put_row(graph, record, local_flags, 0, &seq));
    import->has_autorefresh |= (local_flags & (uint32_t)PEER_RECORD_FLAG_AUTOREFRESH) != 0;
    if (peer__guid_equal(&record->fields.type, &peer__type_graph_info)) {
        peer__record_release(import->info_record);
        import->info_record = peer__record_retain(record);
    }
    return PEER_OK;
}

static peer_status put_if_newer(struct graph *graph, struct record *record, uint32_t local_flags)
{
    struct held held;
    PEER_TRY(peer__graph_find(graph, &record->fields.id, &held));
    peer_status status = PEER_OK;
    if (!held.found || peer__record_compare(&record->fields, &held.record->fields) > 0) {
        status = peer__graph_check_limits(graph, record, held.record);
        if (status >= 0)
            status = put(graph, record, local_flags, &held);
    }
    peer__record_release(held.record);
    return status;
}

static peer_status take_record(struct graph *graph, struct record *record, uint32_t local_flags)
{
    int valid;
    if (peer__type_is_of_the_moment(&record->fields.type))
        return PEER_OK;
    PEER_TRY(peer__graph_check_received(graph, &record->fields, &valid));
    return valid ? put_if_newer(graph, record, local_flags & (uint32_t)PEER_RECORD_FLAG_AUTOREFRESH) : PEER_OK;
}

peer_status peer__graph_import_records(struct graph *graph, struct reader *body, size_t record_max)
{
    struct graph_import *import = graph->import;
    struct archive_record item;
    for (size_t i = 0; i < record_max && peer__archive_read_record(body, &item); i++) {
        struct record *record;
        import->record_count++;
        peer_status status = peer__record_decode(item.wire, &record);
        if (status == PEER_E_INVALID_RECORD)
            continue; /* 6.8 rule 1 */
        PEER_TRY(status);
        status = take_record(graph, record, item.local_flags);
        peer__record_release(record);
        PEER_TRY(status);
    }
    return body->failed ? peer__fail(PEER_E_INVALID_DATABASE,
                                     "the file of the exported database is damaged: a record does not fit its piece")
                        : PEER_OK;
}

void peer__graph_import_progress(struct graph *graph, struct graph_import *import, uint64_t done, uint64_t total)
{
    import->progress.done = done;
    import->progress.total = total;
    peer__graph_tell_progress(graph, &import->progress);
}

/* ------------------------------------------------------------------------------------------------------------- the end */

static int becomes_ready(const struct graph *graph)
{
    return graph->import->makes_ready && (graph->info_record != NULL || graph->import->info_record != NULL);
}

static peer_status write_settings(struct graph *graph)
{
    const struct graph_import *import = graph->import;
    if (becomes_ready(graph)) {
        PEER_TRY(peer__setting_put_u64(graph->store, "ready", 1));
        if (import->left > graph->left) /* what both have is all up to the later of the two */
            PEER_TRY(peer__setting_put_u64(graph->store, "left", import->left));
    }
    return import->has_autorefresh ? peer__graph_expect_autorefresh(graph) : PEER_OK;
}

/* As open does after it has loaded a database. */
static void apply(struct graph *graph)
{
    struct graph_import *import = graph->import;
    uint64_t last_seq = graph->last_seq;
    if (becomes_ready(graph)) {
        graph->ready = 1;
        graph->left = import->left > graph->left ? import->left : graph->left;
    }
    if (graph->store->operations->last_seq(graph->store, &last_seq) >= 0)
        graph->last_seq = last_seq;
    import->ended_seq = graph->last_seq;
    graph->expired_through = peer__graph_now(graph); /* what expired before is no news */
    if (import->info_record != NULL)
        peer__graph_take_info(graph, import->info_record, 1);
    peer__record_release(import->info_record);
    import->info_record = NULL;
    resume(graph);
    peer__graph_maintain_store(graph);
}

peer_status peer__graph_import_end(struct graph *graph, uint64_t record_count, struct store **store_out)
{
    struct store *store = graph->store;
    *store_out = NULL;
    if (graph->import->record_count != record_count)
        return peer__fail(PEER_E_INVALID_DATABASE, "the file of the exported database is damaged: records are missing");
    PEER_TRY(write_settings(graph));
    if (store->operations->commit_begin == NULL)
        return store->operations->commit(store);
    store->operations->commit_begin(store);
    *store_out = store;
    return PEER_OK;
}

peer_status peer__graph_import_commit(struct store *store)
{
    return store->operations->commit_apart(store);
}

void peer__graph_import_apply(struct graph *graph)
{
    peer__engine_enter(graph->engine);
    apply(graph);
    peer__engine_leave(graph->engine);
}

/* ------------------------------------------------------------------------------------------------------------- events */

struct telling {
    struct graph *graph;
    const struct graph_import *import;
};

/* The seq of a row says the how manyth change it was: the store gave them without a gap. */
static int tell_row(void *context, const struct store_row *row)
{
    const struct telling *telling = context;
    uint64_t index = row->seq - telling->import->began_seq - 1;
    if (index < telling->import->changes.size && telling->import->changes.data[index] != 0 &&
        !peer__type_is_reserved(&row->type))
        peer__graph_tell(telling->graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                                            .type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                                            .change = telling->import->changes.data[index],
                                                            .record_id = row->id,
                                                            .record_type = row->type});
    return 0;
}

peer_status peer__graph_import_tell(struct graph *graph, struct graph_import *import, int *more_out)
{
    struct telling telling = {graph, import};
    const struct store_scan scan = {.seq_max = import->ended_seq};
    int end = !import->is_told;
    if (!import->position.started)
        import->position = (struct store_position){.seq = import->began_seq, .started = 1};
    if (!end)
        PEER_TRY(graph->store->operations->scan(graph->store, &scan, &import->position, 0, TOLD_A_STEP, tell_row,
                                                &telling, &end));
    if (end)
        peer__graph_tell_status(graph); /* SYNCHRONIZED never overtakes the changes (decisions.md 17) */
    *more_out = !end;
    return PEER_OK;
}

void peer__graph_import_free(struct graph_import *import)
{
    free_import(import);
}

/*
 * The database as a file (graph-api.md 7.5, 14; wire/archive.h), in pieces, so that a large one keeps nobody waiting. What
 * is stored meanwhile goes to the end of the order (base/store.h), so the file has what was there when the last piece was
 * read, and of what changed since the first also the older copy, which the importer drops (6.9).
 */
#include "graph/parts.h"

/** Rows that are looked at under one lock: a millisecond or two. */
#define ROWS_A_STEP 512u

peer_status peer__graph_export_begin(struct graph *graph, struct graph_export *export, struct buffer *out)
{
    const struct archive_head head = {.ready = graph->ready,
                                      .time_delta = graph->time_delta,
                                      .clock_step = graph->clock_step,
                                      .time_known = graph->time_known,
                                      .left = graph->left,
                                      .graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size},
                                      .peer_id = {graph->peer_id_wire.data, graph->peer_id_wire.size}};
    *export = (struct graph_export){.crypto = graph->engine->config.crypto, .progress.action = PEER_PROGRESS_EXPORT};
    PEER_TRY(graph->store->operations->bytes(graph->store, (struct span){0}, &export->progress.total));
    PEER_TRY(peer__archive_begin(&export->writer, &export->crypto, out));
    peer__archive_write_head(&export->writer, out, &head);
    return PEER_OK;
}

struct visit {
    struct graph_export *export;
    struct buffer *out;
    size_t began;
};

/* What only describes those who are there is not loaded by open either (3.1.4.2). */
int peer__type_is_of_the_moment(const peer_guid *type)
{
    return peer__guid_equal(type, &peer__type_presence) || peer__guid_equal(type, &peer__type_signature) ||
           peer__guid_equal(type, &peer__type_contact);
}

static int write_row(void *context, const struct store_row *row)
{
    struct visit *visit = context;
    struct progress *progress = &visit->export->progress;
    progress->done += row->wire.size + STORE_ROW_OVERHEAD;
    if (progress->done >= progress->total) /* more has come since; it is not the end yet */
        progress->done = progress->total > 0 ? progress->total - 1 : 0;
    if (!peer__type_is_of_the_moment(&row->type))
        peer__archive_write_record(&visit->export->writer, visit->out,
                                   &(struct archive_record){.local_flags = row->local_flags, .wire = row->wire});
    return visit->out->failed || visit->out->size - visit->began >= ARCHIVE_PIECE_SIZE;
}

static peer_status write_records(struct graph *graph, struct graph_export *export, struct buffer *out)
{
    struct visit visit = {.export = export, .out = out, .began = out->size};
    const struct store_scan scan = {.seq_max = UINT64_MAX};
    int end = 0;
    peer__archive_begin_records(&export->writer, out);
    PEER_TRY(graph->store->operations->scan(graph->store, &scan, &export->position, 1, ROWS_A_STEP, write_row, &visit,
                                            &end));
    export->all_written = end;
    return PEER_OK;
}

peer_status peer__graph_export_step(struct graph *graph, struct graph_export *export, struct buffer *out)
{
    if (export->all_written) {
        peer__archive_write_end(&export->writer, out);
        export->ended = 1;
        export->progress.done = export->progress.total;
    } else {
        peer__engine_enter(graph->engine);
        (void)peer__graph_commit(graph); /* what is not could still be dropped */
        peer__engine_leave(graph->engine);
        PEER_TRY(write_records(graph, export, out));
    }
    peer__graph_tell_progress(graph, &export->progress);
    return PEER_OK;
}

peer_status peer__graph_export_seal(struct graph_export *export, struct buffer *out)
{
    return peer__archive_seal(&export->writer, &export->crypto, out);
}

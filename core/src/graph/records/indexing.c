/* Databases that were written before there were searches: their records are put once more, where they stand. */
#include "graph/parts.h"

/** Grows when more than before is to be found. */
#define SEARCHABLE 1u
#define INDEXED_ROWS 256u
#define INDEXED_BYTES (4u * 1024 * 1024)

struct indexing {
    struct buffer items; /* struct indexed_row */
    size_t bytes;
    peer_status status;
};

struct indexed_row {
    uint64_t seq;
    uint32_t local_flags;
    struct record *record;
};

static int take_old_row(void *context, const struct store_row *row)
{
    struct indexing *indexing = context;
    struct indexed_row item = {.seq = row->seq, .local_flags = row->local_flags};
    indexing->status = peer__record_decode(row->wire, &item.record);
    if (indexing->status == PEER_E_INVALID_RECORD) { /* whoever reads it will hear of it */
        indexing->status = PEER_OK;
        return 0;
    }
    if (indexing->status < 0)
        return 1;
    peer__buffer_append(&indexing->items, &item, sizeof(item));
    if (indexing->items.failed) {
        peer__record_release(item.record);
        indexing->status = peer__out_of_memory();
    }
    indexing->bytes += row->wire.size;
    return indexing->status < 0 || indexing->bytes >= INDEXED_BYTES;
}

static peer_status put_old_rows(struct graph *graph, struct indexing *indexing)
{
    struct indexed_row *items = (struct indexed_row *)(void *)indexing->items.data;
    size_t count = indexing->items.size / sizeof(*items);
    peer_status status = indexing->status;
    for (size_t i = 0; i < count; i++) {
        uint64_t seq;
        if (status >= 0)
            status = peer__graph_put_row(graph, items[i].record, items[i].local_flags, items[i].seq, &seq);
        peer__record_release(items[i].record);
    }
    peer__buffer_clear(&indexing->items);
    indexing->bytes = 0;
    return status >= 0 ? graph->store->operations->commit(graph->store) : status;
}

peer_status peer__graph_make_searchable(struct graph *graph)
{
    struct store *store = graph->store;
    const struct store_scan scan = {.seq_max = UINT64_MAX};
    struct store_position position = {0};
    struct indexing indexing = {0};
    uint64_t searchable;
    int end = 0;
    PEER_TRY(peer__setting_get_u64(store, "searchable", &searchable));
    if (searchable >= SEARCHABLE)
        return PEER_OK;
    peer_status status = PEER_OK;
    while (status >= 0 && !end) {
        status = store->operations->scan(store, &scan, &position, 1, INDEXED_ROWS, take_old_row, &indexing, &end);
        if (status >= 0)
            status = indexing.status;
        indexing.status = status;
        status = put_old_rows(graph, &indexing);
    }
    peer__buffer_free(&indexing.items);
    PEER_TRY(status);
    PEER_TRY(peer__setting_put_u64(store, "searchable", SEARCHABLE));
    return store->operations->commit(store);
}

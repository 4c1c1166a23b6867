/*
 * What the records of a graph may hold on this node (decisions.md 6): all together, and those of one creator. Beyond that
 * a neighbour's record is neither stored nor acknowledged nor forwarded, and a call of the application fails.
 */
#include "base/text.h"
#include "graph/parts.h"

#define DATABASE_BYTES_DEFAULT (UINT64_C(1024) * 1024 * 1024)
/** Tombstones and the graph's own records may take so much more: else nothing could be deleted, and nobody found. */
#define RESERVE_SHARE 16u
#define TEXT_SHOWN "%.60s"

void peer__graph_set_limits(struct graph *graph, const struct graph_limits *limits)
{
    graph->limits = *limits;
    if (graph->limits.database_bytes == 0)
        graph->limits.database_bytes = DATABASE_BYTES_DEFAULT;
    if (graph->limits.bytes_per_creator == 0)
        graph->limits.bytes_per_creator = UINT64_MAX;
}

static uint64_t size_of(const struct record *record)
{
    return record != NULL ? record->wire_size + STORE_ROW_OVERHEAD : 0;
}

static uint64_t with_reserve(uint64_t limit, const struct record_fields *fields)
{
    int is_privileged = (fields->flags & RECORD_FLAG_DELETED) != 0 || peer__type_is_reserved(&fields->type);
    return is_privileged && limit < UINT64_MAX / 2 ? limit + limit / RESERVE_SHARE : limit;
}

static peer_status creator_is_full(const struct graph *graph, struct span creator_id, uint64_t bytes)
{
    char *creator = peer__utf8_from_utf16(creator_id);
    peer_status status = peer__fail(PEER_E_DATABASE_FULL,
                                    "the records of \"" TEXT_SHOWN "\" hold %llu bytes, and max_bytes_per_creator is"
                                    " %llu: delete some first",
                                    creator != NULL ? creator : "", (unsigned long long)bytes,
                                    (unsigned long long)graph->limits.bytes_per_creator);
    peer__free(creator);
    return status;
}

/* Whether what `creator_id` holds (size 0: everybody) may grow so much. */
static peer_status check(struct graph *graph, const struct record_fields *fields, struct span creator_id,
                         uint64_t limit, uint64_t growth)
{
    uint64_t bytes;
    if (limit == UINT64_MAX)
        return PEER_OK;
    PEER_TRY(graph->store->operations->bytes(graph->store, creator_id, &bytes));
    limit = with_reserve(limit, fields);
    if (bytes <= limit && growth <= limit - bytes)
        return PEER_OK;
    if (creator_id.size > 0)
        return creator_is_full(graph, creator_id, bytes);
    return peer__fail(PEER_E_DATABASE_FULL,
                      "the records of \"" TEXT_SHOWN "\" hold %llu bytes, and max_database_bytes is %llu:"
                      " delete some first",
                      graph->graph_id, (unsigned long long)bytes, (unsigned long long)graph->limits.database_bytes);
}

peer_status peer__graph_check_limits(struct graph *graph, const struct record *record, const struct record *held)
{
    const struct record_fields *fields = &record->fields;
    uint64_t before = size_of(held);
    uint64_t after = size_of(record);
    int is_of_the_same = held != NULL && peer__span_equal(held->fields.creator_id, fields->creator_id);
    if (peer__guid_equal(&fields->type, &peer__type_graph_info)) /* without it nobody could join */
        return PEER_OK;
    if (after > before)
        PEER_TRY(check(graph, fields, (struct span){0}, graph->limits.database_bytes, after - before));
    uint64_t creators_before = is_of_the_same ? before : 0;
    if (after > creators_before)
        return check(graph, fields, fields->creator_id, graph->limits.bytes_per_creator, after - creators_before);
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------- when there is room again */

/* Of several records that were refused the smallest is waited for, but the creator's limit is the last one's. */
void peer__graph_note_shortage(struct graph *graph, const struct record *record)
{
    struct shortage *shortage = &graph->shortage;
    struct span creator_id = record->fields.creator_id;
    struct span noted = {shortage->creator_id.data, shortage->creator_id.size};
    uint64_t size = size_of(record);
    if ((graph->storage_full & STORAGE_LIMIT) == 0 || !peer__span_equal(noted, creator_id) || size < shortage->bytes)
        shortage->bytes = size;
    if (!peer__span_equal(noted, creator_id)) {
        peer__buffer_clear(&shortage->creator_id);
        peer__buffer_append(&shortage->creator_id, creator_id.data, creator_id.size);
        if (shortage->creator_id.failed) /* then only the limit for all is looked at */
            peer__buffer_free(&shortage->creator_id);
    }
    peer__graph_set_storage_full(graph, STORAGE_LIMIT, 1);
}

static int has_room_for(struct graph *graph, struct span creator_id, uint64_t limit)
{
    uint64_t bytes;
    uint64_t needed = graph->shortage.bytes;
    if (limit == UINT64_MAX)
        return 1;
    if (graph->store->operations->bytes(graph->store, creator_id, &bytes) < 0)
        return 0;
    return bytes <= limit && needed <= limit - bytes;
}

int peer__graph_shortage_is_over(struct graph *graph)
{
    struct span creator_id = {graph->shortage.creator_id.data, graph->shortage.creator_id.size};
    return has_room_for(graph, (struct span){0}, graph->limits.database_bytes) &&
           (creator_id.size == 0 || has_room_for(graph, creator_id, graph->limits.bytes_per_creator));
}

/* One record in and out of the store, and when a record is hidden. */
#include "graph/state.h"

struct find_context {
    struct held *held;
    peer_status status;
};

static int take_row(void *context, const struct store_row *row)
{
    struct find_context *find = context;
    find->status = peer__record_decode(row->wire, &find->held->record);
    find->held->local_flags = row->local_flags;
    find->held->seq = row->seq;
    return 1;
}

peer_status peer__graph_find(struct graph *graph, const peer_guid *id, struct held *held_out)
{
    struct held held = {0};
    struct find_context find = {.held = &held};
    peer_status status = graph->store->operations->get(graph->store, id, 1, take_row, &find);
    if (status == PEER_E_RECORD_NOT_FOUND) {
        *held_out = held;
        return PEER_OK;
    }
    PEER_TRY(status);
    if (find.status == PEER_E_INVALID_RECORD) {
        char text[37];
        peer__guid_format(id, text);
        return peer__fail(PEER_E_INVALID_DATABASE, "record %s in the database of \"%s\" is damaged", text,
                          graph->graph_id);
    }
    PEER_TRY(find.status);
    held.found = 1;
    *held_out = held;
    return PEER_OK;
}

peer_status peer__graph_put(struct graph *graph, struct record *record, int32_t change, uint64_t source)
{
    return peer__graph_put_flagged(graph, record, change, source, 0);
}

struct store_row peer__record_row(const struct record *record, uint32_t local_flags)
{
    const struct record_fields *fields = &record->fields;
    return (struct store_row){.id = fields->id,
                              .type = fields->type,
                              .version = fields->version,
                              .flags = fields->flags,
                              .local_flags = local_flags,
                              .modified = fields->modified,
                              .expires = fields->expires,
                              .creator_id = fields->creator_id,
                              .wire = {record->wire, record->wire_size}};
}

peer_status peer__graph_put_flagged(struct graph *graph, struct record *record, int32_t change, uint64_t source,
                                    uint32_t local_flags)
{
    const struct store_row row = peer__record_row(record, local_flags);
    struct effect effect = {
        .kind = EFFECT_STORED, .connection_id = source, .change = change, .record_id = row.id, .record = record};
    PEER_TRY(peer__graph_reserve_effect(graph)); /* a record without its effects would be stored and never told */
    PEER_TRY(graph->store->operations->put(graph->store, &row, &effect.seq));
    return peer__graph_add_effect(graph, &effect);
}

/* 1.3.5.2: expired records are neither shown nor sent. With deferred expiration nothing expires while we are alone. The
 * graph's information is exempt: without it nobody could join any more (D-23, decisions.md 15). */
int peer__time_is_expired(const struct graph *graph, const peer_guid *type, uint64_t expires)
{
    if (peer__guid_equal(type, &peer__type_graph_info))
        return 0;
    if ((graph->info.flags & GRAPH_INFO_FLAG_DEFER_EXPIRATION) != 0 && graph->neighbour_count == 0)
        return 0;
    return expires <= peer__graph_now(graph);
}

int peer__record_is_hidden(const struct graph *graph, const struct record_fields *fields)
{
    return (fields->flags & RECORD_FLAG_DELETED) != 0 || peer__time_is_expired(graph, &fields->type, fields->expires);
}

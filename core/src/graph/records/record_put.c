/* One record in and out of the store, what a search finds of it, and when it is hidden. */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

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

/* The graph's own records are not searched. Attributes were checked before they got here; should an older version have let
 * others pass, they are not found. */
static peer_status index_attributes(const struct graph *graph, const struct record_fields *fields, struct buffer *out)
{
    if (fields->attributes.size == 0 || peer__type_is_reserved(&fields->type))
        return PEER_OK;
    char *text = peer__utf8_from_utf16(fields->attributes);
    if (text == NULL)
        return peer__out_of_memory();
    peer_status status = graph->engine->config.schema.index_attributes(text, strlen(text), out);
    peer__free(text);
    if (status == PEER_E_INVALID_ATTRIBUTES || status == PEER_E_TOO_MANY_ATTRIBUTES) {
        peer__buffer_clear(out);
        return PEER_OK;
    }
    return status;
}

peer_status peer__graph_put_row(struct graph *graph, const struct record *record, uint32_t local_flags, uint64_t seq,
                                uint64_t *seq_out)
{
    const struct record_fields *fields = &record->fields;
    struct buffer attributes = {0};
    struct store_row row = {.seq = seq,
                            .id = fields->id,
                            .type = fields->type,
                            .version = fields->version,
                            .flags = fields->flags,
                            .local_flags = local_flags,
                            .modified = fields->modified,
                            .expires = fields->expires,
                            .creator_id = fields->creator_id,
                            .wire = {record->wire, record->wire_size},
                            .created = fields->created,
                            .modifier_id = fields->modifier_id};
    peer_status status = index_attributes(graph, fields, &attributes);
    row.attributes = (struct span){attributes.data, attributes.size};
    if (status >= 0)
        status = peer__record_element(&graph->engine->config.crypto, row.wire, row.element);
    if (status >= 0)
        status = graph->store->operations->put(graph->store, &row, seq_out);
    peer__buffer_free(&attributes);
    return status;
}

peer_status peer__graph_put(struct graph *graph, struct record *record, int32_t change, uint64_t source)
{
    return peer__graph_put_flagged(graph, record, change, source, 0);
}

peer_status peer__graph_put_flagged(struct graph *graph, struct record *record, int32_t change, uint64_t source,
                                    uint32_t local_flags)
{
    struct effect effect = {.kind = EFFECT_STORED,
                            .connection_id = source,
                            .change = change,
                            .record_id = record->fields.id,
                            .record = record};
    PEER_TRY(peer__graph_reserve_effect(graph)); /* a record without its effects would be stored and never told */
    PEER_TRY(peer__graph_put_row(graph, record, local_flags, 0, &effect.seq));
    return peer__graph_add_effect(graph, &effect);
}

int peer__graph_expires_nothing(const struct graph *graph)
{
    return (graph->info.flags & GRAPH_INFO_FLAG_DEFER_EXPIRATION) != 0 && graph->neighbour_count == 0;
}

/* 1.3.5.2: expired records are neither shown nor sent. With deferred expiration nothing expires while we are alone. The
 * graph's information is exempt: without it nobody could join any more (D-23, decisions.md 15). */
int peer__time_is_expired(const struct graph *graph, const peer_guid *type, uint64_t expires)
{
    if (peer__guid_equal(type, &peer__type_graph_info) || peer__graph_expires_nothing(graph))
        return 0;
    return expires <= peer__graph_now(graph);
}

int peer__record_is_hidden(const struct graph *graph, const struct record_fields *fields)
{
    return (fields->flags & RECORD_FLAG_DELETED) != 0 || peer__time_is_expired(graph, &fields->type, fields->expires);
}

/* Walks over the records of a range in the order (modification time, id), a piece a turn. */
#include <string.h>

#include "graph/parts.h"

struct wire_bound peer__row_bound(const struct store_row *row)
{
    return (struct wire_bound){.modified = row->modified, .record_id = row->id};
}

void peer__row_listed(const struct store_row *row, struct wire_listed *listed_out)
{
    *listed_out = (struct wire_listed){.record_id = row->id, .version = row->version};
    memcpy(listed_out->digest, row->element, sizeof(listed_out->digest));
}

/* A scan goes on behind a record, so this one stands before the bound, whether there is such a record or not. */
static void place_before(const struct wire_bound *bound, struct store_position *position)
{
    size_t at = sizeof(bound->record_id.bytes);
    *position = (struct store_position){.modified = bound->modified, .id = bound->record_id};
    if (peer__guid_is_zero(&bound->record_id))
        return; /* from the first of its time on */
    while (position->id.bytes[at - 1]-- == 0)
        at--;
    position->started = 1;
}

void peer__range_walk_start(struct range_walk *walk, const struct wire_bound *lower, const struct wire_bound *upper)
{
    walk->upper = *upper;
    walk->since = lower->modified;
    walk->done = 0;
    walk->status = PEER_OK;
    place_before(lower, &walk->position);
}

/* decisions.md 9: both sides leave out what will have expired when they are done. */
static int is_counted(const struct range_walk *walk, const struct store_row *row)
{
    return row->expires > walk->cutoff || peer__guid_equal(&row->type, &peer__type_graph_info);
}

static int visit_row(void *context, const struct store_row *row)
{
    struct range_walk *walk = context;
    struct wire_bound bound = peer__row_bound(row);
    if (peer__bound_compare(&bound, &walk->upper) >= 0) {
        walk->done = 1;
        return 1;
    }
    --*walk->budget;
    if (!is_counted(walk, row))
        return 0;
    if (!peer__element_is_known(row->element)) {
        walk->unknown = *row;
        return 1;
    }
    walk->done = walk->visit(walk->context, row);
    return walk->done;
}

struct row_copy {
    const struct crypto *crypto;
    struct store_row row;
    peer_status status;
};

static int copy_row(void *context, const struct store_row *row)
{
    struct row_copy *copy = context;
    copy->row = *row;
    if (!peer__element_is_known(row->element) && row->wire.size > 0)
        copy->status = peer__record_element(copy->crypto, row->wire, copy->row.element);
    copy->row.creator_id = copy->row.wire = (struct span){0};
    return 1;
}

peer_status peer__range_find(struct link *link, const peer_guid *id, struct store_row *row_out)
{
    struct store *store = link->graph->store;
    struct row_copy copy = {.crypto = &link->engine->config.crypto};
    PEER_TRY(store->operations->get(store, id, 0, copy_row, &copy));
    if (!peer__element_is_known(copy.row.element)) /* stored by an earlier version */
        PEER_TRY(store->operations->get(store, id, 1, copy_row, &copy));
    *row_out = copy.row;
    return copy.status;
}

static peer_status visit_unknown(struct range_walk *walk)
{
    struct store_row row;
    PEER_TRY(peer__range_find(walk->link, &walk->unknown.id, &row));
    walk->done = walk->visit(walk->context, &row);
    return PEER_OK;
}

peer_status peer__range_walk_step(struct range_walk *walk, size_t *budget)
{
    const struct store_scan scan = {.by_modified = 1, .since = walk->since, .seq_max = UINT64_MAX};
    struct store *store = walk->link->graph->store;
    walk->budget = budget;
    while (!walk->done && *budget > 0) {
        int end = 0;
        walk->unknown = (struct store_row){0};
        PEER_TRY(store->operations->scan(store, &scan, &walk->position, 0, *budget, visit_row, walk, &end));
        if (walk->unknown.seq != 0)
            PEER_TRY(visit_unknown(walk));
        else if (end)
            walk->done = 1;
    }
    return walk->status;
}

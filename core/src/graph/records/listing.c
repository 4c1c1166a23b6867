/*
 * Listing what a graph shows, in pieces, so that a large database keeps nobody waiting. The result is what was there when
 * the last piece was read: what is stored meanwhile goes to the end of the order (base/store.h), so that it is seen, and
 * its older place is struck out.
 */
#include "base/text.h"
#include "graph/parts.h"

#include <stdlib.h>
#include <string.h>

/* A record that was stored after the listing had begun. */
struct late_row {
    peer_guid id;
    uint32_t order;
    int32_t is_shown; /* 0: its deletion */
};

void peer__graph_listing_free(struct graph_listing *listing)
{
    peer__buffer_free(&listing->creator_id);
    peer__buffer_free(&listing->ids);
    peer__buffer_free(&listing->late);
}

/* What is not committed must not be shown. A failure drops it, and reading goes on without it. */
static void commit(struct graph *graph)
{
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph);
    peer__engine_leave(graph->engine);
}

peer_status peer__graph_listing_begin(struct graph *graph, const peer_guid *type, const char *creator_id,
                                      struct graph_listing *listing)
{
    *listing = (struct graph_listing){.has_type = type != NULL};
    PEER_TRY(peer__graph_require_ready(graph));
    if (type != NULL)
        listing->type = *type;
    if (creator_id != NULL && *creator_id != '\0' && peer__utf16_append(&listing->creator_id, creator_id) < 0)
        return peer__fail(E_INVALIDARG, "creator_id is not well-formed UTF-8");
    if (listing->creator_id.failed)
        return peer__out_of_memory();
    commit(graph); /* the number of a row that is rolled back may be given again */
    return graph->store->operations->last_seq(graph->store, &listing->began_seq);
}

struct visit {
    const struct graph *graph;
    struct graph_listing *listing;
};

static int visit_row(void *context, const struct store_row *row)
{
    const struct visit *visit = context;
    struct graph_listing *listing = visit->listing;
    int is_shown = (row->flags & RECORD_FLAG_DELETED) == 0 &&
                   !peer__time_is_expired(visit->graph, &row->type, row->expires) &&
                   (listing->has_type || !peer__type_is_reserved(&row->type));
    if (row->seq > listing->began_seq) {
        uint32_t order = (uint32_t)(listing->late.size / sizeof(struct late_row));
        struct late_row late = {row->id, order, is_shown};
        peer__buffer_append(&listing->late, &late, sizeof(late));
    } else if (is_shown) {
        peer__buffer_guid(&listing->ids, &row->id);
    }
    return listing->ids.failed || listing->late.failed;
}

peer_status peer__graph_listing_step(struct graph *graph, struct graph_listing *listing, size_t row_max, int *end_out)
{
    struct visit visit = {graph, listing};
    struct store_scan scan = {.type = listing->has_type ? &listing->type : NULL,
                              .creator_id = {listing->creator_id.data, listing->creator_id.size},
                              .seq_max = UINT64_MAX};
    int end = 0;
    commit(graph);
    PEER_TRY(
        graph->store->operations->scan(graph->store, &scan, &listing->position, 0, row_max, visit_row, &visit, &end));
    if (listing->ids.failed || listing->late.failed)
        return peer__out_of_memory();
    *end_out = end;
    return PEER_OK;
}

/* --- the result ------------------------------------------------------------------------------------------------------- */

/* The latest first. */
static int compare_late(const void *a, const void *b)
{
    const struct late_row *one = a;
    const struct late_row *two = b;
    int order = peer__guid_compare(&one->id, &two->id);
    if (order != 0)
        return order;
    return one->order > two->order ? -1 : one->order < two->order;
}

static int compare_order(const void *a, const void *b)
{
    const struct late_row *one = a;
    const struct late_row *two = b;
    return one->order < two->order ? -1 : one->order > two->order;
}

static int find_late(const void *id, const void *row)
{
    return peer__guid_compare(id, &((const struct late_row *)row)->id);
}

/* What was seen several times counts as it was last. Returns how many records remain. */
static size_t keep_latest(struct late_row *rows, size_t count)
{
    size_t kept = 0;
    qsort(rows, count, sizeof(*rows), compare_late);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !peer__guid_equal(&rows[kept - 1].id, &rows[i].id))
            rows[kept++] = rows[i];
    }
    return kept;
}

peer_status peer__graph_listing_finish(struct graph_listing *listing, peer_guid **ids_out, size_t *count_out)
{
    struct late_row *late = (struct late_row *)(void *)listing->late.data;
    size_t late_count = listing->late.size / sizeof(*late);
    size_t before = listing->ids.size / sizeof(peer_guid);
    size_t count = 0;
    if (late_count > 0) {
        (void)peer__buffer_reserve(&listing->ids, late_count * sizeof(peer_guid));
        if (listing->ids.failed)
            return peer__out_of_memory();
        late_count = keep_latest(late, late_count);
    }
    peer_guid *ids = (peer_guid *)(void *)listing->ids.data;
    for (size_t i = 0; i < before; i++) {
        if (late_count == 0 || bsearch(&ids[i], late, late_count, sizeof(*late), find_late) == NULL)
            ids[count++] = ids[i];
    }
    if (late_count > 0)
        qsort(late, late_count, sizeof(*late), compare_order);
    for (size_t i = 0; i < late_count; i++) {
        if (late[i].is_shown)
            ids[count++] = late[i].id;
    }
    *ids_out = ids;
    *count_out = count;
    listing->ids = (struct buffer){0};
    return PEER_OK;
}

peer_status peer__graph_list(struct graph *graph, const peer_guid *type, const char *creator_id, peer_guid **ids_out,
                             size_t *count_out)
{
    struct graph_listing listing;
    int end = 0;
    peer_status status = peer__graph_listing_begin(graph, type, creator_id, &listing);
    while (status >= 0 && !end)
        status = peer__graph_listing_step(graph, &listing, SIZE_MAX, &end);
    if (status >= 0)
        status = peer__graph_listing_finish(&listing, ids_out, count_out);
    peer__graph_listing_free(&listing);
    return status;
}

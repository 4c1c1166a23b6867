/* Records of the application that this node keeps alive while it is there (MS-PPGRH 3.1.6.8, 3.1.7.22; spec 13.5, D-09,
 * D-24, D-30). */
#include "graph/parts.h"

#define SETTING "autorefresh"
#define START_US INT64_C(4000000) /* 7.2: after create and open */
#define PERIOD_US INT64_C(30000000)
#define REFRESH_BEFORE (90 * (int64_t)TICKS_PER_SECOND) /* 60 s (D-24) and a period, lest one is missed */
#define LIFETIME_OTHERWISE (300 * TICKS_PER_SECOND)
#define ROWS_A_TURN 256u

peer_status peer__graph_load_autorefresh(struct graph *graph)
{
    uint64_t has;
    PEER_TRY(peer__setting_get_u64(graph->store, SETTING, &has));
    graph->upkeep.has_autorefresh = has != 0;
    if (has != 0)
        peer__engine_timer_set(graph->engine, &graph->upkeep.autorefresh, START_US);
    return PEER_OK;
}

peer_status peer__graph_expect_autorefresh(struct graph *graph)
{
    if (!graph->upkeep.has_autorefresh)
        PEER_TRY(peer__setting_put_u64(graph->store, SETTING, 1));
    graph->upkeep.has_autorefresh = 1;
    if (graph->upkeep.autorefresh.place == 0)
        peer__engine_timer_set(graph->engine, &graph->upkeep.autorefresh, START_US);
    return PEER_OK;
}

struct found {
    struct buffer ids; /* peer_guid */
    size_t row_count;
    struct store_expiry last; /* row */
};

static int collect(void *context, const struct store_row *row)
{
    struct found *found = context;
    if ((row->local_flags & (uint32_t)PEER_RECORD_FLAG_AUTOREFRESH) != 0 && (row->flags & RECORD_FLAG_DELETED) == 0)
        peer__buffer_guid(&found->ids, &row->id);
    found->row_count++;
    found->last = (struct store_expiry){row->expires, row->seq};
    return found->ids.failed;
}

/* As long as it lived last time. */
static uint64_t next_expiration(const struct record_fields *held, uint64_t now)
{
    uint64_t lifetime = held->expires > held->modified ? held->expires - held->modified : LIFETIME_OTHERWISE;
    uint64_t expires = peer__ticks_add(now, lifetime <= INT64_MAX ? (int64_t)lifetime : INT64_MAX);
    return expires > held->expires ? expires : held->expires;
}

static peer_status refresh(struct graph *graph, const struct held *held)
{
    struct record *record;
    struct record_fields fields = held->record->fields;
    uint64_t now = peer__graph_now(graph);
    fields.version++;
    fields.modified = now > fields.modified ? now : fields.modified + 1;
    fields.expires = next_expiration(&held->record->fields, fields.modified);
    fields.modifier_id = (struct span){graph->peer_id_wire.data, graph->peer_id_wire.size};
    if (fields.version == 0)
        return PEER_OK; /* its last version */
    PEER_TRY(peer__record_encode(&fields, &record));
    peer_status status = peer__graph_put_flagged(graph, record, PEER_RECORD_UPDATED, 0, held->local_flags);
    peer__record_release(record);
    return status;
}

static peer_status refresh_id(struct graph *graph, const peer_guid *id)
{
    struct held held;
    PEER_TRY(peer__graph_find(graph, id, &held));
    peer_status status = held.found ? refresh(graph, &held) : PEER_OK;
    peer__record_release(held.record);
    return status;
}

static peer_status refresh_all(struct graph *graph, const struct found *found)
{
    const peer_guid *id = (const void *)found->ids.data;
    peer_status status = found->ids.failed ? peer__out_of_memory() : PEER_OK;
    for (size_t i = 0; i < found->ids.size / sizeof(*id) && status >= 0; i++)
        status = refresh_id(graph, &id[i]);
    if (status >= 0)
        return peer__graph_commit(graph);
    peer__graph_drop_effects(graph);
    return status;
}

/* One piece of what ends within the time, after `autorefreshed`; 1: there may be more. */
static int refresh_some(struct graph *graph)
{
    struct found found = {0};
    struct upkeep *upkeep = &graph->upkeep;
    uint64_t now = peer__graph_now(graph);
    struct store_expiry after = {now, UINT64_MAX};
    if (upkeep->autorefreshed.expires > now)
        after = upkeep->autorefreshed;
    peer_status status = graph->store->operations->expired(graph->store, &after, peer__ticks_add(now, REFRESH_BEFORE),
                                                           ROWS_A_TURN, collect, &found);
    if (status >= 0)
        status = refresh_all(graph, &found);
    peer__buffer_free(&found.ids);
    int more = status >= 0 && found.row_count >= ROWS_A_TURN;
    upkeep->autorefreshed = more ? found.last : (struct store_expiry){0};
    return more;
}

void peer__graph_autorefresh_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.autorefresh);
    int more =
        !peer__graph_is_importing(graph) && peer__graph_commit(graph) >= 0 && graph->ready && refresh_some(graph);
    peer__engine_timer_set(graph->engine, timer, more ? 0 : PERIOD_US);
}

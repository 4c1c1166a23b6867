/* Expiration (MS-PPGRH 3.1.6.7, 3.1.7.18; spec 13.4): told within 15 s, deleted when the clock is beyond doubt. */
#include "graph/parts.h"

#define EXPIRY_DELAY_MIN (15 * TICKS_PER_SECOND)
#define EXPIRY_DELAY_MAX (86400 * TICKS_PER_SECOND)
#define EXPIRED_A_TURN 256u
#define EXPIRED_A_SMALL_STEP 8u

static int is_deferred(const struct graph *graph) /* 13.4: nothing expires while there are no neighbours */
{
    return (graph->info.flags & GRAPH_INFO_FLAG_DEFER_EXPIRATION) != 0 && graph->neighbour_count == 0;
}

struct expired_row {
    uint64_t seq;
    peer_guid id;
    peer_guid type;
    uint64_t expires;
    uint32_t flags;
};

static int collect(void *context, const struct store_row *row)
{
    struct buffer *rows = context;
    struct expired_row expired = {
        .seq = row->seq, .id = row->id, .type = row->type, .expires = row->expires, .flags = row->flags};
    peer__buffer_append(rows, &expired, sizeof(expired));
    return rows->failed;
}

static void tell_expired(struct graph *graph, const struct expired_row *row)
{
    if ((row->flags & RECORD_FLAG_DELETED) != 0)
        return;
    if (peer__type_is_reserved(&row->type)) {
        peer__graph_note_internal_expired(graph, &row->type, &row->id);
        return;
    }
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                               .change = PEER_RECORD_EXPIRED,
                                               .record_id = row->id,
                                               .record_type = row->type});
}

/* Others choose when records expire: all of them at one moment, say. */
static struct store_expiry told_so_far(const struct graph *graph)
{
    if (graph->expired.expires == graph->expired_through + 1)
        return graph->expired;
    return (struct store_expiry){graph->expired_through, UINT64_MAX};
}

static void tell_again_from(struct graph *graph, uint64_t moment)
{
    graph->expired_through = moment;
    graph->expired = (struct store_expiry){0};
}

/* What expired since the last time is told, at most EXPIRED_A_TURN at once; 1: there may be more. */
static int tell_newly_expired(struct graph *graph, uint64_t now)
{
    struct buffer rows = {0};
    struct store_expiry after = told_so_far(graph);
    peer_status status = graph->store->operations->expired(graph->store, &after, now, EXPIRED_A_TURN, collect, &rows);
    const struct expired_row *row = (const void *)rows.data;
    size_t count = rows.size / sizeof(*row);
    for (size_t i = 0; i < count; i++) {
        if (!peer__guid_equal(&row[i].type, &peer__type_graph_info))
            tell_expired(graph, &row[i]);
    }
    int more = status >= 0 && !rows.failed && count >= EXPIRED_A_TURN;
    if (more) {
        graph->expired = (struct store_expiry){row[count - 1].expires, row[count - 1].seq};
        graph->expired_through = graph->expired.expires - 1;
    } else if (status >= 0 && !rows.failed && now > graph->expired_through) {
        graph->expired_through = now;
    }
    peer__buffer_free(&rows);
    return more;
}

/* Rows that were told are removed. */
static peer_status purge_some(struct graph *graph, uint64_t until, size_t row_max, int *more_out)
{
    struct buffer rows = {0};
    struct store *store = graph->store;
    size_t removed = 0;
    const struct store_expiry first = {0, 0};
    peer_status status = store->operations->expired(store, &first, until, row_max, collect, &rows);
    const struct expired_row *row = (const void *)rows.data;
    size_t count = rows.size / sizeof(*row);
    for (size_t i = 0; i < count && status >= 0; i++) {
        if (peer__guid_equal(&row[i].type, &peer__type_graph_info))
            continue;
        status = store->operations->remove(store, &row[i].id);
        removed++;
    }
    *more_out = removed > 0 && count >= row_max;
    peer__buffer_free(&rows);
    if (status >= 0)
        status = store->operations->commit(store);
    if (status < 0) /* later again; until then the store must not be left in its failure */
        store->operations->rollback(store);
    return status;
}

/* 1: there may be more. On a full disk what was kept for deletions serves this one too, in small steps. */
static int purge(struct graph *graph, uint64_t now)
{
    struct engine *engine = graph->engine;
    uint64_t until = now < graph->expired_through ? now : graph->expired_through;
    int more = 0;
    peer_status status = purge_some(graph, until, engine->reserve_given ? EXPIRED_A_SMALL_STEP : EXPIRED_A_TURN, &more);
    if (status == PEER_E_DISK_FULL)
        peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    if (status == PEER_E_DISK_FULL && peer__engine_make_room(engine))
        status = purge_some(graph, until, EXPIRED_A_SMALL_STEP, &more);
    return status >= 0 && more;
}

/* Rounded up: a timer that fires a fraction of a microsecond early would find nothing and wait 15 s more. */
static int64_t timer_delay_us(uint64_t delay)
{
    return (int64_t)((delay + TICKS_PER_US - 1) / TICKS_PER_US);
}

/* `next`: of what is not in the store. */
static void schedule_next(struct graph *graph, int more, uint64_t next)
{
    uint64_t stored;
    uint64_t now = peer__graph_now(graph);
    uint64_t delay = EXPIRY_DELAY_MAX;
    if (graph->store->operations->next_expiry(graph->store, graph->expired_through, &stored) >= 0 && stored < next)
        next = stored;
    if (next != UINT64_MAX)
        delay = next > now ? next - now : 0;
    if (delay > EXPIRY_DELAY_MAX)
        delay = EXPIRY_DELAY_MAX;
    if (delay < EXPIRY_DELAY_MIN)
        delay = EXPIRY_DELAY_MIN;
    peer__engine_timer_set(graph->engine, &graph->expiry, more ? 0 : timer_delay_us(delay));
}

void peer__graph_expiry_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, expiry);
    uint64_t next_deferred = UINT64_MAX;
    int more = 0;
    if (is_deferred(graph) || peer__graph_is_importing(graph))
        return; /* set again with the first neighbour, or at the end of the import */
    if (peer__graph_commit(graph) >= 0) {
        uint64_t now = peer__graph_now(graph);
        if (now < graph->expired_through) /* the clock was set back: what ends in between has not ended yet */
            tell_again_from(graph, now);
        more = tell_newly_expired(graph, now);
        if (!more && peer__graph_clock_is_sure(graph)) {
            peer__graph_note_time(graph);
            more = purge(graph, now);
            if (!more)
                next_deferred = peer__graph_expire_deferred(graph, now);
        }
    }
    schedule_next(graph, more, next_deferred);
}

void peer__graph_expiry_now(struct graph *graph)
{
    peer__engine_timer_set(graph->engine, &graph->expiry, 0);
}

/* 13.2 step 3: a record that expires earlier pulls the timer forward, to 15 s after its expiration at the latest. */
void peer__graph_expiry_schedule(struct graph *graph, uint64_t expires)
{
    uint64_t now = peer__graph_now(graph);
    uint64_t delay = expires > now ? expires - now : 0;
    if (delay > EXPIRY_DELAY_MAX || is_deferred(graph))
        return;
    if (delay < EXPIRY_DELAY_MIN)
        delay = EXPIRY_DELAY_MIN;
    int64_t deadline_us = peer__engine_now_us(graph->engine) + timer_delay_us(delay);
    if (graph->expiry.place == 0 || deadline_us < graph->expiry.deadline_us)
        peer__timer_set(&graph->engine->timers, &graph->expiry, deadline_us);
}

/* Room: a graph that cannot store what comes says so, and catches up when there is room again (decisions.md 1, 6). */
#include "graph/parts.h"

/** How often a graph that lacks room, or what it could not store, looks again. */
#define ROOM_PERIOD_US 5000000
/** How often what was beyond a limit is asked for again although the limit still stands. */
#define RETRY_PERIOD_US 300000000

static void look_again(struct graph *graph)
{
    if (graph->storage_full != 0 || graph->incomplete)
        peer__engine_timer_set(graph->engine, &graph->room, ROOM_PERIOD_US);
}

/* ----------------------------------------------------------------------------------------------------------- the reserve */

static int keep_reserve(struct engine *engine)
{
    if (engine->reserve_given)
        engine->reserve_given = !engine->config.stores.keep_reserve(engine->config.stores.self);
    return !engine->reserve_given;
}

int peer__engine_make_room(struct engine *engine)
{
    if (!engine->config.stores.give_reserve(engine->config.stores.self))
        return 0;
    engine->reserve_given = 1;
    return 1;
}

int peer__graph_has_room(struct graph *graph)
{
    if (graph->engine->reserve_given)
        peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    return (graph->storage_full & STORAGE_DISK) == 0;
}

peer_status peer__graph_require_room(struct graph *graph)
{
    if (keep_reserve(graph->engine))
        return PEER_OK;
    peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    return peer__fail(PEER_E_DISK_FULL,
                      "the disk has no room for the database of \"%s\"; what is left is kept for deletions",
                      graph->graph_id);
}

static void look_at_disk(struct graph *graph)
{
    const struct store_factory *stores = &graph->engine->config.stores;
    if (keep_reserve(graph->engine) && stores->has_room(stores->self))
        peer__graph_set_storage_full(graph, STORAGE_DISK, 0);
}

/* ---------------------------------------------------------------------------------------------------------- catching up */

void peer__link_note_refused(struct link *link)
{
    link->refused = 1;
    peer__graph_note_missing(link->graph);
}

void peer__graph_note_missing(struct graph *graph)
{
    graph->refused_count++;
    if (graph->incomplete)
        return;
    graph->incomplete = 1;
    peer__graph_tell_status(graph);
    look_again(graph);
}

static int nobody_was_refused(const struct graph *graph)
{
    LIST_FOR (node, following, &graph->links) {
        if (CONTAINER_OF(node, struct link, in_graph)->refused)
            return 0;
    }
    return 1;
}

static int is_idle(const struct link *link)
{
    return peer__link_is_neighbour(link) && !link->broken && link->sync.type == SYNC_NONE &&
           link->push.kind == ANSWER_NONE;
}

/* With those whose records were refused; with anybody if they have gone. Who is busy now is asked at the next turn of the
 * timer. */
static void catch_up(struct graph *graph)
{
    int any_refused = 0;
    LIST_FOR (node, following, &graph->links)
        any_refused |= CONTAINER_OF(node, struct link, in_graph)->refused;
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if ((any_refused && !link->refused) || !is_idle(link))
            continue;
        peer__sync_compare(link);
        if (!any_refused)
            return;
    }
}

/* Limits are a matter of each record: of what was refused some may fit before the one that is waited for does. */
static void look_at_limit(struct graph *graph)
{
    int64_t now_us = peer__engine_now_us(graph->engine);
    if (peer__graph_shortage_is_over(graph)) {
        peer__graph_set_storage_full(graph, STORAGE_LIMIT, 0);
    } else if (now_us - graph->retried_us >= RETRY_PERIOD_US) {
        graph->retried_us = now_us;
        catch_up(graph);
    }
}

void peer__graph_room_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, room);
    if ((graph->storage_full & STORAGE_DISK) != 0)
        look_at_disk(graph);
    if (graph->storage_full == STORAGE_LIMIT)
        look_at_limit(graph);
    if (graph->storage_full == 0 && graph->incomplete)
        catch_up(graph);
    look_again(graph);
}

void peer__link_note_synchronized(struct link *link, uint64_t refused_before)
{
    struct graph *graph = link->graph;
    if (graph->refused_count == refused_before) {
        link->refused = 0;
        if (graph->storage_full == STORAGE_LIMIT && nobody_was_refused(graph))
            peer__graph_set_storage_full(graph, STORAGE_LIMIT, 0);
    }
    if (!graph->incomplete || graph->storage_full != 0)
        return;
    if (nobody_was_refused(graph)) {
        graph->incomplete = 0;
        peer__graph_tell_status(graph);
        return;
    }
    catch_up(graph);
}

void peer__graph_set_storage_full(struct graph *graph, enum storage_reason reason, int full)
{
    uint32_t before = graph->storage_full;
    graph->storage_full = full ? before | (uint32_t)reason : before & ~(uint32_t)reason;
    if (graph->storage_full == before)
        return;
    graph->retried_us = peer__engine_now_us(graph->engine);
    peer__graph_tell_status(graph);
    if (graph->storage_full == 0) {
        peer__graph_expiry_now(graph); /* what could not be removed */
        if (graph->incomplete)
            catch_up(graph);
    }
    look_again(graph);
}

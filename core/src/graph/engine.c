/* The engine itself: inputs, time, and the commit group over all graphs. */
#include "graph/parts.h"

#include <string.h>

peer_status peer__engine_create(const struct engine_config *config, struct engine **engine_out)
{
    struct engine *engine = peer__calloc(1, sizeof(*engine));
    if (engine == NULL)
        return peer__out_of_memory();
    engine->config = *config;
    engine->reserve_given = !config->stores.keep_reserve(config->stores.self);
    list_init(&engine->graphs);
    list_init(&engine->links);
    list_init(&engine->ending);
    list_init(&engine->listeners);
    *engine_out = engine;
    return PEER_OK;
}

void peer__engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    peer__engine_enter(engine);
    LIST_FOR (node, following, &engine->graphs)
        peer__graph_close(CONTAINER_OF(node, struct graph, in_engine), PEER_E_GRAPH_SHUTTING_DOWN,
                          "the runtime was shut down");
    LIST_FOR (node, following, &engine->links)
        peer__link_end(CONTAINER_OF(node, struct link, in_engine), PEER_E_GRAPH_SHUTTING_DOWN,
                       "the runtime was shut down");
    peer__engine_leave(engine);
    peer__timers_free(&engine->timers);
    peer__buffer_free(&engine->message);
    peer__buffer_free(&engine->frames);
    peer__free(engine);
}

/* Links that end while an input is dealt with stay in memory until it has been: callers up the stack may hold them. */
void peer__engine_enter(struct engine *engine)
{
    if (engine->depth++ > 0)
        return;
    int64_t offset_us = peer__engine_clock_offset_us(engine);
    LIST_FOR (node, following, &engine->graphs)
        peer__graph_look_at_clock(CONTAINER_OF(node, struct graph, in_engine), offset_us);
}

void peer__engine_leave(struct engine *engine)
{
    if (--engine->depth > 0)
        return;
    LIST_FOR (node, following, &engine->ending)
        peer__link_free(CONTAINER_OF(node, struct link, in_engine));
}

int64_t peer__engine_now_us(const struct engine *engine)
{
    return engine->config.clock.monotonic_us(engine->config.clock.self);
}

int64_t peer__engine_clock_offset_us(const struct engine *engine)
{
    const struct clock *clock = &engine->config.clock;
    return clock->utc_us(clock->self) - clock->elapsed_us(clock->self);
}

void peer__engine_timer_set(struct engine *engine, struct timer *timer, int64_t delay_us)
{
    peer__timer_set(&engine->timers, timer, peer__engine_now_us(engine) + delay_us);
}

uint64_t peer__engine_draw(struct engine *engine, uint64_t bound)
{
    const struct random *random = &engine->config.random;
    uint64_t number;
    if (random->fill(random->self, &number, sizeof(number)) < 0)
        return 0; /* chance only spreads load here */
    return number % bound;
}

int peer__engine_is_neighbour(const void *tag)
{
    return peer__link_is_neighbour(tag);
}

int64_t peer__engine_deadline(const struct engine *engine)
{
    return peer__timers_deadline(&engine->timers);
}

void peer__engine_tick(struct engine *engine)
{
    peer__engine_enter(engine);
    peer__timers_fire(&engine->timers, peer__engine_now_us(engine));
    peer__engine_leave(engine);
}

size_t peer__engine_uncommitted(const struct engine *engine)
{
    size_t count = 0;
    LIST_FOR (node, following, &engine->graphs)
        count += CONTAINER_OF(node, struct graph, in_engine)->effects.count;
    return count;
}

int64_t peer__engine_uncommitted_since_us(const struct engine *engine)
{
    int64_t since_us = NO_DEADLINE;
    LIST_FOR (node, following, &engine->graphs) {
        const struct effects *effects = &CONTAINER_OF(node, struct graph, in_engine)->effects;
        if (effects->count > 0 && effects->since_us < since_us)
            since_us = effects->since_us;
    }
    return since_us;
}

void peer__engine_commit(struct engine *engine)
{
    peer__engine_enter(engine);
    LIST_FOR (node, following, &engine->graphs) {
        struct graph *graph = CONTAINER_OF(node, struct graph, in_engine);
        if (graph->effects.count > 0)
            (void)peer__graph_commit(graph); /* what fails has ended the links that brought it */
    }
    peer__engine_leave(engine);
}

struct graph *peer__engine_find_graph(struct engine *engine, const struct listener *listener, struct span graph_id,
                                      struct span peer_id)
{
    LIST_FOR (node, following, &engine->graphs) {
        struct graph *graph = CONTAINER_OF(node, struct graph, in_engine);
        struct span ours = {(const uint8_t *)graph->graph_id, strlen(graph->graph_id)};
        struct span self = {(const uint8_t *)graph->peer_id, strlen(graph->peer_id)};
        if (graph->listener == listener && peer__span_equal(ours, graph_id) &&
            (peer_id.data == NULL || peer__span_equal(self, peer_id)))
            return graph;
    }
    return NULL;
}

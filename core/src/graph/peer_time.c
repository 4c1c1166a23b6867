/* Peer time, the clock that a graph shares (MS-PPGRH 1.3.6, 3.1.5.2.2; spec part 10). */
#include "graph/state.h"

static uint64_t utc(const struct graph *graph)
{
    const struct clock *clock = &graph->engine->config.clock;
    return peer__ticks_from_us(clock->utc_us(clock->self));
}

uint64_t peer__graph_now(const struct graph *graph)
{
    return peer__ticks_add(utc(graph), -graph->time_delta);
}

int64_t peer__graph_peer_time_us(const struct graph *graph, int64_t time_utc_us)
{
    int64_t result;
    if (__builtin_sub_overflow(time_utc_us, graph->time_delta / (int64_t)TICKS_PER_US, &result))
        result = time_utc_us < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

int64_t peer__graph_universal_time_us(const struct graph *graph, int64_t time_us)
{
    int64_t result;
    if (__builtin_add_overflow(time_us, graph->time_delta / (int64_t)TICKS_PER_US, &result))
        result = time_us < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

/* Times of a peer may be anything in 64 bits; beyond this they are not a clock. */
#define SANE_TIME_MAX ((uint64_t)INT64_MAX / 2)

void peer__graph_adjust_time(struct graph *graph, const struct link *link, uint64_t remote_time)
{
    uint64_t now = peer__graph_now(graph);
    if (remote_time > SANE_TIME_MAX || now > SANE_TIME_MAX)
        return;
    uint64_t travel = now > link->connect_sent ? (now - link->connect_sent) / 2 : 0;
    uint64_t remote_now = remote_time + travel;
    int64_t apart = (int64_t)remote_now - (int64_t)now;
    int within = apart <= PEER_TIME_WINDOW && apart >= -PEER_TIME_WINDOW;
    int first = graph->neighbour_count == 1;
    if (!within && !(first && !graph->ready)) /* D-18: a node that never was in the graph takes its time as it is */
        return;
    int64_t remote_delta = (int64_t)utc(graph) - (int64_t)remote_now;
    if (first)
        graph->time_delta = remote_delta;
    else /* 0.8 of ours and 0.2 of theirs, without leaving integers */
        graph->time_delta += (remote_delta - graph->time_delta) / 5;
    graph->time_confirmed_us = peer__engine_now_us(graph->engine);
    graph->clock_offset_us = peer__engine_clock_offset_us(graph->engine);
    (void)peer__setting_put_u64(graph->store, "time_delta", (uint64_t)graph->time_delta);
}

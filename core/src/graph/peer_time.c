/*
 * Peer time, the clock that a graph shares (MS-PPGRH 1.3.6, 3.1.5.2.2; spec part 10), and what we make of a local clock
 * that is stepped or wrong (decisions.md 5): no date that somebody sets may end the records of a graph.
 */
#include "graph/parts.h"

#define SURE_AFTER_US (INT64_C(86400) * 1000000)
#define CLOCK_STEP_US (INT64_C(600) * 1000000)
/** A clock further from 1601 than this, in ticks, is not a clock. */
#define SANE_TIME_MAX ((uint64_t)INT64_MAX / 2)

/* Between two looks UTC goes on with elapsed time, so that peer time never leaps within an input. */
static uint64_t utc(const struct graph *graph)
{
    const struct clock *clock = &graph->engine->config.clock;
    return peer__ticks_from_us(clock->elapsed_us(clock->self) + graph->clock_offset_us);
}

uint64_t peer__graph_now(const struct graph *graph)
{
    return peer__ticks_add(utc(graph), -graph->time_delta);
}

int64_t peer__graph_peer_time_us(struct graph *graph, int64_t time_utc_us)
{
    int64_t result;
    peer__graph_look_at_clock(graph, peer__engine_clock_offset_us(graph->engine));
    if (__builtin_sub_overflow(time_utc_us, graph->time_delta / (int64_t)TICKS_PER_US, &result))
        result = time_utc_us < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

int64_t peer__graph_universal_time_us(struct graph *graph, int64_t time_us)
{
    int64_t result;
    peer__graph_look_at_clock(graph, peer__engine_clock_offset_us(graph->engine));
    if (__builtin_add_overflow(time_us, graph->time_delta / (int64_t)TICKS_PER_US, &result))
        result = time_us < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

/* ------------------------------------------------------------------------------------------------ what we believe, and why */

int peer__graph_clock_is_sure(const struct graph *graph)
{
    return graph->time_confirmed_us >= 0 || peer__engine_now_us(graph->engine) - graph->started_us >= SURE_AFTER_US;
}

static void doubt(struct graph *graph)
{
    graph->time_confirmed_us = -1;
    graph->started_us = peer__engine_now_us(graph->engine);
}

void peer__graph_note_time(struct graph *graph)
{
    graph->time_known = peer__graph_now(graph);
    (void)peer__setting_put_u64(graph->store, "time_known", graph->time_known);
}

/* How far a time lies from the last one beyond doubt: one before it cannot be. */
static uint64_t distance(const struct graph *graph, uint64_t time)
{
    if (peer__ticks_add(time, PEER_TIME_WINDOW) < graph->time_known)
        return UINT64_MAX;
    return time > graph->time_known ? time - graph->time_known : graph->time_known - time;
}

static int64_t amount(int64_t value)
{
    return value < 0 ? -value : value;
}

/* Whether the clock was wrong before it was stepped and is right now, rather than the other way round: a machine that
 * started with a wrong date is corrected later. A neighbour's word settles it, and so does a step that is taken back. */
static int is_correction(const struct graph *graph, int64_t step)
{
    uint64_t now = peer__graph_now(graph);
    if (graph->time_confirmed_us >= 0 || graph->time_known == 0)
        return 0;
    if (amount(graph->clock_step + step) <= CLOCK_STEP_US * (int64_t)TICKS_PER_US)
        return 0;
    return distance(graph, now) < distance(graph, peer__ticks_add(now, -step));
}

void peer__graph_look_at_clock(struct graph *graph, int64_t offset_us)
{
    int64_t step_us = offset_us - graph->clock_offset_us;
    graph->clock_offset_us = offset_us;
    if (amount(step_us) <= CLOCK_STEP_US)
        return;
    int64_t step = step_us * (int64_t)TICKS_PER_US;
    if (is_correction(graph, step)) {
        doubt(graph);
    } else {
        graph->time_delta += step;
        graph->clock_step += step;
    }
    peer__graph_expiry_now(graph);
}

/* A step that was made good for before the process ended may have been taken back since. */
peer_status peer__graph_load_time(struct graph *graph)
{
    uint64_t delta;
    uint64_t step;
    PEER_TRY(peer__setting_get_u64(graph->store, "time_delta", &delta));
    PEER_TRY(peer__setting_get_u64(graph->store, "clock_step", &step));
    PEER_TRY(peer__setting_get_u64(graph->store, "time_known", &graph->time_known));
    graph->time_delta = (int64_t)delta;
    graph->clock_step = (int64_t)step;
    uint64_t now = peer__graph_now(graph);
    if (distance(graph, peer__ticks_add(now, graph->clock_step)) < distance(graph, now)) {
        graph->time_delta -= graph->clock_step;
        graph->clock_step = 0;
    }
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------- what others say */

static int is_within_window(uint64_t remote_now, uint64_t now)
{
    int64_t apart = (int64_t)remote_now - (int64_t)now;
    return apart <= PEER_TIME_WINDOW && apart >= -PEER_TIME_WINDOW;
}

/* A step for which we made good may have been right: the machine was asleep where nobody counts, or corrected. */
static void take_back_step(struct graph *graph, uint64_t remote_now)
{
    uint64_t now = peer__graph_now(graph);
    if (is_within_window(remote_now, now) || !is_within_window(remote_now, peer__ticks_add(now, graph->clock_step)))
        return;
    graph->time_delta -= graph->clock_step;
    graph->clock_step = 0;
}

/* A machine that came back with a date ahead of a neighbour's, and further from what we last knew, is wrong. Only that
 * way: to be told an earlier time than one's own ends no record. */
static void set_back(struct graph *graph, uint64_t remote_now)
{
    uint64_t now = peer__graph_now(graph);
    if (graph->time_confirmed_us >= 0 || graph->time_known == 0 || is_within_window(remote_now, now) ||
        remote_now > now || distance(graph, remote_now) >= distance(graph, now))
        return;
    graph->time_delta += (int64_t)(now - remote_now);
    graph->clock_step += (int64_t)(now - remote_now);
}

static void note_confirmed(struct graph *graph)
{
    graph->time_confirmed_us = peer__engine_now_us(graph->engine);
    peer__graph_note_time(graph);
    (void)peer__setting_put_u64(graph->store, "time_delta", (uint64_t)graph->time_delta);
    (void)peer__setting_put_u64(graph->store, "clock_step", (uint64_t)graph->clock_step);
}

void peer__graph_adjust_time(struct graph *graph, const struct link *link, uint64_t remote_time)
{
    uint64_t now = peer__graph_now(graph);
    if (remote_time > SANE_TIME_MAX || now > SANE_TIME_MAX)
        return;
    uint64_t travel = now > link->connect_sent ? (now - link->connect_sent) / 2 : 0;
    uint64_t remote_now = remote_time + travel;
    int first = graph->neighbour_count == 1;
    take_back_step(graph, remote_now);
    set_back(graph, remote_now);
    /* D-18: a node that never was in the graph takes its time as it is */
    if (!is_within_window(remote_now, peer__graph_now(graph)) && !(first && !graph->ready)) {
        if (graph->time_confirmed_us < 0)
            doubt(graph); /* one of the two is wrong */
        return;
    }
    int64_t remote_delta = (int64_t)utc(graph) - (int64_t)remote_now;
    if (first)
        graph->time_delta = remote_delta;
    else /* 0.8 of ours and 0.2 of theirs, without leaving integers */
        graph->time_delta += (remote_delta - graph->time_delta) / 5;
    note_confirmed(graph);
}

/* ------------------------------------------------------------------------------------------------ from an exported database */

/* Whether an amount of ticks can be calculated with. */
static int is_sane(int64_t ticks)
{
    const int64_t most = (int64_t)(SANE_TIME_MAX / 2);
    return ticks <= most && ticks >= -most;
}

peer_status peer__graph_take_time(struct graph *graph, const struct archive_head *head, int *taken_out)
{
    struct store *store = graph->store;
    *taken_out = 0;
    if (graph->ready || graph->time_known != 0) /* this node's own clock is at least as good */
        return PEER_OK;
    if (head->time_known == 0 || head->time_known > SANE_TIME_MAX || !is_sane(head->time_delta) ||
        !is_sane(head->clock_step))
        return PEER_OK;
    PEER_TRY(peer__setting_put_u64(store, "time_delta", (uint64_t)head->time_delta));
    PEER_TRY(peer__setting_put_u64(store, "clock_step", (uint64_t)head->clock_step));
    PEER_TRY(peer__setting_put_u64(store, "time_known", head->time_known));
    *taken_out = 1;
    return peer__graph_load_time(graph);
}

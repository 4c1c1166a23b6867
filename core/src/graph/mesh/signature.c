/* The graph's signature: the lowest node id in it, in one record, by which partitions are told apart (MS-PPGRH 1.3.2.1,
 * 3.1.7.6, 3.1.7.11; spec 14.1). */
#include "graph/parts.h"

#define LIFETIME (300 * TICKS_PER_SECOND)
#define SHORTEST_DELAY_US INT64_C(100000)
#define LONGEST_ADDED_S 29.9

peer_status peer__graph_publish_signature(struct graph *graph)
{
    struct buffer payload = {0};
    peer__signature_encode(&payload, graph->node_id);
    peer_status status = payload.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = peer__graph_publish(graph, &(struct publication){.type = &peer__type_signature,
                                                                  .id = &peer__id_signature,
                                                                  .payload = {payload.data, payload.size},
                                                                  .lifetime = LIFETIME,
                                                                  .fresh = 1});
    peer__buffer_free(&payload);
    return status;
}

/* 1 - e^(-N/65536) for the top 16 bits N of the node id (D-26): the lower the id, the sooner it speaks. */
static double share(uint64_t node_id)
{
    double x = (double)(node_id >> 48) / 65536.0;
    double term = 1.0;
    double sum = 0.0;
    for (int i = 1; i < 16; i++) {
        term *= -x / i;
        sum -= term;
    }
    return sum;
}

static int ours_is_better(const struct graph *graph)
{
    return !graph->upkeep.has_signature || graph->upkeep.signature > graph->node_id;
}

void peer__graph_calculate_signature(struct graph *graph)
{
    struct timer *timer = &graph->upkeep.signature_timer;
    if (!peer__graph_takes_part(graph) || !ours_is_better(graph)) {
        peer__timer_cancel(&graph->engine->timers, timer);
        return;
    }
    int64_t delay_us = SHORTEST_DELAY_US;
    if (!graph->upkeep.has_signature)
        delay_us += (int64_t)(share(graph->node_id) * LONGEST_ADDED_S * 1e6);
    int64_t deadline_us = peer__engine_now_us(graph->engine) + delay_us;
    if (timer->place == 0 || deadline_us < timer->deadline_us) /* a shorter delay under way is not lengthened */
        peer__timer_set(&graph->engine->timers, timer, deadline_us);
}

void peer__graph_signature_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.signature_timer);
    if (peer__graph_takes_part(graph) && ours_is_better(graph) && peer__graph_publish_signature(graph) < 0)
        peer__engine_timer_set(graph->engine, timer, 300 * SHORTEST_DELAY_US);
}

void peer__graph_note_signature(struct graph *graph, const struct record_fields *fields)
{
    struct upkeep *upkeep = &graph->upkeep;
    uint64_t signature = 0;
    int had = upkeep->has_signature;
    uint64_t before = upkeep->signature;
    upkeep->has_signature =
        (fields->flags & RECORD_FLAG_DELETED) == 0 && peer__signature_decode(fields->payload, &signature) >= 0;
    upkeep->signature = signature;
    upkeep->own_signature.live = 0;
    if (upkeep->has_signature && signature == graph->node_id)
        peer__graph_note_own(graph, &upkeep->own_signature, fields);
    peer__graph_calculate_signature(graph);
    if (upkeep->has_signature && (!had || before != signature))
        peer__graph_signature_changed(graph);
}

void peer__graph_signature_expired(struct graph *graph)
{
    graph->upkeep.has_signature = 0;
    graph->upkeep.own_signature.live = 0;
    peer__graph_calculate_signature(graph);
}

/* What subscribers are told. */
#include "graph/parts.h"

/** What is smaller is done within a moment. */
#define PROGRESS_TOTAL_MIN (UINT64_C(4) * 1024 * 1024)

void peer__graph_subscribe(struct graph *graph, struct event_queue *queue)
{
    list_append(&graph->subscriptions, &peer__event_queue_retain(queue)->subscription);
}

void peer__graph_unsubscribe(struct graph *graph, struct event_queue *queue)
{
    if (list_is_empty(&queue->subscription))
        return;
    list_remove(&queue->subscription);
    peer__event_queue_release(queue);
    peer__graph_data_was_taken(graph);
}

void peer__graph_tell(struct graph *graph, const peer_event_view *event)
{
    LIST_FOR (node, following, &graph->subscriptions)
        peer__event_queue_post(CONTAINER_OF(node, struct event_queue, subscription), event);
}

void peer__graph_tell_record(struct graph *graph, const struct record *record, int32_t change)
{
    if (list_is_empty(&graph->subscriptions) || peer__type_is_reserved(&record->fields.type))
        return; /* the graph's own records are not reported (graph-api.md 9.2) */
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                               .change = change,
                                               .record_id = record->fields.id,
                                               .record_type = record->fields.type});
}

static void tell_connection(struct link *link, int32_t change, peer_status reason, const char *message, uint64_t next)
{
    peer__graph_tell(link->graph,
                     &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                        .type = link->type == CONNECTION_DIRECT ? PEER_GRAPH_EVENT_DIRECT_CONNECTION
                                                                                : PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION,
                                        .change = change,
                                        .reason = reason,
                                        .connection_id = link->connection_id,
                                        .next_connection_id = next,
                                        .node_id = link->node_id,
                                        .peer_id = link->peer_id,
                                        .message = message});
}

void peer__graph_tell_connection(struct link *link, int32_t change, peer_status reason, const char *message)
{
    tell_connection(link, change, reason, message, 0);
}

void peer__graph_tell_failure(struct link *link, peer_status reason, const char *message, uint64_t next)
{
    tell_connection(link, PEER_CONNECTION_FAILED, reason, message, next);
}

/* Each percent of what takes a while; the rest is over before anybody has read of it. */
void peer__graph_tell_progress(struct graph *graph, struct progress *progress)
{
    if (progress->total < PROGRESS_TOTAL_MIN)
        return;
    unsigned percent = (unsigned)(progress->done / (progress->total / 100));
    if (progress->done < progress->total && percent > 99)
        percent = 99;
    if (percent <= progress->told_percent)
        return;
    progress->told_percent = percent;
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_EVENT_PROGRESS,
                                               .change = progress->action,
                                               .connection_id = progress->done,
                                               .next_connection_id = progress->total});
}

uint32_t peer__graph_status(const struct graph *graph)
{
    return (graph->listener != NULL ? (uint32_t)PEER_GRAPH_STATUS_LISTENING : 0) |
           (graph->neighbour_count > 0 ? (uint32_t)PEER_GRAPH_STATUS_HAS_CONNECTIONS : 0) |
           (graph->ready && !graph->incomplete ? (uint32_t)PEER_GRAPH_STATUS_SYNCHRONIZED : 0) |
           (graph->storage_full != 0 ? (uint32_t)PEER_GRAPH_STATUS_STORAGE_FULL : 0);
}

void peer__graph_tell_status(struct graph *graph)
{
    uint32_t status = peer__graph_status(graph);
    if (status == graph->status_told)
        return;
    graph->status_told = status;
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_STATUS_CHANGED,
                                               .status = status});
}

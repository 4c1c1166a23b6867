/* Graph maintenance, in its order: signature, contacts, partitions, connections (MS-PPGRH 3.1.7.16; spec part 14). */
#include "graph/parts.h"

#define PERIOD_US INT64_C(300000000)
#define PERIOD_ALONE_US INT64_C(30000000)
#define NEW_US INT64_C(60000000)

/* A tenth more at most: nodes that started together must not all prune and dial in the same second for ever. What is set
 * already is not put off: else neighbours that come and go would keep it from ever being due. */
static void set_timer(struct graph *graph)
{
    int64_t period_us = graph->neighbour_count > 0 ? PERIOD_US : PERIOD_ALONE_US;
    period_us += (int64_t)peer__engine_draw(graph->engine, (uint64_t)period_us / 10);
    struct timer *timer = &graph->dialler.maintenance;
    if (timer->place == 0 || timer->deadline_us > peer__engine_now_us(graph->engine) + period_us)
        peer__engine_timer_set(graph->engine, timer, period_us);
}

/* Between two of its questions a newcomer looks idle. */
static int is_new(const struct link *link)
{
    return peer__engine_now_us(link->engine) - link->connected_us < NEW_US;
}

static int is_synchronizing(const struct link *link)
{
    return link->sync.type != SYNC_NONE || link->answer.kind != ANSWER_NONE || link->push.kind != ANSWER_NONE ||
           link->walk.kind != WALK_NONE || link->answer_walk.kind != WALK_NONE;
}

/* Of equals the youngest: those that have stood longest hold the graph together. */
static struct link *least_useful(const struct graph *graph)
{
    struct link *least = NULL;
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link) && !is_new(link) && !is_synchronizing(link) &&
            (least == NULL || link->utility <= least->utility))
            least = link;
    }
    return least;
}

static void prune(struct graph *graph)
{
    struct link *link = least_useful(graph);
    if (link == NULL)
        return;
    peer__link_say_disconnect(link, DISCONNECT_LEAST_USEFUL);
    peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" was the least useful of %zu neighbours", link->address_text,
                   graph->neighbour_count);
}

void peer__graph_maintain(struct graph *graph)
{
    if (!graph->dialler.online || graph->dialler.manual)
        return;
    peer__graph_calculate_signature(graph);
    peer__graph_maintain_contacts(graph);
    peer__graph_detect_partition(graph);
    peer__graph_seek(graph);
    set_timer(graph);
}

/* 14.5: the application may know of nodes that nobody here knows. */
static void repair_long_term(struct graph *graph)
{
    if (!graph->upkeep.own_contact.live)
        return;
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_CONNECTION_REQUIRED});
    peer__graph_probe(graph);
}

void peer__graph_maintain_by_timer(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, dialler.maintenance);
    if (graph->neighbour_count > NEIGHBOURS_IDEAL)
        prune(graph);
    else if (graph->neighbour_count < NEIGHBOURS_IDEAL)
        peer__graph_dial_one(graph);
    peer__graph_keep_book(graph);
    repair_long_term(graph);
    peer__graph_maintain(graph);
}

void peer__graph_go_online(struct graph *graph)
{
    graph->dialler.online = 1;
    peer__graph_maintain_presence(graph);
    peer__graph_maintain(graph);
}

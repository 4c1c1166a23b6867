/* The checkers look behind the interface of a graph: what is asked is the engine's own state, so that it holds exactly and
 * not after some seconds. */
#include "checkers.h"

#include <inttypes.h>

#include "graph/parts.h"

/** The nodes take turns to be asked for records, and are asked for so many at most: that is dear. */
#define LOOK_PERIOD_S 10
#define RECORDS_A_LOOK 30u
/** What is under way arrives, and cuts that were not noticed are. */
#define END_MAX_S 300
/* outbox.c: acknowledgements are counted, and so are records that a neighbour is owed. */
#define ACKS_MAX (64u * 1024)
#define OWED_MAX 16384u

static void broken(const struct world *world, size_t node, const char *what)
{
    fail_msg("seed %" PRIu64 ", %" PRId64 " s: %s: %s", world->seed, peer__sim_now_us(world->sim) / SECOND,
             world->nodes[node].peer_id, what);
}

/* ------------------------------------------------------------------------------------------------------- neighbours */

static int is_met_again(const struct graph *graph, const struct link *link)
{
    LIST_FOR (node, following, &graph->links) {
        const struct link *other = CONTAINER_OF(node, struct link, in_graph);
        if (other != link && peer__link_is_neighbour(other) && other->node_id == link->node_id)
            return 1;
    }
    return 0;
}

/* reconcile.c: what one answer may list comes on top of what is transferred at once; a question has so many ranges, and
 * what became of them waits on each level. */
static void check_asking(const struct world *world, size_t node, const struct link *link)
{
    const struct asking *asking = link->asking;
    if (asking->request.size > (TRANSFER_MAX + DIFFER_SIZE_MAX / 28) * sizeof(struct wire_abstract) ||
        link->sync.send.size > (TRANSFER_MAX + LISTED_AT_ONCE) * sizeof(struct wire_abstract))
        broken(world, node, "too many records are to be transferred");
    if (asking->tasks.size > (size_t)COMPARE_RANGES_MAX * 8 * sizeof(struct range_task))
        broken(world, node, "too many ranges wait to be asked about");
    if (asking->answer.size > DIFFER_SIZE_MAX)
        broken(world, node, "the answer to a comparison is too long");
}

/* decisions.md 7: one message more than the mark is the most that waits to be sent. */
static void check_queues(const struct world *world, size_t node, const struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    if (transport->queued(transport->self, link->connection) > TRANSPORT_HIGH_WATER + MESSAGE_SIZE_MAX)
        broken(world, node, "more waits to be sent than one message above the mark");
    if (link->acks.size > (size_t)ACKS_MAX * sizeof(struct wire_ack_entry))
        broken(world, node, "too many acknowledgements wait");
    if (link->owed.ids.size > (size_t)OWED_MAX * sizeof(peer_guid))
        broken(world, node, "too many records are owed to one neighbour");
    if (link->asking != NULL)
        check_asking(world, node, link);
    if (link->answering != NULL && link->answering->answer.size > DIFFER_SIZE_MAX)
        broken(world, node, "the answer to a comparison is too long");
}

static void check_neighbours(const struct world *world, size_t node)
{
    const struct graph *graph = world->nodes[node].graph;
    size_t count = 0;
    LIST_FOR (at, following, &graph->links) {
        const struct link *link = CONTAINER_OF(at, struct link, in_graph);
        if (!peer__link_is_neighbour(link))
            continue;
        count++;
        if (link->node_id == graph->node_id)
            broken(world, node, "it is its own neighbour");
        if (is_met_again(graph, link))
            broken(world, node, "two of its neighbours are one node");
        check_queues(world, node, link);
    }
    if (count > NEIGHBOURS_MAX)
        broken(world, node, "it has more than 7 neighbours");
    if (count != graph->neighbour_count)
        broken(world, node, "it has miscounted its neighbours");
}

/* ---------------------------------------------------------------------------------------------------------- records */

/* 6.8, and 1.3.5.2: what is shown is complete, of this graph, within its limits, and neither deleted nor at its end. */
static void check_record(const struct world *world, size_t node, const struct record_fields *fields, int64_t now_us)
{
    const struct graph *graph = world->nodes[node].graph;
    struct span graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size};
    if ((fields->flags & RECORD_FLAG_DELETED) != 0)
        broken(world, node, "it shows a deleted record");
    if (peer__us_from_ticks(fields->expires) < now_us)
        broken(world, node, "it shows a record that has expired");
    if (!peer__span_equal(fields->graph_id, graph_id))
        broken(world, node, "it shows a record of another graph");
    if (peer__record_counted_size(fields) > graph->record_size_max)
        broken(world, node, "it shows a record that is larger than the graph allows");
    if (peer__record_check(fields, &graph->engine->config.crypto) == PEER_E_INVALID_RECORD)
        broken(world, node, "it shows an invalid record");
}

static void check_records(struct world *world, size_t node)
{
    peer_guid *ids;
    size_t count;
    int64_t now_us = world_peer_time_us(world, node);
    if (world_list(world, node, NULL, &ids, &count) < 0) /* never synchronized */
        return;
    size_t shown = count < RECORDS_A_LOOK ? count : RECORDS_A_LOOK;
    size_t first = count > shown ? (size_t)world->seconds_checked % (count - shown) : 0;
    for (size_t i = first; i < first + shown; i++) {
        struct record *record = world_get(world, node, &ids[i]);
        if (record != NULL)
            check_record(world, node, &record->fields, now_us);
        peer__record_release(record);
    }
    peer__free(ids);
}

void checkers_run(struct world *world)
{
    int64_t second = peer__sim_now_us(world->sim) / SECOND;
    if (second == world->seconds_checked)
        return;
    world->seconds_checked = second;
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].graph != NULL)
            check_neighbours(world, i);
    }
    if (world->count == 0 || second % LOOK_PERIOD_S != 0)
        return;
    size_t node = (size_t)(second / LOOK_PERIOD_S) % world->count;
    if (world->nodes[node].graph != NULL)
        check_records(world, node);
}

void checkers_run_at_the_end(struct world *world)
{
    peer__sim_heal(world->sim);
    if (world_pieces(world) == 1)
        world_settle(world, END_MAX_S);
}

/** What the tests of reconciliation share. */
#ifndef PEER_TESTS_SIM_RECONCILING_H
#define PEER_TESTS_SIM_RECONCILING_H

#include "graph/parts.h"
#include "puppet.h"

#include "base/memory.h"
#include "base/time.h"

#define DAY_S (24 * HOUR_S)
#define YEAR_S (365 * DAY_S)

static inline peer_guid add_lasting(struct world *world, size_t node)
{
    peer_guid id;
    assert_status(world_add_bytes(world, node, &scenario_note, "lasting", 7, YEAR_S, &id), PEER_OK);
    return id;
}

/** Its link to the other of the two, 0 and 1; NULL: there is none. */
static inline struct link *link_of(struct world *world, size_t node)
{
    uint64_t other = world->nodes[1 - node].graph->node_id;
    LIST_FOR (at, following, &world->nodes[node].graph->links) {
        struct link *link = CONTAINER_OF(at, struct link, in_graph);
        if (peer__link_is_neighbour(link) && link->node_id == other)
            return link;
    }
    return NULL;
}

/** 2 - 0 - 1 - 3: who meets the other again has a neighbour, so that all they do is to compare (11.1). */
static inline void world_pair(struct world *world)
{
    world_line(world, 2);
    for (size_t node = 0; node < 2; node++)
        world_join(world, world_host(world), node);
    world_settle(world, 30);
}

#endif

/** What the tests of the application as the judge of records share. */
#ifndef PEER_TESTS_SIM_JUDGING_H
#define PEER_TESTS_SIM_JUDGING_H

#include "base/error.h"
#include "base/memory.h"
#include "graph/parts.h"
#include "puppet.h"

static inline struct graph *locked(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    return world->nodes[node].graph;
}

static inline void unlock(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->unlock(driver);
}

static inline peer_status judge(struct world *world, size_t node, uint64_t id, peer_status verdict)
{
    peer_status status = peer__graph_judge(locked(world, node), id, verdict);
    unlock(world, node);
    return status;
}

static inline void ask_again(struct world *world, size_t node)
{
    peer__graph_ask_again(locked(world, node), 0, NULL);
    unlock(world, node);
}

static inline void ask_again_about(struct world *world, size_t node, size_t count, const peer_guid *ids)
{
    peer__graph_ask_again(locked(world, node), count, ids);
    unlock(world, node);
}

/* Retained, or NULL: none waits under that number. */
static inline struct record *waiting(struct world *world, size_t node, uint64_t id)
{
    struct record *record = NULL;
    peer_status status = peer__graph_get_deferred(locked(world, node), id, &record);
    unlock(world, node);
    assert_true(status == PEER_OK || status == PEER_E_RECORD_NOT_FOUND);
    return status >= 0 ? record : NULL;
}

static inline int is_synchronized(struct world *world, size_t node)
{
    return (world_status(world, node) & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
}

/* Within half a minute; what is not VALIDATION is passed over. */
static inline uint64_t expect_question(struct world *world, size_t node, int32_t change)
{
    peer_event_view view;
    for (size_t i = 0; i < 30; i++) {
        while (world_next_event(world, node, &view)) {
            if (view.type != PEER_EVENT_VALIDATION)
                continue;
            assert_int_equal(view.change, change);
            return view.validation_id;
        }
        world_run(world, 1);
    }
    fail_msg("nothing was asked");
    return 0;
}

/* Those that are told by now. */
static inline size_t count_questions(struct world *world, size_t node)
{
    size_t count = 0;
    peer_event_view view;
    while (world_next_event(world, node, &view))
        count += view.type == PEER_EVENT_VALIDATION;
    return count;
}

/* A node that created the graph, and one that judges. It is connected, and no more. */
static inline void a_judge_connects(struct world *world)
{
    world->options = PEER_GRAPH_OPTION_JUDGE;
    size_t node = world_host(world);
    assert_true(world_open(world, node) >= 0);
    world_watch(world, node);
    world_connect(world, node, 0);
}

/* One node, which judges, and a puppet that is its neighbour. */
static inline struct puppet *a_judge_and_a_puppet(struct world *world)
{
    world->options = PEER_GRAPH_OPTION_JUDGE;
    world_line(world, 1);
    world_watch(world, 0);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    return puppet;
}

#endif

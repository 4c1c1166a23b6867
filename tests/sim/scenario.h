/**
 * What the world of a simulated test is made of: hosts with one graph, ways to connect them, records, and the questions
 * every test asks. A scenario runs once for each seed and then again: the traces must be equal.
 *
 *   PEER_SIM_SEEDS=200     runs every scenario with seeds 1 … 200 (default 5; large ones run with one)
 *   PEER_SIM_LARGE=3       runs the large ones with so many seeds; 0: leaves them out
 *   PEER_SIM_HUGE=0        leaves out those that take longest, which run once
 *   PEER_SIM_SEED=17       begins with that seed, and runs no other unless a number of seeds is given
 *   PEER_SIM_ONLY=NAME     runs this scenario alone; * stands for anything
 *   PEER_SIM_TRACE=FILE    appends every line of the trace
 */
#ifndef PEER_TESTS_SIM_SCENARIO_H
#define PEER_TESTS_SIM_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/object.h"
#include "event/queue.h"
#include "graph/graph.h"
#include "sim/sim.h"

#define WORLD_NODES_MAX 1024
#define SECOND INT64_C(1000000)
#define HOUR_S 3600

extern const peer_guid scenario_note; /* the record type of application records */
extern const peer_guid scenario_task; /* another one */
#define SCENARIO_GRAPH "G1"
#define SCENARIO_PORT 5000

struct node {
    struct sim_host *host;
    struct graph *graph;        /* NULL: not open */
    struct event_queue *events; /* NULL: not watched */
    char peer_id[16];           /* "p1", "p2", … */
};

struct world {
    struct sim *sim;
    uint64_t seed;
    uint32_t record_size_max; /* of graphs that world_create makes; 0: the default */
    int32_t presence_max;     /* of graphs that world_create makes; 0: no presence by itself */
    uint32_t options;         /* PEER_GRAPH_OPTION_*, of graphs that are made or opened from here on */
    int automatic;            /* graphs find neighbours by themselves; else only as the scenario connects them */
    int64_t seconds_checked;  /* by the checkers: the last one */
    void (*observe)(void *observer, const char *line, size_t size); /* NULL, or sees each line of the trace */
    void *observer;
    size_t count;
    struct node nodes[WORLD_NODES_MAX];
};

typedef void (*scenario)(struct world *world);

/** Runs it twice for each seed. */
#define scenario_run(scenario, options) scenario_run_named(#scenario, scenario, options)
void scenario_run_named(const char *name, scenario scenario, const struct sim_options *options);
/** The same with one seed unless told otherwise, for what takes seconds. */
#define scenario_run_large(scenario, options) scenario_run_large_named(#scenario, scenario, options)
void scenario_run_large_named(const char *name, scenario scenario, const struct sim_options *options);
/** Runs it once for each seed, of which there is one unless told otherwise, for what takes half a minute. No options: no
 * trace either, which costs half as much again. */
#define scenario_run_huge(scenario, options) scenario_run_huge_named(#scenario, scenario, options)
void scenario_run_huge_named(const char *name, scenario scenario, const struct sim_options *options);
/** Teardown: after a failure, the seed, how to replay it, and the end of the trace. */
int scenario_report(void **state);

/** Defines a scenario, which SCENARIO_TEST puts into the list of tests. */
#define SCENARIO(name) DEFINE_SCENARIO(name, scenario_run(name, NULL))
#define LARGE_SCENARIO(name) DEFINE_SCENARIO(name, scenario_run_large(name, NULL))
#define HUGE_SCENARIO(name) DEFINE_SCENARIO(name, scenario_run_huge(name, NULL))
#define DEFINE_SCENARIO(name, run)                                                                                     \
    static void name(struct world *world);                                                                             \
    static void run_##name(void **state)                                                                               \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        run;                                                                                                           \
    }                                                                                                                  \
    static void name(struct world *world)
#define SCENARIO_TEST(name) {#name, run_##name, NULL, scenario_report, NULL}

/* Nodes, by index from 0. A new host has no graph. */
size_t world_host(struct world *world);
void world_create(struct world *world, size_t node);
peer_status world_open(struct world *world, size_t node);
void world_listen(struct world *world, size_t node);
void world_close(struct world *world, size_t node);
uint64_t world_connect(struct world *world, size_t from, size_t to);
/** The same where it may be refused at once: an own address, a neighbour already. */
peer_status world_try_connect(struct world *world, size_t from, size_t to);
/** Opens, connects to `to`, waits until it is synchronized, and listens. */
void world_join(struct world *world, size_t node, size_t to);
void world_crash(struct world *world, size_t node, enum sim_crash how);
/** Restarts the host and opens its graph again. */
void world_restart(struct world *world, size_t node);

/* `count` new hosts with one graph, synchronized, in one shape. Node 0 created it. */
void world_line(struct world *world, size_t count);
void world_ring(struct world *world, size_t count);
void world_star(struct world *world, size_t count);
void world_clique(struct world *world, size_t count);
/** Automatic: each was told the address of a random one of those before. */
void world_mesh(struct world *world, size_t count);

/** Cuts the first nodes from all others: packets are dropped; `by_reset`: and the connections are reset. */
void world_cut(struct world *world, size_t left_count, int by_reset);

peer_guid world_add(struct world *world, size_t node, const char *data);
/** Any size and type, with a lifetime of its own. */
peer_status world_add_bytes(struct world *world, size_t node, const peer_guid *type, const void *data, size_t size,
                            int64_t lifetime_s, peer_guid *id_out);
peer_status world_update(struct world *world, size_t node, const peer_guid *id, const char *data);
peer_status world_delete(struct world *world, size_t node, const peer_guid *id);
/** Retained, or NULL. */
struct record *world_get(struct world *world, size_t node, const peer_guid *id);
int world_has(struct world *world, size_t node, const peer_guid *id);
/** The ids that a node shows, of one type or (NULL) of all types of the application. Free them. Negative: never synchronized. */
peer_status world_list(struct world *world, size_t node, const peer_guid *type, peer_guid **ids_out, size_t *count_out);
size_t world_record_count(struct world *world, size_t node);
int64_t world_peer_time_us(struct world *world, size_t node);
uint32_t world_status(struct world *world, size_t node);

/** Parts of the network that no connection between neighbours joins; hosts without a graph are left out. */
size_t world_pieces(struct world *world);

void world_run(struct world *world, int64_t seconds);
/** Runs until every open node that is synchronized shows the same records and all are synchronized, at most so long. */
void world_settle(struct world *world, int64_t seconds);
int world_is_converged(struct world *world);
/** Every open graph shows the same records, every byte of them; says which differ. */
void assert_converged(struct world *world);
void assert_status(peer_status status, peer_status expected);

/** From now on every event of the node is kept. */
void world_watch(struct world *world, size_t node);
/** Takes the next event: 1, or 0 if there is none. Texts in the view are gone after the next call. */
int world_next_event(struct world *world, size_t node, peer_event_view *view_out);

/** A condition with its two arguments, for world_until. */
struct condition {
    struct world *world;
    size_t node;
    const peer_guid *id;
    uint64_t number;
};
int world_until(struct world *world, int (*until)(void *condition), struct condition condition, int64_t seconds);
int node_is_synchronized(void *condition);
int node_has_record(void *condition);
int node_has_record_count(void *condition); /* number: at least */
int node_is_connected(void *condition);     /* number: to so many hosts at least */

#endif

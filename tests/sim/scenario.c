#include "scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "checkers.h"

#define TRACE_LINES_SHOWN 30
#define TRACE_LINE_SIZE 400

const peer_guid scenario_note = {{0x4e, 0x6f, 0x74, 0x65, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 4, 4, 5, 5, 6, 6}};
const peer_guid scenario_task = {{0x54, 0x61, 0x73, 0x6b, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 4, 4, 5, 5, 6, 6}};

/* The world of the scenario that runs now; what is left of it after a failure is reported and cleared away. */
static struct world *current;
static const char *current_name;
static char last_lines[TRACE_LINES_SHOWN][TRACE_LINE_SIZE];
static size_t line_count;
static FILE *trace_file;

static void keep_line(void *self, const char *text, size_t size)
{
    const struct world *world = self;
    char *line = last_lines[line_count++ % TRACE_LINES_SHOWN];
    snprintf(line, TRACE_LINE_SIZE, "%.*s", (int)size, text);
    if (world->observe != NULL)
        world->observe(world->observer, text, size);
    if (trace_file != NULL)
        fprintf(trace_file, "%.*s\n", (int)size, text);
}

static void end_world(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].events != NULL) {
            peer__event_queue_end(world->nodes[i].events);
            peer__event_queue_release(world->nodes[i].events);
        }
    }
    peer__sim_free(world->sim);
    peer__free(world);
    current = NULL;
}

static uint64_t run_once(scenario run, const struct sim_options *options, uint64_t seed)
{
    int64_t live = peer__memory_live();
    struct world *world = peer__calloc(1, sizeof(*world));
    assert_non_null(world);
    current = world;
    line_count = 0;
    world->seed = seed;
    assert_status(peer__sim_create(seed, options, &world->sim), PEER_OK);
    peer__sim_trace_to(world->sim, keep_line, world);
    run(world);
    checkers_run_at_the_end(world);
    assert_status(peer__sim_status(world->sim), PEER_OK);
    uint64_t hash = peer__sim_trace_hash(world->sim);
    end_world(world);
    assert_int_equal(peer__memory_live(), live);
    return hash;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

/* With the trace in the file that was asked for. */
static uint64_t run_written(scenario run, const struct sim_options *options, uint64_t seed)
{
    const char *path = getenv("PEER_SIM_TRACE");
    trace_file = path != NULL ? fopen(path, "a") : NULL;
    uint64_t hash = run_once(run, options, seed);
    if (trace_file != NULL)
        fclose(trace_file);
    trace_file = NULL;
    return hash;
}

static void run_seeds(const char *name, scenario run, const struct sim_options *options, uint64_t count)
{
    uint64_t first = number("PEER_SIM_SEED", 1);

    if (count == 0)
        skip();
    current_name = name;
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t hash = run_written(run, options, seed);
        uint64_t again = run_once(run, options, seed);
        if (hash != again)
            fail_msg("seed %" PRIu64 " gave two traces: %016" PRIx64 " and %016" PRIx64, seed, hash, again);
    }
}

void scenario_run_named(const char *name, scenario run, const struct sim_options *options)
{
    run_seeds(name, run, options, number("PEER_SIM_SEEDS", getenv("PEER_SIM_SEED") != NULL ? 1 : 5));
}

void scenario_run_large_named(const char *name, scenario run, const struct sim_options *options)
{
    run_seeds(name, run, options, number("PEER_SIM_LARGE", 1));
}

/* A seed is given to look at what happens: then there is a trace. */
void scenario_run_huge_named(const char *name, scenario run, const struct sim_options *options)
{
    struct sim_options chosen;
    uint64_t first = number("PEER_SIM_SEED", 1);
    uint64_t count = number("PEER_SIM_HUGE", 1);

    if (count == 0)
        skip();
    current_name = name;
    peer__sim_defaults(&chosen);
    chosen.untraced = getenv("PEER_SIM_SEED") == NULL && getenv("PEER_SIM_TRACE") == NULL;
    if (options != NULL)
        chosen = *options;
    for (uint64_t seed = first; seed < first + count; seed++)
        (void)run_written(run, &chosen, seed);
}

__attribute__((constructor)) static void choose_tests(void)
{
    const char *only = getenv("PEER_SIM_ONLY");
    if (only != NULL)
        cmocka_set_test_filter(only);
}

int scenario_report(void **state)
{
    (void)state;
    if (current == NULL)
        return 0;
    size_t shown = line_count < TRACE_LINES_SHOWN ? line_count : TRACE_LINES_SHOWN;
    for (size_t i = line_count - shown; i < line_count; i++)
        fprintf(stderr, "  %s\n", last_lines[i % TRACE_LINES_SHOWN]);
    fprintf(stderr, "SEED %" PRIu64 ": replay with ./dev sim --seed %" PRIu64 " %s\n", current->seed, current->seed,
            current_name);
    if (trace_file != NULL)
        fclose(trace_file);
    trace_file = NULL;
    end_world(current);
    return 0;
}

void assert_status(peer_status status, peer_status expected)
{
    if (status != expected)
        fail_msg("0x%08x instead of 0x%08x: %s", (unsigned)status, (unsigned)expected, peer__last_error());
}

/* -------------------------------------------------------------------------------------------------------- nodes */

static struct driver *lock_node(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    return driver;
}

static void unlock_node(struct driver *driver)
{
    driver->unlock(driver);
}

size_t world_host(struct world *world)
{
    size_t node = world->count;
    assert_true(node < WORLD_NODES_MAX);
    assert_status(peer__sim_host_create(world->sim, &world->nodes[node].host), PEER_OK);
    snprintf(world->nodes[node].peer_id, sizeof(world->nodes[node].peer_id), "p%zu", node + 1);
    world->count++;
    return node;
}

static uint32_t options(const struct world *world)
{
    return world->options | (world->automatic ? 0 : (uint32_t)PEER_GRAPH_OPTION_MANUAL);
}

void world_create(struct world *world, size_t node)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    properties.graph_id = SCENARIO_GRAPH;
    properties.creator_id = world->nodes[node].peer_id;
    properties.scope = PEER_GRAPH_SCOPE_GLOBAL;
    properties.max_record_size = world->record_size_max;
    properties.presence_max = world->presence_max;
    struct driver *driver = lock_node(world, node);
    peer_status status =
        peer__graph_create(driver->engine, &properties, "default", options(world), &world->nodes[node].graph);
    unlock_node(driver);
    assert_status(status, PEER_OK);
}

peer_status world_open(struct world *world, size_t node)
{
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_open(driver->engine, SCENARIO_GRAPH, world->nodes[node].peer_id, "default",
                                          options(world), 0, NULL, &world->nodes[node].graph);
    unlock_node(driver);
    return status;
}

void world_listen(struct world *world, size_t node)
{
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_listen(world->nodes[node].graph, PEER_GRAPH_SCOPE_GLOBAL, 0, SCENARIO_PORT);
    unlock_node(driver);
    assert_status(status, PEER_OK);
}

void world_close(struct world *world, size_t node)
{
    struct driver *driver = lock_node(world, node);
    peer__graph_close(world->nodes[node].graph, PEER_OK, "closed");
    unlock_node(driver);
    world->nodes[node].graph = NULL;
}

static peer_status ask(struct world *world, size_t from, size_t to, uint64_t *connection_id_out)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = *peer__sim_host_address(world->nodes[to].host);
    address.port = SCENARIO_PORT;
    peer__address_format(&address, text);
    struct driver *driver = lock_node(world, from);
    peer_status status = peer__graph_connect(world->nodes[from].graph, NULL, text, connection_id_out);
    unlock_node(driver);
    return status;
}

uint64_t world_connect(struct world *world, size_t from, size_t to)
{
    uint64_t connection_id;
    assert_status(ask(world, from, to, &connection_id), PEER_OK);
    return connection_id;
}

peer_status world_try_connect(struct world *world, size_t from, size_t to)
{
    return ask(world, from, to, NULL);
}

void world_join(struct world *world, size_t node, size_t to)
{
    assert_true(world_open(world, node) >= 0);
    world_connect(world, node, to);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = node}, 120));
    world_listen(world, node);
}

void world_crash(struct world *world, size_t node, enum sim_crash how)
{
    peer__sim_host_crash(world->nodes[node].host, how);
    world->nodes[node].graph = NULL;
}

void world_restart(struct world *world, size_t node)
{
    assert_status(peer__sim_host_restart(world->nodes[node].host), PEER_OK);
    assert_true(world_open(world, node) >= 0);
}

/* ------------------------------------------------------------------------------------------------------- shapes */

static size_t first_of(struct world *world)
{
    size_t node = world_host(world);
    world_create(world, node);
    world_listen(world, node);
    return node;
}

void world_line(struct world *world, size_t count)
{
    size_t last = first_of(world);
    for (size_t i = 1; i < count; i++) {
        size_t node = world_host(world);
        world_join(world, node, last);
        last = node;
    }
}

void world_ring(struct world *world, size_t count)
{
    size_t first = world->count;
    world_line(world, count);
    world_connect(world, world->count - 1, first);
    world_run(world, 5);
}

void world_star(struct world *world, size_t count)
{
    size_t centre = first_of(world);
    for (size_t i = 1; i < count; i++)
        world_join(world, world_host(world), centre);
}

void world_clique(struct world *world, size_t count)
{
    size_t first = first_of(world);
    for (size_t i = 1; i < count; i++) {
        size_t node = world_host(world);
        world_join(world, node, first);
        for (size_t k = 1; k < i; k++)
            world_connect(world, node, first + k);
        world_run(world, 5);
    }
}

void world_mesh(struct world *world, size_t count)
{
    world->automatic = 1;
    first_of(world);
    while (world->count < count) {
        size_t known = (size_t)peer__sim_draw(world->sim, world->count);
        world_join(world, world_host(world), known);
    }
}

void world_cut(struct world *world, size_t left_count, int by_reset)
{
    struct sim_host *hosts[WORLD_NODES_MAX];
    for (size_t i = 0; i < world->count; i++)
        hosts[i] = world->nodes[i].host;
    assert_status(peer__sim_partition(hosts, left_count, hosts + left_count, world->count - left_count), PEER_OK);
    for (size_t i = 0; by_reset && i < left_count; i++) {
        for (size_t k = left_count; k < world->count; k++)
            peer__sim_reset(hosts[i], hosts[k]);
    }
}

/* ------------------------------------------------------------------------------------------------------ records */

peer_status world_add_bytes(struct world *world, size_t node, const peer_guid *type, const void *data, size_t size,
                            int64_t lifetime_s, peer_guid *id_out)
{
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    input.type = *type;
    input.data = data;
    input.size = size;
    input.expires_us = world_peer_time_us(world, node) + lifetime_s * SECOND;
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_add(world->nodes[node].graph, &input, id_out);
    unlock_node(driver);
    return status;
}

peer_guid world_add(struct world *world, size_t node, const char *data)
{
    peer_guid id;
    assert_status(world_add_bytes(world, node, &scenario_note, data, strlen(data), HOUR_S, &id), PEER_OK);
    return id;
}

peer_status world_update(struct world *world, size_t node, const peer_guid *id, const char *data)
{
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    input.id = *id;
    input.type = scenario_note;
    input.data = data;
    input.size = strlen(data);
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_update(world->nodes[node].graph, &input);
    unlock_node(driver);
    return status;
}

peer_status world_delete(struct world *world, size_t node, const peer_guid *id)
{
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_delete(world->nodes[node].graph, &(peer_record_view){.id = *id});
    unlock_node(driver);
    return status;
}

struct record *world_get(struct world *world, size_t node, const peer_guid *id)
{
    struct record *record;
    uint32_t local_flags;
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_get(world->nodes[node].graph, id, &record, &local_flags);
    unlock_node(driver);
    return status >= 0 ? record : NULL;
}

int world_has(struct world *world, size_t node, const peer_guid *id)
{
    struct record *record = world_get(world, node, id);
    peer__record_release(record);
    return record != NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return peer__guid_compare(a, b);
}

peer_status world_list(struct world *world, size_t node, const peer_guid *type, peer_guid **ids_out, size_t *count_out)
{
    struct driver *driver = lock_node(world, node);
    peer_status status = peer__graph_list(world->nodes[node].graph, type, NULL, ids_out, count_out);
    unlock_node(driver);
    return status;
}

/* The ids that a node shows, sorted; -1 if it was never synchronized. */
static int list_ids(struct world *world, size_t node, peer_guid **ids_out, size_t *count_out)
{
    if (world_list(world, node, NULL, ids_out, count_out) < 0)
        return -1;
    if (*count_out > 0)
        qsort(*ids_out, *count_out, sizeof(peer_guid), compare_ids);
    return 0;
}

size_t world_record_count(struct world *world, size_t node)
{
    peer_guid *ids;
    size_t count;
    if (list_ids(world, node, &ids, &count) < 0)
        return 0;
    peer__free(ids);
    return count;
}

int64_t world_peer_time_us(struct world *world, size_t node)
{
    return peer__graph_peer_time_us(world->nodes[node].graph, peer__sim_host_utc_us(world->nodes[node].host));
}

uint32_t world_status(struct world *world, size_t node)
{
    return peer__graph_status(world->nodes[node].graph);
}

/* ---------------------------------------------------------------------------------------------------- convergence */

static int same_record(struct world *world, size_t a, size_t b, const peer_guid *id)
{
    struct record *ours = world_get(world, a, id);
    struct record *theirs = world_get(world, b, id);
    int same = ours != NULL && theirs != NULL && ours->wire_size == theirs->wire_size &&
               memcmp(ours->wire, theirs->wire, ours->wire_size) == 0;
    peer__record_release(ours);
    peer__record_release(theirs);
    return same;
}

/* How two nodes differ, in words; "" if they do not. */
static void compare_nodes(struct world *world, size_t a, size_t b, char *difference, size_t size)
{
    peer_guid *ours = NULL;
    peer_guid *theirs = NULL;
    size_t our_count = 0;
    size_t their_count = 0;
    char id[37];

    difference[0] = '\0';
    int failed = list_ids(world, a, &ours, &our_count) < 0 || list_ids(world, b, &theirs, &their_count) < 0;
    if (failed)
        snprintf(difference, size, "%s or %s was never synchronized", world->nodes[a].peer_id, world->nodes[b].peer_id);
    else if (our_count != their_count)
        snprintf(difference, size, "%s shows %zu records and %s %zu", world->nodes[a].peer_id, our_count,
                 world->nodes[b].peer_id, their_count);
    for (size_t i = 0; difference[0] == '\0' && i < our_count; i++) {
        if (same_record(world, a, b, &ours[i]))
            continue;
        peer__guid_format(&ours[i], id);
        snprintf(difference, size, "%s and %s differ in %s", world->nodes[a].peer_id, world->nodes[b].peer_id, id);
    }
    peer__free(ours);
    peer__free(theirs);
}

static void find_difference(struct world *world, char *difference, size_t size)
{
    size_t first = WORLD_NODES_MAX;
    difference[0] = '\0';
    for (size_t i = 0; i < world->count && difference[0] == '\0'; i++) {
        if (world->nodes[i].graph == NULL)
            continue;
        if (first == WORLD_NODES_MAX)
            first = i;
        else
            compare_nodes(world, first, i, difference, size);
    }
}

int world_is_converged(struct world *world)
{
    char difference[200];
    find_difference(world, difference, sizeof(difference));
    return difference[0] == '\0';
}

void assert_converged(struct world *world)
{
    char difference[200];
    find_difference(world, difference, sizeof(difference));
    if (difference[0] != '\0')
        fail_msg("seed %" PRIu64 ": not converged: %s", world->seed, difference);
}

static size_t node_of(const struct world *world, const struct sim_host *host)
{
    size_t node = 0;
    while (node < world->count && world->nodes[node].host != host)
        node++;
    return node; /* the number of nodes: a host that the test moves itself */
}

static size_t root_of(const size_t *joined_to, size_t node)
{
    while (joined_to[node] != node)
        node = joined_to[node];
    return node;
}

size_t world_pieces(struct world *world)
{
    static struct sim_connection connections[8 * WORLD_NODES_MAX];
    size_t joined_to[WORLD_NODES_MAX];
    size_t pieces = 0;
    size_t count = peer__sim_list_connections(world->sim, connections, 8 * WORLD_NODES_MAX);
    assert_true(count <= 8 * WORLD_NODES_MAX);
    for (size_t i = 0; i < world->count; i++) {
        joined_to[i] = i;
        pieces += world->nodes[i].graph != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t from = node_of(world, connections[i].from);
        size_t to = node_of(world, connections[i].to);
        if (from == world->count || to == world->count || !connections[i].is_neighbour)
            continue;
        from = root_of(joined_to, from);
        to = root_of(joined_to, to);
        pieces -= from != to;
        joined_to[from] = to;
    }
    return pieces;
}

static void run_for(struct world *world, int64_t duration_us)
{
    peer__sim_run_for(world->sim, duration_us);
    checkers_run(world);
}

void world_run(struct world *world, int64_t seconds)
{
    for (int64_t second = 0; second < seconds; second++)
        run_for(world, SECOND);
}

/* Comparing is dear, so it is asked every quarter of a second and not after each moment. */
void world_settle(struct world *world, int64_t seconds)
{
    for (int64_t quarter = 0; quarter < seconds * 4 && !world_is_converged(world); quarter++)
        run_for(world, SECOND / 4);
    assert_converged(world);
}

/* -------------------------------------------------------------------------------------------------------- events */

void world_watch(struct world *world, size_t node)
{
    assert_status(peer__event_queue_create(0, NULL, EVENT_QUEUE_SIZE_MAX, &world->nodes[node].events), PEER_OK);
    struct driver *driver = lock_node(world, node);
    peer__graph_subscribe(world->nodes[node].graph, world->nodes[node].events);
    unlock_node(driver);
}

int world_next_event(struct world *world, size_t node, peer_event_view *view_out)
{
    struct peer_event *event;
    if (peer__event_queue_take(world->nodes[node].events, &event) != PEER_OK)
        return 0;
    assert_status(peer__event_get_view(event, sizeof(*view_out), view_out), PEER_OK);
    /* The texts belong to the event; no test needs them, so the view goes without. */
    view_out->peer_id = view_out->message = NULL;
    view_out->data = NULL;
    peer__object_release(event);
    return 1;
}

/* ---------------------------------------------------------------------------------------------------- conditions */

int world_until(struct world *world, int (*until)(void *condition), struct condition condition, int64_t seconds)
{
    /* Asked ten times a second and not after each moment: a look into a graph commits what waits for a commit. */
    condition.world = world;
    for (int64_t tenth = 0; tenth < seconds * 10; tenth++) {
        if (until(&condition))
            return 1;
        run_for(world, SECOND / 10);
    }
    return until(&condition);
}

int node_is_synchronized(void *condition)
{
    struct condition *c = condition;
    return (world_status(c->world, c->node) & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
}

int node_has_record(void *condition)
{
    struct condition *c = condition;
    return world_has(c->world, c->node, c->id);
}

int node_has_record_count(void *condition)
{
    struct condition *c = condition;
    return world_record_count(c->world, c->node) >= c->number;
}

int node_is_connected(void *condition)
{
    struct condition *c = condition;
    return peer__sim_connections(c->world->nodes[c->node].host, NULL) >= c->number;
}

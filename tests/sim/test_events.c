/* What an application is told, and in which order (spec/graph-api.md 8); and several graphs on one port. */
#include "puppet.h"

#include "base/memory.h"

#define EVENTS_MAX 200

static size_t take_all(struct world *world, size_t node, peer_event_view events[EVENTS_MAX])
{
    size_t count = 0;
    while (count < EVENTS_MAX && world_next_event(world, node, &events[count]))
        count++;
    return count;
}

/* First join: connected, the status says so, every record, and then that all of it is there. */
SCENARIO(first_join_is_told_in_order)
{
    peer_event_view events[EVENTS_MAX];
    world_line(world, 1);
    for (int i = 0; i < 5; i++)
        world_add(world, 0, "old");
    size_t joiner = world_host(world);
    assert_int_equal(world_open(world, joiner), PEER_S_GRAPH_DATA_CREATED);
    world_watch(world, joiner);
    world_connect(world, joiner, 0);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 60));
    world_listen(world, joiner);

    size_t count = take_all(world, joiner, events);
    size_t at = 0;
    assert_int_equal(events[at].type, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION);
    assert_int_equal(events[at++].change, PEER_CONNECTED);
    assert_int_equal(events[at].type, PEER_GRAPH_EVENT_STATUS_CHANGED);
    assert_int_equal(events[at++].status, PEER_GRAPH_STATUS_HAS_CONNECTIONS);
    size_t added = 0;
    for (; at < count && events[at].type != PEER_GRAPH_EVENT_STATUS_CHANGED; at++) {
        if (events[at].type != PEER_GRAPH_EVENT_RECORD_CHANGED)
            continue; /* PROPERTY_CHANGED, NODE_CHANGED: their order is not given */
        assert_int_equal(events[at].change, PEER_RECORD_ADDED);
        added++;
    }
    assert_int_equal(added, 5);
    assert_int_equal(events[at++].status, PEER_GRAPH_STATUS_HAS_CONNECTIONS | PEER_GRAPH_STATUS_SYNCHRONIZED);
    assert_int_equal(events[at].type, PEER_GRAPH_EVENT_STATUS_CHANGED);
    assert_int_equal(events[at++].status,
                     PEER_GRAPH_STATUS_HAS_CONNECTIONS | PEER_GRAPH_STATUS_SYNCHRONIZED | PEER_GRAPH_STATUS_LISTENING);
    assert_int_equal(at, count);
}

SCENARIO(prioritized_types_come_first_and_are_told)
{
    peer_event_view events[EVENTS_MAX];
    peer_guid id;
    world_line(world, 1);
    for (int i = 0; i < 10; i++) {
        assert_status(world_add_bytes(world, 0, &scenario_note, "n", 1, HOUR_S, &id), PEER_OK);
        assert_status(world_add_bytes(world, 0, &scenario_task, "t", 1, HOUR_S, &id), PEER_OK);
    }
    size_t joiner = world_host(world);
    struct node *node = &world->nodes[joiner];
    struct driver *driver = peer__sim_host_driver(node->host);
    assert_true(peer__graph_open(driver->engine, SCENARIO_GRAPH, node->peer_id, "default", 0, 1, &scenario_task,
                                 &node->graph) >= 0);
    driver->unlock(driver);
    world_watch(world, joiner);
    world_connect(world, joiner, 0);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 60));

    size_t count = take_all(world, joiner, events);
    size_t tasks = 0;
    size_t notes = 0;
    int told = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].type == PEER_GRAPH_EVENT_SYNCHRONIZED &&
            peer__guid_equal(&events[i].record_type, &scenario_task)) {
            told = 1;
            assert_int_equal(tasks, 10);
            assert_int_equal(notes, 0);
        }
        if (events[i].type != PEER_GRAPH_EVENT_RECORD_CHANGED)
            continue;
        *(peer__guid_equal(&events[i].record_type, &scenario_task) ? &tasks : &notes) += 1;
    }
    assert_true(told);
    assert_int_equal(notes, 10);
}

SCENARIO(changes_are_told_once_each)
{
    peer_event_view events[EVENTS_MAX];
    world_ring(world, 4);
    for (size_t i = 0; i < 4; i++)
        world_watch(world, i);
    static const int32_t expected[] = {PEER_RECORD_ADDED, PEER_RECORD_UPDATED, PEER_RECORD_DELETED};
    peer_guid id = world_add(world, 0, "one");
    world_run(world, 5);
    assert_status(world_update(world, 1, &id, "two"), PEER_OK);
    world_run(world, 5);
    assert_status(world_delete(world, 2, &id), PEER_OK);
    world_run(world, 5);
    for (size_t i = 0; i < 4; i++) {
        size_t at = 0;
        size_t count = take_all(world, i, events);
        for (size_t k = 0; k < count; k++) {
            if (events[k].type != PEER_GRAPH_EVENT_RECORD_CHANGED)
                continue;
            assert_true(at < 3);
            assert_memory_equal(&events[k].record_id, &id, sizeof(id));
            assert_int_equal(events[k].change, expected[at++]);
        }
        assert_int_equal(at, 3);
    }
}

SCENARIO(a_refused_attempt_is_told)
{
    peer_event_view events[EVENTS_MAX];
    world_line(world, 1);
    size_t node = world_host(world);
    assert_true(world_open(world, node) >= 0);
    world_watch(world, node);
    uint64_t first = world_connect(world, node, node); /* nobody listens there */
    world_run(world, 5);
    assert_int_equal(take_all(world, node, events), 1);
    assert_int_equal(events[0].type, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION);
    assert_int_equal(events[0].change, PEER_CONNECTION_FAILED);
    assert_int_equal(events[0].connection_id, first);
    assert_true(events[0].reason < 0);
}

SCENARIO(who_was_never_synchronized_may_not_listen_or_add)
{
    peer_guid id;
    size_t node = world_host(world);
    assert_int_equal(world_open(world, node), PEER_S_GRAPH_DATA_CREATED);
    assert_status(peer__graph_listen(world->nodes[node].graph, PEER_GRAPH_SCOPE_GLOBAL, 0, SCENARIO_PORT),
                  PEER_E_GRAPH_NOT_READY);
    assert_status(world_add_bytes(world, node, &scenario_note, "x", 1, HOUR_S, &id), PEER_E_GRAPH_NOT_READY);
}

/* ------------------------------------------------------------------------------------------------ several graphs */

static struct graph *create_graph(struct world *world, size_t node, const char *graph_id)
{
    struct graph *graph;
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    properties.graph_id = graph_id;
    properties.creator_id = world->nodes[node].peer_id;
    properties.scope = PEER_GRAPH_SCOPE_GLOBAL;
    assert_status(peer__graph_create(driver->engine, &properties, "default", 0, &graph), PEER_OK);
    assert_status(peer__graph_listen(graph, PEER_GRAPH_SCOPE_GLOBAL, 0, SCENARIO_PORT), PEER_OK);
    driver->unlock(driver);
    return graph;
}

static struct graph *join_graph(struct world *world, size_t node, const char *graph_id)
{
    struct graph *graph;
    char text[ADDRESS_TEXT_SIZE];
    uint64_t connection_id;
    struct address address = *peer__sim_host_address(world->nodes[0].host);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    address.port = SCENARIO_PORT;
    peer__address_format(&address, text);
    assert_true(peer__graph_open(driver->engine, graph_id, world->nodes[node].peer_id, "default", 0, 0, NULL, &graph) >=
                0);
    assert_status(peer__graph_connect(graph, NULL, text, &connection_id), PEER_OK);
    driver->unlock(driver);
    return graph;
}

/* Each graph of a host is told apart by AUTH_INFO, and none hears of another's records. */
SCENARIO(three_graphs_share_a_port)
{
    static const char *const names[] = {"G1", "G2", "G3"};
    struct graph *ours[3];
    struct graph *theirs[3];
    size_t a = world_host(world);
    size_t b = world_host(world);
    for (size_t i = 0; i < 3; i++)
        ours[i] = create_graph(world, a, names[i]);
    for (size_t i = 0; i < 3; i++)
        theirs[i] = join_graph(world, b, names[i]);
    world_run(world, 10);
    for (size_t i = 0; i < 3; i++) {
        peer_guid *ids;
        size_t count;
        world->nodes[a].graph = ours[i];
        for (size_t k = 0; k <= i; k++)
            world_add(world, a, names[i]);
        world_run(world, 5);
        assert_status(peer__graph_list(theirs[i], NULL, NULL, &ids, &count), PEER_OK);
        assert_int_equal(count, i + 1);
        peer__free(ids);
    }
    world->nodes[a].graph = ours[1];
    world_close(world, a);
    world_run(world, 5);
    assert_int_equal(peer__graph_status(theirs[1]) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
    assert_int_not_equal(peer__graph_status(theirs[0]) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
    assert_int_not_equal(peer__graph_status(theirs[2]) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(first_join_is_told_in_order),
        SCENARIO_TEST(prioritized_types_come_first_and_are_told),
        SCENARIO_TEST(changes_are_told_once_each),
        SCENARIO_TEST(a_refused_attempt_is_told),
        SCENARIO_TEST(who_was_never_synchronized_may_not_listen_or_add),
        SCENARIO_TEST(three_graphs_share_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

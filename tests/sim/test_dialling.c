/* Nodes that find and keep neighbours by themselves (spec parts 9.6, 9.7, 14.4; decisions.md 13, 14). */
#include "puppet.h"

#include <stdio.h>

static size_t links(const struct world *world, size_t node)
{
    return peer__sim_connections(world->nodes[node].host, NULL);
}

/* The next event about a neighbour connection of that change. */
static int next_connection(struct world *world, size_t node, int32_t change, peer_event_view *view_out)
{
    while (world_next_event(world, node, view_out)) {
        if (view_out->type == PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION && view_out->change == change)
            return 1;
    }
    return 0;
}

struct range {
    struct world *world;
    size_t least;
    size_t most;
    size_t total; /* over all nodes, at most */
};

static int everyone_is_within(void *context)
{
    const struct range *range = context;
    size_t total = 0;
    for (size_t i = 0; i < range->world->count; i++) {
        size_t count = links(range->world, i);
        total += count;
        if (range->world->nodes[i].graph != NULL && (count < range->least || count > range->most))
            return 0;
    }
    return total <= range->total;
}

/* Now and then a node has just pruned or lost one; within a minute it is well again. */
static void assert_everyone_has_neighbours(struct world *world, size_t at_least, size_t at_most)
{
    struct range range = {world, at_least, at_most, SIZE_MAX};
    assert_true(
        peer__sim_run_until(world->sim, everyone_is_within, &range, peer__sim_now_us(world->sim) + 60 * SECOND));
}

static void assert_a_record_travels(struct world *world, size_t from)
{
    peer_guid id = world_add(world, from, "news");
    world_settle(world, 60);
    assert_converged(world);
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].graph != NULL)
            assert_true(world_has(world, i, &id));
    }
}

SCENARIO(newcomers_find_a_second_and_third_neighbour)
{
    world->automatic = 1;
    world_star(world, 5); /* each was told one address only */
    world_run(world, 20);
    assert_everyone_has_neighbours(world, 2, 7);
    world_run(world, 900);
    assert_everyone_has_neighbours(world, 2, 4);
    world_crash(world, 0, SIM_CRASH_PROCESS);
    assert_a_record_travels(world, 1);
}

/* 9.6: the eighth is refused and named seven others, and its connection is made to one of them. */
SCENARIO(a_full_node_refers_to_its_neighbours)
{
    peer_event_view event;
    world->automatic = 1;
    world_star(world, 8);
    for (size_t i = 0; i < 6; i++) { /* as full as can be */
        if (links(world, 0) < 7)
            world_connect(world, 0, 7 - i);
        world_run(world, 1);
    }
    size_t late = world_host(world);
    assert_true(world_open(world, late) >= 0);
    world_watch(world, late);
    uint64_t id = world_connect(world, late, 0);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = late}, 30));
    assert_true(next_connection(world, late, PEER_CONNECTION_FAILED, &event));
    assert_int_equal(event.connection_id, id);
    assert_int_equal(event.reason, PEER_E_CONNECTION_REFUSED);
    while (event.change == PEER_CONNECTION_FAILED) { /* whoever follows the thread gets to the end */
        id = event.next_connection_id;
        assert_int_not_equal(id, 0);
        do {
            assert_true(world_next_event(world, late, &event));
        } while (event.type != PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION || event.connection_id != id);
    }
    assert_int_equal(event.change, PEER_CONNECTED);
}

SCENARIO(twenty_join_over_one_address)
{
    world->automatic = 1;
    size_t first = world_host(world);
    world_create(world, first);
    world_listen(world, first);
    for (size_t i = 0; i < 20; i++)
        world_join(world, world_host(world), first);
    world_run(world, 60);
    assert_everyone_has_neighbours(world, 2, 7);
    assert_a_record_travels(world, 20);
}

SCENARIO(a_lost_neighbour_is_dialled_again)
{
    world->automatic = 1;
    world_line(world, 2);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_run(world, 3);
    assert_int_equal(links(world, 1), 1);
    assert_status(peer__sim_partition(&world->nodes[0].host, 1, &world->nodes[1].host, 1), PEER_OK);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_add(world, 0, "left");
    world_add(world, 1, "right");
    world_run(world, 3600);
    assert_int_equal(links(world, 1), 0);
    peer__sim_heal(world->sim);
    world_run(world, 50); /* 30 s and a quarter, and a dial that was under way */
    assert_int_equal(links(world, 1), 1);
    world_settle(world, 10);
}

SCENARIO(the_address_book_survives_the_process)
{
    world->automatic = 1;
    world_star(world, 4);
    world_run(world, 60);
    for (size_t i = 1; i < 4; i++)
        world_crash(world, i, SIM_CRASH_PROCESS);
    world_run(world, 86400);
    for (size_t i = 1; i < 4; i++) {
        world_restart(world, i);
        world_run(world, 60);
        assert_int_equal(links(world, i), 0); /* an open graph alone does not use the network */
        world_listen(world, i);
    }
    world_run(world, 60);
    assert_everyone_has_neighbours(world, 2, 7);
    assert_a_record_travels(world, 3);
}

SCENARIO(a_manual_graph_makes_no_connections_of_its_own)
{
    peer_event_view event;
    world_star(world, 9 - 1);
    world_run(world, 1000);
    for (size_t i = 1; i < 8; i++)
        assert_int_equal(links(world, i), 1);
    size_t late = world_host(world);
    assert_true(world_open(world, late) >= 0);
    world_watch(world, late);
    uint64_t id = world_connect(world, late, 0);
    world_run(world, 30);
    assert_true(next_connection(world, late, PEER_CONNECTION_FAILED, &event));
    assert_int_equal(event.connection_id, id);
    assert_int_equal(event.reason, PEER_E_CONNECTION_REFUSED);
    peer__sim_reset(world->nodes[1].host, NULL);
    world_run(world, 1000);
    assert_int_equal(links(world, 1), 0);
}

SCENARIO(too_many_neighbours_become_three)
{
    world->automatic = 1;
    world_clique(world, 6);
    world_run(world, 4 * 3600);
    struct range range = {world, 2, 5, 6 * 3 + 4};
    assert_true(
        peer__sim_run_until(world->sim, everyone_is_within, &range, peer__sim_now_us(world->sim) + 600 * SECOND));
    assert_a_record_travels(world, 2);
}

/* ------------------------------------------------------------------------------------------------- hostile referrals */

struct dials {
    size_t count;    /* wherever they led */
    size_t accepted; /* of them, by who listens */
};

static void count_dials(void *self, const char *text, size_t size)
{
    struct dials *dials = self;
    (void)size;
    if (strstr(text, "\"dialled\"") != NULL)
        dials->count++;
    if (strstr(text, "\"accepted\"") != NULL)
        dials->accepted++;
}

static void refuse_busy(struct puppet *puppet, const struct address *named, size_t count)
{
    struct wire_message message;
    struct buffer bytes = {0};
    puppet->closed = 0;
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    peer__encode_refuse(&bytes, REFUSE_BUSY, named, count);
    puppet_send(puppet, &bytes);
    peer__buffer_free(&bytes);
}

static uint64_t connect_to(struct world *world, size_t node, const struct puppet *puppet)
{
    char text[ADDRESS_TEXT_SIZE];
    uint64_t id;
    peer__address_format(&puppet->addresses[0], text);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_connect(world->nodes[node].graph, NULL, text, &id), PEER_OK);
    driver->unlock(driver);
    return id;
}

/* Whoever names addresses decides where others dial: never to themselves, and never often. */
SCENARIO(referrals_to_nowhere_are_not_dialled)
{
    peer_event_view event;
    struct dials dials = {0};
    struct address named[10] = {0};
    world->automatic = 1;
    world_line(world, 1);
    world_watch(world, 0);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    for (size_t i = 0; i < 10; i++)
        named[i] = (struct address){.port = 25};
    named[0].ip[15] = 1; /* loopback */
    named[1].ip[10] = named[1].ip[11] = 0xFF;
    named[1].ip[12] = 127; /* 127.0.0.0 */
    named[2].ip[0] = 0xFF; /* multicast; the others are unspecified, or … */
    named[3].ip[0] = 0xFE; /* … link-local without a scope … */
    named[3].ip[1] = 0x80;
    named[4] = *peer__sim_host_address(world->nodes[0].host); /* … or the node itself */
    named[4].port = SCENARIO_PORT;
    peer__sim_trace_to(world->sim, count_dials, &dials);
    uint64_t id = connect_to(world, 0, puppet);
    refuse_busy(puppet, named, 10);
    world_run(world, 5);
    assert_true(next_connection(world, 0, PEER_CONNECTION_FAILED, &event));
    assert_int_equal(event.connection_id, id);
    assert_int_equal(event.reason, PEER_E_CONNECTION_REFUSED);
    assert_int_equal(event.next_connection_id, 0);
    assert_int_equal(dials.count, dials.accepted); /* but to the one that is full */
    puppet_free(puppet);
}

SCENARIO(a_minute_has_ten_dials_to_referrals)
{
    struct dials dials = {0};
    struct address named[10];
    world->automatic = 1;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    peer__sim_trace_to(world->sim, count_dials, &dials);
    connect_to(world, 0, puppet);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < 10; i++) {
            named[i] = puppet->addresses[0];
            named[i].port = (uint16_t)(6000 + 10 * round + i);
        }
        refuse_busy(puppet, named, 10);
        assert_true(puppet_is_hung_up(puppet, 5)); /* it is asked again: perhaps it has a place now */
    }
    assert_true(peer__sim_now_us(world->sim) < 60 * SECOND);
    assert_int_equal(dials.count - dials.accepted, 10);
    world_run(world, 3600);
    /* All forty others within the hour, each once or twice: what failed rests. */
    assert_in_range(dials.count - dials.accepted, 50, 50 + 2 * 50);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(newcomers_find_a_second_and_third_neighbour),
        SCENARIO_TEST(a_full_node_refers_to_its_neighbours),
        SCENARIO_TEST(twenty_join_over_one_address),
        SCENARIO_TEST(a_lost_neighbour_is_dialled_again),
        SCENARIO_TEST(the_address_book_survives_the_process),
        SCENARIO_TEST(a_manual_graph_makes_no_connections_of_its_own),
        SCENARIO_TEST(too_many_neighbours_become_three),
        SCENARIO_TEST(referrals_to_nowhere_are_not_dialled),
        SCENARIO_TEST(a_minute_has_ten_dials_to_referrals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

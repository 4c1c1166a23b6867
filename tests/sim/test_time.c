/* Peer time (spec part 10) and clocks that are wrong, run fast, or are stepped. */
#include <stdlib.h>

#include "puppet.h"

#include "base/time.h"

static int64_t apart_us(struct world *world, size_t a, size_t b)
{
    return llabs(world_peer_time_us(world, a) - world_peer_time_us(world, b));
}

/* D-18: who was never in the graph takes its time, however wrong its own clock is. */
SCENARIO(a_newcomer_three_hours_off_takes_the_graphs_time)
{
    world_line(world, 1);
    size_t early = world_host(world);
    size_t late = world_host(world);
    peer__sim_host_set_clock(world->nodes[early].host, -3 * HOUR_S * SECOND, 0);
    peer__sim_host_set_clock(world->nodes[late].host, 3 * HOUR_S * SECOND, 0);
    world_join(world, early, 0);
    world_join(world, late, 0);
    assert_in_range(apart_us(world, 0, early), 0, SECOND / 10);
    assert_in_range(apart_us(world, 0, late), 0, SECOND / 10);
    peer_guid id = world_add(world, early, "now");
    world_settle(world, 10);
    assert_true(world_has(world, late, &id));
}

/* Answers the node's CONNECT as a neighbour whose clock is `ahead_us` ahead of true time, after `wait_us`. */
static void welcome_with(struct puppet *puppet, int64_t ahead_us, int64_t wait_us)
{
    struct wire_message message;
    struct buffer welcome = {0};
    struct sim *sim = puppet->world->sim;
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    peer__sim_run_for(sim, wait_us);
    uint64_t ticks = peer__ticks_from_us(SIM_EPOCH_US + peer__sim_now_us(sim) + ahead_us);
    peer__encode_welcome(&welcome, puppet->node_id, ticks, NULL, 0,
                         (struct span){(const uint8_t *)puppet->peer_id, strlen(puppet->peer_id)},
                         (struct span){NULL, 0}, NULL);
    puppet_send(puppet, &welcome);
    peer__sim_run_for(sim, SECOND);
}

static void connect_to(struct world *world, size_t node, struct puppet *puppet)
{
    char text[ADDRESS_TEXT_SIZE];
    uint64_t connection_id;
    peer__address_format(&puppet->addresses[0], text);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    assert_status(peer__graph_connect(world->nodes[node].graph, NULL, text, &connection_id), PEER_OK);
    driver->unlock(driver);
}

static int64_t ahead_us(struct world *world, size_t node)
{
    return world_peer_time_us(world, node) - (SIM_EPOCH_US + peer__sim_now_us(world->sim));
}

/* 3.1.5.2.2: the first neighbour's time is taken over, the second's counts one fifth. */
SCENARIO(the_second_neighbour_counts_one_fifth)
{
    world_line(world, 1);
    struct puppet *first = puppet_create(world, 77);
    struct puppet *second = puppet_create(world, 78);
    puppet_listen(first);
    puppet_listen(second);
    connect_to(world, 0, first);
    welcome_with(first, 100 * SECOND, 0);
    assert_in_range(ahead_us(world, 0), 99 * SECOND, 101 * SECOND);
    connect_to(world, 0, second);
    welcome_with(second, 200 * SECOND, 0);
    assert_in_range(ahead_us(world, 0), 119 * SECOND, 121 * SECOND);
    puppet_free(first);
    puppet_free(second);
}

/* Half of the time that CONNECT and WELCOME took is added. */
SCENARIO(travel_time_is_halved)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    connect_to(world, 0, puppet);
    welcome_with(puppet, 0, 20 * SECOND);
    /* WELCOME left after 20 s and was current; the node believes that half of them came after it. */
    assert_in_range(ahead_us(world, 0), 10 * SECOND - SECOND / 10, 10 * SECOND + SECOND / 10);
    puppet_free(puppet);
}

SCENARIO(beyond_twenty_minutes_is_no_time)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    connect_to(world, 0, puppet);
    welcome_with(puppet, 1201 * SECOND, 0);
    assert_in_range(llabs(ahead_us(world, 0)), 0, SECOND / 10);
    puppet_hang_up(puppet);
    world_run(world, 2);
    connect_to(world, 0, puppet);
    welcome_with(puppet, -1199 * SECOND, 0);
    assert_in_range(ahead_us(world, 0), -1201 * SECOND, -1198 * SECOND);
    puppet_free(puppet);
}

/* Clocks that drift apart do not keep records from travelling and ending. */
SCENARIO(drifting_clocks_converge)
{
    peer_guid id;
    for (size_t i = 0; i < 3; i++) {
        size_t node = world_host(world);
        int64_t offset_us = (int64_t)peer__sim_draw(world->sim, 600) * SECOND;
        peer__sim_host_set_clock(world->nodes[node].host, offset_us, (int32_t)peer__sim_draw(world->sim, 400) - 200);
        if (node == 0) {
            world_create(world, node);
            world_listen(world, node);
        } else {
            world_join(world, node, node - 1);
        }
    }
    for (int hour = 0; hour < 5; hour++) {
        for (size_t i = 0; i < 3; i++)
            assert_status(world_add_bytes(world, i, &scenario_note, "x", 1, 6000, &id), PEER_OK);
        world_run(world, HOUR_S);
    }
    world_run(world, 2 * HOUR_S + 60);
    assert_converged(world);
    assert_int_equal(world_record_count(world, 0), 0);
}

/* decisions.md 5: a step of the local clock moves the delta, not peer time. */
SCENARIO(an_update_after_a_clock_stepped_back_still_wins)
{
    world_line(world, 2);
    peer_guid id = world_add(world, 1, "first");
    world_settle(world, 10);
    peer__sim_host_set_clock(world->nodes[0].host, -300 * SECOND, 0);
    assert_status(world_update(world, 0, &id, "second"), PEER_OK);
    world_settle(world, 10);
    struct record *record = world_get(world, 1, &id);
    assert_non_null(record);
    assert_int_equal(record->fields.version, 2);
    peer__record_release(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_newcomer_three_hours_off_takes_the_graphs_time),
        SCENARIO_TEST(the_second_neighbour_counts_one_fifth),
        SCENARIO_TEST(travel_time_is_halved),
        SCENARIO_TEST(beyond_twenty_minutes_is_no_time),
        SCENARIO_TEST(drifting_clocks_converge),
        SCENARIO_TEST(an_update_after_a_clock_stepped_back_still_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The end of records when something else happens too: the clock is corrected, the disk is full. */
#include "puppet.h"

static size_t count_changes(struct world *world, size_t node, int32_t change)
{
    peer_event_view event;
    size_t count = 0;
    while (world_next_event(world, node, &event))
        count += event.type == PEER_GRAPH_EVENT_RECORD_CHANGED && event.change == change;
    return count;
}

/* A node comes back with a clock that is fast, and is corrected by its first neighbour: what ends in the minutes that
 * it believed to be over is told all the same. */
SCENARIO(a_clock_that_is_set_back_hides_no_expiration)
{
    peer_guid id;
    world_line(world, 2);
    world_close(world, 1);
    peer__sim_host_set_clock(world->nodes[1].host, 600 * SECOND, 0);
    world_run(world, 1);
    assert_true(world_open(world, 1) >= 0);
    world_watch(world, 1);
    world_connect(world, 1, 0);
    world_run(world, 5);
    assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 300, &id), PEER_OK);
    world_run(world, 5);
    assert_true(world_has(world, 1, &id));
    assert_int_equal(count_changes(world, 1, PEER_RECORD_EXPIRED), 0);
    world_run(world, 330);
    assert_int_equal(count_changes(world, 1, PEER_RECORD_EXPIRED), 1);
}

/* Removing rows failed: that is tried again later, and what arrives meanwhile is not turned away for it. */
SCENARIO(a_full_disk_at_the_time_of_removal)
{
    peer_guid id;
    world_line(world, 2);
    assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 60, &id), PEER_OK);
    world_run(world, 50);
    peer__sim_host_set_disk_full(world->nodes[1].host, 1);
    world_run(world, 60);
    peer__sim_host_set_disk_full(world->nodes[1].host, 0);
    id = world_add(world, 0, "after that");
    world_run(world, 10); /* it looks for room every 5 s */
    assert_true(world_has(world, 1, &id));
    assert_int_equal(peer__sim_connections(world->nodes[0].host, world->nodes[1].host), 1);
}

/* A clock that leaps ahead while the node runs hides what it believes to have ended, but removes nothing. */
SCENARIO(a_clock_that_leaps_ahead_removes_nothing)
{
    peer_guid id;
    world_line(world, 2);
    peer_guid kept = world_add(world, 0, "an hour");
    assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 60, &id), PEER_OK);
    world_run(world, 10);
    peer__sim_host_set_clock(world->nodes[1].host, 48 * HOUR_S * SECOND, 0);
    world_run(world, 200); /* the timer for the short one fires */
    assert_false(world_has(world, 1, &kept));
    peer__sim_host_set_clock(world->nodes[1].host, 0, 0);
    world_run(world, 1);
    assert_true(world_has(world, 1, &kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_clock_that_is_set_back_hides_no_expiration),
        SCENARIO_TEST(a_clock_that_leaps_ahead_removes_nothing),
        SCENARIO_TEST(a_full_disk_at_the_time_of_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

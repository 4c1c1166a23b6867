/* The end of records when something else happens too: the clock is corrected, the disk is full. */
#include <stdlib.h>

#include "graph/parts.h"
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

static uint64_t row_count(struct world *world, size_t node)
{
    uint64_t count;
    struct graph *graph = world->nodes[node].graph;
    assert_status(graph->store->operations->count(graph->store, &count), PEER_OK);
    return count;
}

static void add_that_expire_together(struct world *world, size_t node, size_t count)
{
    peer_guid id;
    for (size_t i = 0; i < count; i++)
        assert_status(world_add_bytes(world, node, &scenario_note, "x", 1, 60, &id), PEER_OK);
}

/* More than are told, or removed, in one turn. */
SCENARIO(any_number_may_expire_at_one_moment)
{
    enum { COUNT = 700 };
    world_line(world, 2);
    world_watch(world, 1);
    add_that_expire_together(world, 0, COUNT);
    world_run(world, 10);
    uint64_t before = row_count(world, 1);
    world_run(world, 90);
    assert_int_equal(count_changes(world, 1, PEER_RECORD_EXPIRED), COUNT);
    assert_true(row_count(world, 1) == before - COUNT);
}

/* What is kept for deletions is not enough to remove all at once. */
SCENARIO(what_expires_at_one_moment_is_removed_in_pieces_from_a_full_disk)
{
    world_line(world, 2);
    add_that_expire_together(world, 0, 100);
    world_run(world, 50);
    uint64_t before = row_count(world, 1);
    peer__sim_host_set_disk_full(world->nodes[1].host, 1);
    world_run(world, 60);
    assert_true(row_count(world, 1) <= before - 16);
    assert_true(row_count(world, 1) > before - 100);
    peer__sim_host_set_disk_full(world->nodes[1].host, 0);
    world_run(world, 20); /* the rest as soon as there is room again */
    assert_true(row_count(world, 1) == before - 100);
}

/* ---------------------------------------------------------------------------------- a year ahead, and back (decisions.md 5) */

#define DAY_S (24 * HOUR_S)
#define YEAR (365 * DAY_S * SECOND)

static const int64_t lifetimes_s[] = {HOUR_S, DAY_S, 30 * DAY_S, 364 * DAY_S, 366 * DAY_S, 730 * DAY_S};
enum { LIFETIMES = sizeof(lifetimes_s) / sizeof(lifetimes_s[0]) };

static void add_lifetimes(struct world *world, size_t node, peer_guid ids[LIFETIMES])
{
    for (size_t i = 0; i < LIFETIMES; i++)
        assert_status(world_add_bytes(world, node, &scenario_note, "x", 1, lifetimes_s[i], &ids[i]), PEER_OK);
}

static void assert_all_there(struct world *world, size_t node, const peer_guid ids[LIFETIMES])
{
    for (size_t i = 0; i < LIFETIMES; i++)
        assert_true(world_has(world, node, &ids[i]));
}

static void step_clock(struct world *world, size_t node, int64_t offset_us)
{
    peer__sim_host_set_clock(world->nodes[node].host, offset_us, 0);
    world_run(world, 300);
}

/* While a node runs, its peer time goes on whatever its clock says. */
static void leap_while_running(struct world *world, size_t node, const peer_guid ids[LIFETIMES])
{
    static const int64_t offsets[] = {YEAR, 0, -YEAR, YEAR, 0};
    world_watch(world, node);
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        peer_guid id;
        step_clock(world, node, offsets[i]);
        assert_all_there(world, node, ids);
        assert_status(world_add_bytes(world, node, &scenario_note, "y", 1, 600, &id), PEER_OK);
        assert_true(world_has(world, node, &id));
    }
    assert_int_equal(count_changes(world, node, PEER_RECORD_EXPIRED), 3); /* ours of 600 s, in 300 s each */
}

SCENARIO(a_clock_that_leaps_a_year_loses_nothing_alone)
{
    peer_guid ids[LIFETIMES];
    world_line(world, 1);
    add_lifetimes(world, 0, ids);
    leap_while_running(world, 0, ids);
}

SCENARIO(a_clock_that_leaps_a_year_loses_nothing_among_neighbours)
{
    peer_guid ids[LIFETIMES];
    world_line(world, 3);
    add_lifetimes(world, 0, ids);
    world_run(world, 5);
    leap_while_running(world, 1, ids);
    world_settle(world, 30);
    assert_all_there(world, 2, ids);
}

static void come_back(struct world *world, size_t node, int64_t offset_us)
{
    peer__sim_host_set_clock(world->nodes[node].host, offset_us, 0);
    assert_true(world_open(world, node) >= 0);
    world_listen(world, node);
    world_run(world, 60);
}

/* It starts with the wrong date, which cannot be known: what has ended by it is hidden, and there when it is put right. */
SCENARIO(a_start_in_the_wrong_year_loses_nothing)
{
    peer_guid ids[LIFETIMES];
    world_line(world, 1);
    add_lifetimes(world, 0, ids);
    for (int round = 0; round < 3; round++) {
        world_close(world, 0);
        come_back(world, 0, YEAR);
        world_close(world, 0);
        come_back(world, 0, YEAR);
        assert_true(world_has(world, 0, &ids[LIFETIMES - 1]));
        if (round == 0) { /* put right while it is away */
            world_close(world, 0);
            come_back(world, 0, 0);
        } else { /* or while it runs */
            step_clock(world, 0, 0);
        }
        assert_all_there(world, 0, ids);
    }
    leap_while_running(world, 0, ids);
}

/* A neighbour knows better at once, so that nothing is refused meanwhile either. */
SCENARIO(a_start_in_the_wrong_year_among_neighbours)
{
    peer_guid ids[LIFETIMES];
    peer_guid more[LIFETIMES];
    world_line(world, 2);
    add_lifetimes(world, 0, ids);
    world_run(world, 5);
    world_close(world, 1);
    come_back(world, 1, YEAR);
    world_connect(world, 1, 0);
    world_run(world, 5);
    add_lifetimes(world, 0, more);
    world_run(world, 5);
    assert_all_there(world, 1, ids);
    assert_all_there(world, 1, more);
    world_close(world, 1);
    come_back(world, 1, 0); /* put right while it was away */
    assert_all_there(world, 1, ids);
    assert_true(llabs(world_peer_time_us(world, 1) - world_peer_time_us(world, 0)) < SECOND);
    world_connect(world, 1, 0);
    world_run(world, 5);
    leap_while_running(world, 1, ids);
    assert_all_there(world, 0, more);
}

/* Sleep is no step: time has passed, and what ended in it has ended. */
SCENARIO(a_machine_that_slept_knows_the_time)
{
    peer_guid ids[LIFETIMES];
    world_line(world, 1);
    add_lifetimes(world, 0, ids);
    world_run(world, 5);
    peer__sim_host_sleep(world->nodes[0].host, 2 * HOUR_S * SECOND);
    world_run(world, 20);
    assert_false(world_has(world, 0, &ids[0]));
    assert_true(world_has(world, 0, &ids[1]));
}

/* Where sleep cannot be told from a step, the next neighbour tells. */
SCENARIO(a_machine_that_stood_still_is_told_the_time)
{
    peer_guid id;
    world_line(world, 2);
    world_run(world, 5);
    peer__sim_reset(world->nodes[1].host, NULL);
    peer__sim_host_set_clock(world->nodes[0].host, 8 * HOUR_S * SECOND, 0);
    peer__sim_host_set_clock(world->nodes[1].host, 8 * HOUR_S * SECOND, 0);
    world_close(world, 0); /* the other one was never still: it starts with the right time */
    assert_true(world_open(world, 0) >= 0);
    world_listen(world, 0);
    world_run(world, 5);
    assert_true(world_peer_time_us(world, 0) - world_peer_time_us(world, 1) > 7 * HOUR_S * SECOND);
    world_connect(world, 1, 0);
    world_run(world, 5);
    assert_true(llabs(world_peer_time_us(world, 1) - world_peer_time_us(world, 0)) < SECOND);
    id = world_add(world, 1, "now");
    world_run(world, 5);
    assert_true(world_has(world, 0, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_clock_that_is_set_back_hides_no_expiration),
        SCENARIO_TEST(a_clock_that_leaps_a_year_loses_nothing_alone),
        SCENARIO_TEST(a_clock_that_leaps_a_year_loses_nothing_among_neighbours),
        SCENARIO_TEST(a_start_in_the_wrong_year_loses_nothing),
        SCENARIO_TEST(a_start_in_the_wrong_year_among_neighbours),
        SCENARIO_TEST(a_machine_that_slept_knows_the_time),
        SCENARIO_TEST(a_machine_that_stood_still_is_told_the_time),
        SCENARIO_TEST(a_full_disk_at_the_time_of_removal),
        SCENARIO_TEST(any_number_may_expire_at_one_moment),
        SCENARIO_TEST(what_expires_at_one_moment_is_removed_in_pieces_from_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every record reaches every node, whatever the shape of the mesh (spec parts 11, 12, 21). */
#include "scenario.h"

#include <stdio.h>

#include "wire/message.h"

SCENARIO(two_nodes_synchronize)
{
    size_t a = world_host(world);
    world_create(world, a);
    world_listen(world, a);
    for (int i = 0; i < 30; i++)
        world_add(world, a, "before");
    size_t b = world_host(world);
    world_join(world, b, a);
    assert_int_equal(world_record_count(world, b), 30);
    assert_converged(world);
}

static void everyone_adds(struct world *world)
{
    size_t count = world->count;
    for (size_t i = 0; i < count; i++) {
        peer_guid id = world_add(world, i, "one");
        world_add(world, i, "two");
        assert_status(world_update(world, i, &id, "one, changed"), PEER_OK);
        world_run(world, (int64_t)peer__sim_draw(world->sim, 2));
    }
    world_settle(world, 30);
    assert_int_equal(world_record_count(world, 0), 2 * count);
    peer_guid gone = world_add(world, 0, "gone");
    world_settle(world, 30);
    assert_status(world_delete(world, count - 1, &gone), PEER_OK);
    world_settle(world, 30);
    assert_int_equal(world_record_count(world, 0), 2 * count);
}

SCENARIO(line_of_five)
{
    world_line(world, 5);
    everyone_adds(world);
}

SCENARIO(ring_of_five)
{
    world_ring(world, 5);
    everyone_adds(world);
}

SCENARIO(star_of_six)
{
    world_star(world, 6);
    everyone_adds(world);
}

SCENARIO(clique_of_five)
{
    world_clique(world, 5);
    assert_int_equal(peer__sim_connections(world->nodes[0].host, NULL), 4);
    everyone_adds(world);
}

/* 17.1, 4: N1 creates; each FLOOD but the one of a full edge is useful once at its receiver, and nothing storms. */
SCENARIO(flooding_in_a_triangle)
{
    world_clique(world, 3);
    world_run(world, 60);
    uint64_t before = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL);
    peer_guid id = world_add(world, 0, "news");
    world_run(world, 30);
    for (size_t i = 0; i < 3; i++)
        assert_true(world_has(world, i, &id));
    uint64_t floods = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL) - before;
    /* Two from the author, and at most one each way between the others: whoever has it from there need not be told. */
    assert_in_range(floods, 3, 4);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, world->nodes[0].host), 0);
}

SCENARIO(late_joiner_gets_everything)
{
    world_line(world, 3);
    peer_guid ids[40];
    for (size_t i = 0; i < 40; i++)
        ids[i] = world_add(world, i % 3, "old");
    world_run(world, 60);
    for (size_t i = 0; i < 40; i += 4)
        assert_status(world_update(world, (i + 1) % 3, &ids[i], "newer"), PEER_OK);
    for (size_t i = 1; i < 40; i += 4)
        assert_status(world_delete(world, (i + 1) % 3, &ids[i]), PEER_OK);
    world_run(world, 600);
    world_join(world, world_host(world), 1);
    assert_converged(world);
    assert_int_equal(world_record_count(world, 3), 30);
}

SCENARIO(joins_during_a_bulk)
{
    static uint8_t bytes[3000];
    world_line(world, 2);
    size_t joiner = world_host(world);
    assert_true(world_open(world, joiner) >= 0);
    world_connect(world, joiner, 1);
    for (size_t i = 0; i < 400; i++) {
        peer_guid id;
        assert_status(world_add_bytes(world, i % 2, &scenario_note, bytes, sizeof(bytes), HOUR_S, &id), PEER_OK);
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 3000));
    }
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 60));
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, joiner), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(two_nodes_synchronize),
        SCENARIO_TEST(line_of_five),
        SCENARIO_TEST(ring_of_five),
        SCENARIO_TEST(star_of_six),
        SCENARIO_TEST(clique_of_five),
        SCENARIO_TEST(flooding_in_a_triangle),
        SCENARIO_TEST(late_joiner_gets_everything),
        SCENARIO_TEST(joins_during_a_bulk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

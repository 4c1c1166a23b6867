/* Two hundred nodes in each shape: what one writes, all have. */
#include "scenario.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 50 /* what sanitizers look for does not need a crowd */
#else
#define MANY 200
#endif

/* From both ends and the middle, changed and deleted elsewhere. */
static void a_few_write(struct world *world)
{
    static const size_t writers[] = {0, MANY / 3, MANY / 2, MANY - 1};
    for (size_t i = 0; i < 4; i++) {
        peer_guid kept = world_add(world, writers[i], "kept");
        peer_guid gone = world_add(world, writers[i], "gone");
        world_settle(world, 120);
        assert_status(world_update(world, writers[(i + 1) % 4], &kept, "changed"), PEER_OK);
        assert_status(world_delete(world, writers[(i + 2) % 4], &gone), PEER_OK);
    }
    world_settle(world, 120);
    assert_int_equal(world_record_count(world, MANY / 2), 4);
}

LARGE_SCENARIO(line_of_two_hundred)
{
    world_line(world, MANY);
    a_few_write(world);
}

LARGE_SCENARIO(ring_of_two_hundred)
{
    world_ring(world, MANY);
    a_few_write(world);
}

/* Everyone dials everyone, and seven is the most that anyone takes. */
LARGE_SCENARIO(clique_of_two_hundred)
{
    world->automatic = 1;
    size_t first = world_host(world);
    world_create(world, first);
    world_listen(world, first);
    while (world->count < MANY) {
        size_t known = (size_t)peer__sim_draw(world->sim, world->count);
        world_join(world, world_host(world), known);
    }
    for (size_t i = 0; i < MANY; i++) {
        for (size_t other = 0; other < MANY; other++)
            world_try_connect(world, i, other);
        peer__sim_run_for(world->sim, SECOND / 10);
    }
    world_run(world, 10);
    for (size_t i = 0; i < MANY; i++)
        assert_in_range(peer__sim_connections(world->nodes[i].host, NULL), 1, 7);
    a_few_write(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(line_of_two_hundred),
        SCENARIO_TEST(ring_of_two_hundred),
        SCENARIO_TEST(clique_of_two_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

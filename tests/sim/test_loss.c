/* Nodes that die at the worst moment: all neighbours of one at once, and either side after any message of a
 * synchronization. */
#include "scenario.h"

static size_t links(const struct world *world, size_t a, size_t b)
{
    return peer__sim_connections(world->nodes[a].host, world->nodes[b].host);
}

/* --------------------------------------------------------------------------------------------------- all neighbours */

#define NODES 16

static void kill_neighbours(struct world *world, size_t node, enum sim_crash how)
{
    int dies[NODES];
    for (size_t i = 0; i < NODES; i++)
        dies[i] = i != node && links(world, node, i) > 0;
    for (size_t i = 0; i < NODES; i++) {
        if (dies[i])
            world_crash(world, i, how);
    }
}

static void bring_back(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        if (world->nodes[i].graph == NULL) {
            world_restart(world, i);
            world_listen(world, i);
        }
    }
}

SCENARIO(every_neighbour_is_killed_at_once)
{
    world_mesh(world, NODES);
    world_run(world, 120);
    for (int round = 0; round < 4; round++) {
        size_t node = (size_t)peer__sim_draw(world->sim, NODES);
        kill_neighbours(world, node, round % 2 == 0 ? SIM_CRASH_PROCESS : SIM_CRASH_MACHINE);
        peer_guid id = world_add(world, node, "the last words");
        world_run(world, 110); /* a machine's death is noticed by its silence */
        /* Who was full knows nobody else, but has contacts, which it sees apart from it when its signature changes. */
        assert_true(world_until(world, node_is_connected, (struct condition){.node = node, .number = 1}, 400));
        world_settle(world, 400);
        bring_back(world);
        world_settle(world, 300);
        for (size_t i = 0; i < NODES; i++)
            assert_true(world_has(world, i, &id));
    }
}

/* ------------------------------------------------------------------------------------------- within a synchronization */

#define RECORDS 30
/* Records in one direction, the questions and answers of three stages, a comparison: it ends long before. */
#define MESSAGES_MAX 400

struct moment {
    struct world *world;
    size_t joiner;
    uint64_t messages; /* delivered to either side */
};

static uint64_t count_messages(const struct moment *moment)
{
    uint64_t count = 0;
    for (uint8_t type = 0; type < 16; type++) {
        count += peer__sim_message_count(moment->world->sim, type, moment->world->nodes[0].host);
        count += peer__sim_message_count(moment->world->sim, type, moment->world->nodes[moment->joiner].host);
    }
    return count;
}

static int has_come(void *context)
{
    const struct moment *moment = context;
    return count_messages(moment) >= moment->messages;
}

/* Runs until so many messages of the new connection were delivered; 0: there were not so many. */
static int run_to_message(struct world *world, size_t joiner, uint64_t messages)
{
    struct moment moment = {.world = world, .joiner = joiner};
    moment.messages = count_messages(&moment) + messages;
    world_connect(world, joiner, 0);
    return peer__sim_run_until(world->sim, has_come, &moment, peer__sim_now_us(world->sim) + 20 * SECOND);
}

static enum sim_crash draw_crash(struct world *world)
{
    return peer__sim_draw(world->sim, 2) == 0 ? SIM_CRASH_PROCESS : SIM_CRASH_MACHINE;
}

static void prepare(struct world *world)
{
    world_line(world, 1);
    for (size_t i = 0; i < RECORDS; i++) {
        peer_guid id;
        assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 24 * HOUR_S, &id), PEER_OK);
        if (i % 6 == 0)
            assert_status(world_delete(world, 0, &id), PEER_OK);
    }
}

/* After it has crashed it connects anew, gets everything, and leaves. */
static void assert_recovers(struct world *world, size_t joiner)
{
    world_run(world, 1);
    assert_status(world_try_connect(world, joiner, 0), PEER_OK);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 130));
    world_settle(world, 130);
    world_close(world, joiner);
    world_run(world, 2);
}

SCENARIO(a_newcomer_dies_after_any_message)
{
    int all_came = 1;
    prepare(world);
    for (uint64_t messages = 1; all_came; messages++) {
        size_t joiner = world_host(world);
        assert_in_range(messages, 1, MESSAGES_MAX);
        assert_true(world_open(world, joiner) >= 0);
        all_came = run_to_message(world, joiner, messages);
        world_crash(world, joiner, draw_crash(world));
        world_restart(world, joiner);
        assert_recovers(world, joiner);
    }
    assert_int_equal(world_record_count(world, 0), RECORDS - 5);
}

SCENARIO(who_is_asked_dies_after_any_message)
{
    int all_came = 1;
    prepare(world);
    for (uint64_t messages = 1; all_came; messages++) {
        size_t joiner = world_host(world);
        assert_in_range(messages, 1, MESSAGES_MAX);
        assert_true(world_open(world, joiner) >= 0);
        all_came = run_to_message(world, joiner, messages);
        world_crash(world, 0, SIM_CRASH_PROCESS);
        world_run(world, 1);
        world_restart(world, 0);
        world_listen(world, 0);
        assert_recovers(world, joiner);
    }
}

/* Both sides have changed something since they met: what changed is asked for, and then the databases are compared. */
SCENARIO(who_comes_back_dies_after_any_message)
{
    int all_came = 1;
    peer_guid shared[2];
    prepare(world);
    size_t joiner = world_host(world);
    world_join(world, joiner, 0);
    for (size_t i = 0; i < 2; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 24 * HOUR_S, &shared[i]), PEER_OK);
    world_settle(world, 10);
    for (uint64_t messages = 1; all_came; messages++) {
        assert_in_range(messages, 1, MESSAGES_MAX);
        peer__sim_reset(world->nodes[joiner].host, NULL);
        world_run(world, 1);
        assert_status(world_update(world, 0, &shared[0], "here"), PEER_OK);
        assert_status(world_update(world, joiner, &shared[0], "there"), PEER_OK);
        assert_status(world_update(world, messages % 2 == 0 ? 0 : joiner, &shared[1], "one side"), PEER_OK);
        all_came = run_to_message(world, joiner, messages);
        world_crash(world, joiner, draw_crash(world));
        world_restart(world, joiner);
        assert_recovers(world, joiner);
        assert_true(world_open(world, joiner) >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(every_neighbour_is_killed_at_once),
        SCENARIO_TEST(a_newcomer_dies_after_any_message),
        SCENARIO_TEST(who_is_asked_dies_after_any_message),
        SCENARIO_TEST(who_comes_back_dies_after_any_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the records of a graph may hold on a node, in all and of one creator (decisions.md 6). */
#include "puppet.h"

#include "base/store.h"

#define LIMIT 100000
#define RECORD_SIZE 5000
#define RECORDS 40 /* twice as much as the limit allows */

static void set_limits(struct world *world, size_t node, uint64_t database_bytes, uint64_t bytes_per_creator)
{
    struct graph_limits limits = {.database_bytes = database_bytes, .bytes_per_creator = bytes_per_creator};
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer__graph_set_limits(world->nodes[node].graph, &limits);
    driver->unlock(driver);
}

static peer_status add_record(struct world *world, size_t node, size_t size, int64_t lifetime_s, peer_guid *id_out)
{
    static const uint8_t data[2 * RECORD_SIZE];
    return world_add_bytes(world, node, &scenario_note, data, size, lifetime_s, id_out);
}

static void add_records(struct world *world, size_t node, peer_guid ids[RECORDS])
{
    for (size_t i = 0; i < RECORDS; i++)
        assert_status(add_record(world, node, RECORD_SIZE, HOUR_S, &ids[i]), PEER_OK);
}

static int is_full(struct world *world, size_t node)
{
    return (world_status(world, node) & PEER_GRAPH_STATUS_STORAGE_FULL) != 0;
}

static int is_synchronized(struct world *world, size_t node)
{
    return (world_status(world, node) & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
}

/* About as many as fit, and not one more. */
static void assert_holds_what_fits(struct world *world, size_t node)
{
    assert_in_range(world_record_count(world, node), 17, LIMIT / RECORD_SIZE);
}

/* Neither stored nor passed on; what fits after deletions comes by itself. */
SCENARIO(what_is_beyond_the_limit_waits_for_room)
{
    peer_guid ids[RECORDS];
    world_line(world, 3);
    set_limits(world, 1, LIMIT, 0);
    add_records(world, 0, ids);
    world_run(world, 30);
    assert_true(is_full(world, 1));
    assert_false(is_synchronized(world, 1));
    assert_holds_what_fits(world, 1);
    assert_int_equal(world_record_count(world, 2), world_record_count(world, 1));
    assert_false(is_full(world, 2));
    assert_true(is_synchronized(world, 0));

    for (size_t i = 0; i < RECORDS - 10; i++)
        assert_status(world_delete(world, 0, &ids[i]), PEER_OK);
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, 1), 10);
    assert_int_equal(world_record_count(world, 2), 10);
    assert_false(is_full(world, 1));
    assert_true(is_synchronized(world, 1));
}

SCENARIO(room_comes_from_records_that_end)
{
    peer_guid ids[RECORDS];
    peer_guid id;
    world_line(world, 2);
    set_limits(world, 1, LIMIT, 0);
    for (size_t i = 0; i < 15; i++)
        assert_status(add_record(world, 1, RECORD_SIZE, 300, &ids[i]), PEER_OK);
    world_run(world, 5);
    for (size_t i = 0; i < 15; i++)
        assert_status(add_record(world, 0, RECORD_SIZE, HOUR_S, &id), PEER_OK);
    world_run(world, 60);
    assert_true(is_full(world, 1));
    world_run(world, 300);
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, 1), 15);
    assert_false(is_full(world, 1));
}

/* What is wanted may have ended elsewhere: then there is nothing to wait for. */
SCENARIO(what_nobody_has_any_more_is_not_waited_for)
{
    peer_guid ids[RECORDS];
    world_line(world, 2);
    set_limits(world, 1, LIMIT, 0);
    for (size_t i = 0; i < 17; i++)
        assert_status(add_record(world, 1, RECORD_SIZE, HOUR_S, &ids[i]), PEER_OK);
    world_run(world, 5);
    for (size_t i = 0; i < 5; i++)
        assert_status(add_record(world, 0, 2 * RECORD_SIZE, 120, &ids[i]), PEER_OK);
    world_run(world, 10);
    assert_true(is_full(world, 1));
    world_run(world, 700);
    assert_false(is_full(world, 1));
    assert_true(is_synchronized(world, 1));
}

SCENARIO(calls_say_that_the_limit_is_reached)
{
    peer_guid ids[RECORDS];
    peer_guid id;
    size_t count = 0;
    peer_status status = PEER_OK;
    world_line(world, 1);
    set_limits(world, 0, LIMIT, 0);
    while (status == PEER_OK && count < RECORDS) {
        status = add_record(world, 0, RECORD_SIZE, HOUR_S, &ids[count]);
        count += status == PEER_OK;
    }
    assert_status(status, PEER_E_DATABASE_FULL);
    assert_holds_what_fits(world, 0);
    assert_false(is_full(world, 0)); /* nothing of others was refused */
    assert_status(world_update(world, 0, &ids[0], "smaller"), PEER_OK);
    assert_status(add_record(world, 0, RECORD_SIZE / 2, HOUR_S, &id), PEER_OK);
    assert_status(add_record(world, 0, RECORD_SIZE, HOUR_S, &id), PEER_E_DATABASE_FULL);
    while (add_record(world, 0, 10, HOUR_S, &id) == PEER_OK)
        ;
    for (size_t i = 1; i < count; i++)
        assert_status(world_delete(world, 0, &ids[i]), PEER_OK);
    assert_status(add_record(world, 0, RECORD_SIZE, HOUR_S, &id), PEER_OK);
}

/* Who writes too much keeps nobody else from being stored. */
SCENARIO(each_creator_has_a_limit_of_its_own)
{
    peer_guid ids[RECORDS];
    peer_guid id;
    world_line(world, 3);
    set_limits(world, 1, 0, LIMIT);
    add_records(world, 0, ids);
    world_run(world, 30);
    assert_true(is_full(world, 1));
    assert_holds_what_fits(world, 1);
    assert_status(add_record(world, 2, RECORD_SIZE, HOUR_S, &id), PEER_OK);
    world_run(world, 5);
    assert_true(world_has(world, 1, &id));
    assert_true(world_has(world, 0, &id));
    assert_status(add_record(world, 1, RECORD_SIZE, HOUR_S, &id), PEER_OK);
    for (size_t i = 0; i < RECORDS / 2 + 10; i++)
        assert_status(world_delete(world, 0, &ids[i]), PEER_OK);
    world_settle(world, 60);
    assert_false(is_full(world, 1));
}

/* Tombstones of records that were never here may not fill the database either. */
SCENARIO(tombstones_have_a_little_more_room)
{
    struct puppet_record record;
    world_line(world, 1);
    set_limits(world, 0, LIMIT, 0);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    for (int i = 0; i < 400; i++) {
        puppet_record_init(puppet, &record, "carol", "amy");
        record.fields.flags = RECORD_FLAG_DELETED;
        record.fields.version = 2;
        record.fields.payload = (struct span){NULL, 0};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
    }
    world_run(world, 10);
    assert_true(is_full(world, 0));
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(what_is_beyond_the_limit_waits_for_room),    SCENARIO_TEST(room_comes_from_records_that_end),
        SCENARIO_TEST(what_nobody_has_any_more_is_not_waited_for), SCENARIO_TEST(calls_say_that_the_limit_is_reached),
        SCENARIO_TEST(each_creator_has_a_limit_of_its_own),        SCENARIO_TEST(tombstones_have_a_little_more_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

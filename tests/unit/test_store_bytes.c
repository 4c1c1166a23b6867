/* What the rows of a store hold: running totals, in all and of each creator. */
#include "unit/store_world.h"

struct sum {
    struct span creator_id;
    uint64_t bytes;
};

static int add_up(void *context, const struct store_row *row)
{
    struct sum *sum = context;
    if (sum->creator_id.size == 0 || peer__span_equal(sum->creator_id, row->creator_id))
        sum->bytes += row->wire.size + STORE_ROW_OVERHEAD;
    return 0;
}

/* The running totals are what a walk over all rows gives. */
static void assert_totals(struct store_world *world, struct span creator_id)
{
    struct sum sum = {.creator_id = creator_id};
    struct store_scan scan = {.seq_max = UINT64_MAX};
    struct store_position position = {0};
    int end = 0;
    while (!end)
        assert_int_equal(world->calls->scan(world->store, &scan, &position, 1, 1000, add_up, &sum, &end), PEER_OK);
    assert_int_equal(world_bytes(world, creator_id), sum.bytes);
}

static void assert_all_totals(struct store_world *world)
{
    assert_totals(world, (struct span){0});
    for (uint32_t number = 0; number < 60; number++)
        assert_totals(world, (struct span){(const uint8_t *)&number, sizeof(number)});
    assert_totals(world, text_span("nobody"));
}

static void bytes_are_a_running_total(void **state)
{
    struct store_world *world = *state;
    assert_all_totals(world);
    for (uint32_t number = 0; number < 300; number++) {
        uint32_t creator = number % 60; /* more than a transaction keeps in mind */
        struct store_row row = row_of(number);
        row.creator_id = (struct span){(const uint8_t *)&creator, sizeof(creator)};
        world_put_row(world, &row);
        if (number % 3 == 0) { /* replaced: larger, and now of another creator */
            creator = (creator + 1) % 60;
            row.wire.size += 10;
            world_put_row(world, &row);
        }
        if (number % 100 == 50)
            world_commit(world);
    }
    assert_all_totals(world);
    world->calls->rollback(world->store);
    assert_all_totals(world);
    world_crash(world);
    assert_all_totals(world);
    for (uint32_t number = 0; number < 300; number++) {
        struct store_row row = row_of(number);
        assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
        if (number % 40 == 0) {
            world_commit(world);
            assert_all_totals(world);
        }
    }
    world_commit(world);
    world_crash(world);
    assert_all_totals(world);
    assert_int_equal(world_bytes(world, (struct span){0}), 0);
}

static enum store_kind kinds[] = {KIND_MEMORY, KIND_SQLITE};

static int setup(void **state)
{
    *state = world_new(*(enum store_kind *)*state);
    return 0;
}

static int teardown(void **state)
{
    world_free_all(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"bytes_are_a_running_total (memory)", bytes_are_a_running_total, setup, teardown, &kinds[0]},
        {"bytes_are_a_running_total (SQLite)", bytes_are_a_running_total, setup, teardown, &kinds[1]},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Listing a database in pieces while it changes between them: the result is what is there at the last piece, each record
 * once, in order of arrival.
 */
#include "scenario.h"

#include "base/memory.h"

#define RECORDS 40u
#define IDS_MAX 400u

struct ids {
    peer_guid ids[IDS_MAX];
    size_t count;
};

static const peer_guid *types[] = {&scenario_note, &scenario_task};

static void add_some(struct world *world, struct ids *known)
{
    const peer_guid *type = types[peer__sim_draw(world->sim, 2)];
    peer_guid id;
    assert_status(world_add_bytes(world, 0, type, "x", 1, HOUR_S, &id), PEER_OK);
    known->ids[known->count++] = id;
}

static peer_guid type_of(struct world *world, const peer_guid *id)
{
    struct record *record = world_get(world, 0, id);
    peer_guid type = record->fields.type;
    peer__record_release(record);
    return type;
}

static void update_some(struct world *world, const struct ids *known)
{
    const peer_guid *id = &known->ids[peer__sim_draw(world->sim, known->count)];
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    input.id = *id;
    input.type = type_of(world, id);
    assert_status(peer__graph_update(world->nodes[0].graph, &input), PEER_OK);
}

static void delete_some(struct world *world, struct ids *known)
{
    size_t index = peer__sim_draw(world->sim, known->count);
    assert_status(world_delete(world, 0, &known->ids[index]), PEER_OK);
    known->ids[index] = known->ids[--known->count];
}

static void change_something(struct world *world, struct ids *known)
{
    switch (peer__sim_draw(world->sim, 6)) {
    case 0:
        add_some(world, known);
        break;
    case 1:
        if (known->count > 1)
            delete_some(world, known);
        break;
    case 2:
    case 3:
        update_some(world, known);
        break;
    default:
        break;
    }
}

/* The same as at once, and in the same order. */
static void assert_listed(struct world *world, struct graph_listing *listing, const peer_guid *type)
{
    peer_guid *ids;
    peer_guid *expected;
    size_t count;
    size_t expected_count;
    assert_status(peer__graph_list(world->nodes[0].graph, type, NULL, &expected, &expected_count), PEER_OK);
    assert_status(peer__graph_listing_finish(listing, &ids, &count), PEER_OK);
    peer__graph_listing_free(listing);
    assert_int_equal(count, expected_count);
    if (count > 0)
        assert_memory_equal(ids, expected, count * sizeof(*ids));
    peer__free(ids);
    peer__free(expected);
}

SCENARIO(what_changes_between_pieces_is_listed_as_it_is_at_the_end)
{
    struct ids known = {.count = 0};
    struct graph_listing listing;
    world_line(world, 1);
    for (size_t i = 0; i < RECORDS; i++)
        add_some(world, &known);
    for (int round = 0; round < 60; round++) {
        const peer_guid *type = round % 2 == 0 ? NULL : &scenario_note;
        size_t rows = 2 + peer__sim_draw(world->sim, 15);
        int end = 0;
        assert_status(peer__graph_listing_begin(world->nodes[0].graph, type, "p1", &listing), PEER_OK);
        for (;;) {
            assert_status(peer__graph_listing_step(world->nodes[0].graph, &listing, rows, &end), PEER_OK);
            if (end)
                break;
            change_something(world, &known);
        }
        assert_listed(world, &listing, type);
    }
    assert_int_equal(world_record_count(world, 0), known.count);
}

SCENARIO(a_listing_may_be_left)
{
    struct graph_listing listing;
    int end;
    world_line(world, 1);
    for (int i = 0; i < 10; i++)
        world_add(world, 0, "x");
    assert_status(peer__graph_listing_begin(world->nodes[0].graph, NULL, NULL, &listing), PEER_OK);
    assert_status(peer__graph_listing_step(world->nodes[0].graph, &listing, 3, &end), PEER_OK);
    assert_false(end);
    peer__graph_listing_free(&listing);
    assert_status(peer__graph_listing_begin(world->nodes[0].graph, NULL, "\xff", &listing), E_INVALIDARG);
    peer__graph_listing_free(&listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(what_changes_between_pieces_is_listed_as_it_is_at_the_end),
        SCENARIO_TEST(a_listing_may_be_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

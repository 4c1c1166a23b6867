/* Several changes in one commit, on the network: a disk that is full, and neighbours that hear of all or nothing. */
#include "scenario.h"

#include "base/memory.h"
#include "wire/message.h"

#define BATCH 20

static size_t take_record_changes(struct world *world, size_t node)
{
    peer_event_view event;
    size_t count = 0;
    while (world_next_event(world, node, &event))
        count += event.type == PEER_GRAPH_EVENT_RECORD_CHANGED;
    return count;
}

/* Adds, one update and one deletion; `id_out` is of the first that is added. */
static peer_status apply(struct world *world, const peer_guid *updated, const peer_guid *deleted, peer_guid *id_out)
{
    struct graph_change changes[BATCH] = {{.kind = CHANGE_UPDATE, .input.id = *updated, .input.type = scenario_note},
                                          {.kind = CHANGE_DELETE, .input.id = *deleted}};
    int64_t expires_us = world_peer_time_us(world, 0) + HOUR_S * SECOND;
    struct graph *graph = world->nodes[0].graph;
    struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
    peer_status status = PEER_OK;
    driver->lock(driver);
    for (size_t i = 2; i < BATCH && status >= 0; i++) {
        changes[i] = (struct graph_change){.kind = CHANGE_ADD, .input = PEER_RECORD_INPUT_INIT};
        changes[i].input.type = scenario_note;
        changes[i].input.expires_us = expires_us;
        status = peer__graph_prepare_add(graph, &changes[i].input, &changes[i].input.id);
    }
    *id_out = changes[2].input.id;
    if (status >= 0)
        status = peer__graph_apply(graph, changes, BATCH);
    driver->unlock(driver);
    return status;
}

SCENARIO(a_batch_that_a_full_disk_refuses_has_not_happened)
{
    peer_guid id;
    world_line(world, 2);
    peer_guid updated = world_add(world, 0, "updated");
    peer_guid deleted = world_add(world, 0, "deleted");
    world_settle(world, 10);
    world_watch(world, 0);
    world_watch(world, 1);
    uint64_t floods = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL);
    peer__sim_host_set_disk_full(world->nodes[0].host, 1);
    assert_status(apply(world, &updated, &deleted, &id), PEER_E_DISK_FULL);
    world_run(world, 10);
    assert_false(world_has(world, 0, &id));
    assert_true(world_has(world, 0, &deleted));
    assert_int_equal(world_record_count(world, 0), 2);
    assert_int_equal(world_record_count(world, 1), 2);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL), floods);
    assert_int_equal(take_record_changes(world, 0) + take_record_changes(world, 1), 0);

    peer__sim_host_set_disk_full(world->nodes[0].host, 0);
    world_run(world, 20);
    assert_status(apply(world, &updated, &deleted, &id), PEER_OK);
    world_settle(world, 10);
    assert_int_equal(world_record_count(world, 1), BATCH - 1);
    assert_int_equal(take_record_changes(world, 0), BATCH);
    assert_int_equal(take_record_changes(world, 1), BATCH);
}

SCENARIO(a_batch_that_fails_is_not_sent)
{
    peer_guid id;
    world_line(world, 3);
    peer_guid updated = world_add(world, 0, "updated");
    peer_guid deleted = world_add(world, 1, "deleted elsewhere");
    world_settle(world, 10);
    assert_status(world_delete(world, 1, &deleted), PEER_OK);
    world_run(world, 10); /* the neighbour's deletion is here */
    world_watch(world, 2);
    uint64_t floods = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL);
    assert_status(apply(world, &updated, &deleted, &id), PEER_E_RECORD_NOT_FOUND);
    world_run(world, 10);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL), floods);
    assert_int_equal(take_record_changes(world, 2), 0);
    assert_int_equal(world_record_count(world, 0), 1);
    assert_converged(world);
}

/* A call commits what came from the network before it; the batch that fails then takes nothing of it back. */
SCENARIO(a_batch_that_fails_leaves_what_others_sent)
{
    peer_guid id;
    const peer_guid unknown = {{9}};
    world_line(world, 2);
    peer_guid updated = world_add(world, 0, "updated");
    world_settle(world, 10);
    for (int i = 0; i < 50; i++) {
        world_add(world, 1, "of the neighbour");
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 20000));
        assert_status(apply(world, &updated, &unknown, &id), PEER_E_RECORD_NOT_FOUND);
    }
    world_settle(world, 10);
    assert_int_equal(world_record_count(world, 0), 51);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_batch_that_a_full_disk_refuses_has_not_happened),
        SCENARIO_TEST(a_batch_that_fails_is_not_sent),
        SCENARIO_TEST(a_batch_that_fails_leaves_what_others_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

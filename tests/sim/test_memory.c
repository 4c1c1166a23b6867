/* Every allocation of a call can fail: the call then says E_OUTOFMEMORY, nothing has changed, and nothing is lost. */
#include "base/error.h"
#include "base/memory.h"
#include "scenario.h"

/* What is tried, with what it needs. Each is called again and again, each time with one more allocation that succeeds. */
struct attempt {
    struct world *world;
    struct engine *engine;
    struct graph *graph;
    peer_guid id;
    struct graph *made;
};

typedef peer_status (*attempted)(struct attempt *attempt);

static void until_it_succeeds(struct attempt *attempt, attempted call, peer_status expected, int leaves_nothing)
{
    size_t failures = 0;
    for (int64_t granted = 0;; granted++) {
        int64_t live = peer__memory_live();
        peer__memory_fail_after(granted);
        peer_status status = call(attempt);
        peer__memory_fail_after(-1);
        if (status == expected)
            break;
        assert_status(status, E_OUTOFMEMORY);
        if (leaves_nothing)
            assert_int_equal(peer__memory_live(), live);
        failures++;
    }
    assert_true(failures > 0);
}

static peer_status create(struct attempt *attempt)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    properties.graph_id = "another";
    properties.creator_id = "p1";
    properties.friendly_name = "Another";
    properties.comment = "for want of memory";
    return peer__graph_create(attempt->engine, &properties, "default", 0, &attempt->made);
}

static peer_status open(struct attempt *attempt)
{
    return peer__graph_open(attempt->engine, "another", "p1", "default", 0, 1, &scenario_note, &attempt->made);
}

static peer_record_view note(struct attempt *attempt)
{
    peer_record_view note = PEER_RECORD_INPUT_INIT;
    note.id = attempt->id;
    note.type = scenario_note;
    note.expires_us = world_peer_time_us(attempt->world, 0) + HOUR_S * SECOND;
    note.attributes = "<attributes><attribute name=\"room\" type=\"string\">lobby</attribute></attributes>";
    note.data = "text";
    note.size = 4;
    return note;
}

static peer_status add(struct attempt *attempt)
{
    peer_record_view input = note(attempt);
    return peer__graph_add(attempt->graph, &input, &attempt->id);
}

static peer_status update(struct attempt *attempt)
{
    peer_record_view input = note(attempt);
    return peer__graph_update(attempt->graph, &input);
}

static peer_status several(struct attempt *attempt)
{
    struct graph_change changes[3] = {{.kind = CHANGE_ADD, .input = note(attempt)},
                                      {.kind = CHANGE_UPDATE, .input = note(attempt)},
                                      {.kind = CHANGE_DELETE, .input.id = attempt->id}};
    PEER_TRY(peer__graph_prepare_add(attempt->graph, &changes[0].input, &changes[0].input.id));
    return peer__graph_apply(attempt->graph, changes, 3);
}

static peer_status get(struct attempt *attempt)
{
    struct record *record;
    uint32_t local_flags;
    PEER_TRY(peer__graph_get(attempt->graph, &attempt->id, &record, &local_flags));
    peer__record_release(record);
    return PEER_OK;
}

static peer_status list(struct attempt *attempt)
{
    peer_guid *ids;
    size_t count;
    PEER_TRY(peer__graph_list(attempt->graph, &scenario_note, "p1", &ids, &count));
    peer__free(ids);
    return PEER_OK;
}

static peer_status delete_it(struct attempt *attempt)
{
    return peer__graph_delete(attempt->graph, &(peer_record_view){.id = attempt->id});
}

static peer_status connect_away(struct attempt *attempt)
{
    return peer__graph_connect(attempt->graph, "p9", "[fd00::99]:5000", NULL);
}

SCENARIO(graphs_are_made_and_opened_or_not)
{
    world_line(world, 1);
    struct attempt attempt = {.world = world, .engine = peer__sim_host_engine(world->nodes[0].host)};
    until_it_succeeds(&attempt, create, PEER_OK, 0);
    peer__graph_close(attempt.made, PEER_OK, "closed");
    until_it_succeeds(&attempt, open, PEER_OK, 0);
    peer__graph_close(attempt.made, PEER_OK, "closed");
}

SCENARIO(records_are_changed_or_not)
{
    world_line(world, 2);
    world_add(world, 0, "there already");
    world_settle(world, 10);
    struct attempt attempt = {.world = world, .graph = world->nodes[0].graph};
    until_it_succeeds(&attempt, add, PEER_OK, 0);
    assert_int_equal(world_record_count(world, 0), 2);
    until_it_succeeds(&attempt, get, PEER_OK, 1);
    until_it_succeeds(&attempt, list, PEER_OK, 1);
    until_it_succeeds(&attempt, update, PEER_OK, 0);
    struct record *record = world_get(world, 0, &attempt.id);
    assert_int_equal(record->fields.version, 2);
    peer__record_release(record);
    until_it_succeeds(&attempt, connect_away, PEER_OK, 0);
    until_it_succeeds(&attempt, delete_it, PEER_OK, 0);
    assert_int_equal(world_record_count(world, 0), 1);
    world_run(world, 120);
    if ((world_status(world, 1) & PEER_GRAPH_STATUS_HAS_CONNECTIONS) == 0)
        world_connect(world, 1, 0); /* a link for which there was no memory has ended */
    world_settle(world, 60);
}

SCENARIO(several_changes_are_made_or_none)
{
    world_line(world, 1);
    peer_guid first = world_add(world, 0, "kept if the batch fails");
    struct attempt attempt = {.world = world, .graph = world->nodes[0].graph, .id = first};
    until_it_succeeds(&attempt, several, PEER_OK, 0);
    assert_false(world_has(world, 0, &first));
    assert_int_equal(world_record_count(world, 0), 1);
}

/* Whatever a graph does by itself can fail as well: input, timers, commits, dials. When there is memory again it is as if
 * nothing had been. */
static void a_mesh_short_of_memory(struct world *world, uint32_t chance)
{
    world->automatic = 1;
    world->presence_max = -1;
    world_mesh(world, 6);
    world_run(world, 30);
    for (size_t round = 0; round < 30; round++) {
        size_t node = (size_t)peer__sim_draw(world->sim, world->count);
        for (size_t i = 0; i < world->count; i++)
            peer__sim_host_set_memory_short(world->nodes[i].host, i % 2 == round % 2 ? chance : 0);
        world_add(world, node, "written in need");
        if (peer__sim_draw(world->sim, 4) == 0)
            peer__sim_reset(world->nodes[node].host, world->nodes[(node + 1) % world->count].host);
        world_run(world, 1 + (int64_t)peer__sim_draw(world->sim, 60));
    }
    for (size_t i = 0; i < world->count; i++)
        peer__sim_host_set_memory_short(world->nodes[i].host, 0);
    world_settle(world, 1800);
    assert_int_equal(world_record_count(world, 0), 30);
}

SCENARIO(a_mesh_outlives_want_of_memory)
{
    a_mesh_short_of_memory(world, 3);
}

SCENARIO(a_mesh_outlives_dire_want_of_memory)
{
    a_mesh_short_of_memory(world, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(graphs_are_made_and_opened_or_not),   SCENARIO_TEST(records_are_changed_or_not),
        SCENARIO_TEST(several_changes_are_made_or_none),    SCENARIO_TEST(a_mesh_outlives_want_of_memory),
        SCENARIO_TEST(a_mesh_outlives_dire_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What keeps a graph in one piece, and who is there: signature, contacts, partitions, presence (spec part 14). */
#include "scenario.h"

#include "base/memory.h"
#include "graph/parts.h"
#include "wire/payload.h"
#include "wire/record.h"

static uint64_t node_id(struct world *world, size_t node)
{
    struct graph_node_info info;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_node_info(world->nodes[node].graph, 0, &info), PEER_OK);
    driver->unlock(driver);
    return info.node_id;
}

static uint64_t lowest_node_id(struct world *world)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].graph != NULL && node_id(world, i) < lowest)
            lowest = node_id(world, i);
    }
    return lowest;
}

/* 0: none. */
static uint64_t signature_at(struct world *world, size_t node)
{
    uint64_t signature = 0;
    struct record *record = world_get(world, node, &peer__id_signature);
    if (record != NULL)
        assert_status(peer__signature_decode(record->fields.payload, &signature), PEER_OK);
    peer__record_release(record);
    return signature;
}

static size_t count_at(struct world *world, size_t node, const peer_guid *type)
{
    peer_guid *ids;
    size_t count;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_list(world->nodes[node].graph, type, NULL, &ids, &count), PEER_OK);
    driver->unlock(driver);
    peer__free(ids);
    return count;
}

static int all_see_the_lowest(void *context)
{
    struct condition *condition = context;
    uint64_t lowest = lowest_node_id(condition->world);
    for (size_t i = 0; i < condition->world->count; i++) {
        if (condition->world->nodes[i].graph != NULL && signature_at(condition->world, i) != lowest)
            return 0;
    }
    return 1;
}

/* Everyone sees so many contacts or presence records, all the same number. */
static void assert_all_count(struct world *world, const peer_guid *type, size_t least, size_t most)
{
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].graph != NULL)
            assert_in_range(count_at(world, i, type), least, most);
    }
}

static void star(struct world *world, size_t count)
{
    world->automatic = 1;
    world_star(world, count);
}

static size_t holder_of_signature(struct world *world)
{
    size_t node = 0;
    while (node_id(world, node) != lowest_node_id(world))
        node++;
    return node;
}

SCENARIO(the_lowest_node_id_is_the_signature)
{
    star(world, 7);
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 60));
    world_run(world, 3600); /* it is kept alive */
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 1));
}

SCENARIO(a_signature_is_handed_over_when_its_node_leaves)
{
    star(world, 6);
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 60));
    world_close(world, holder_of_signature(world));
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 60));
}

SCENARIO(a_signature_is_handed_over_when_its_node_dies)
{
    star(world, 6);
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 60));
    world_crash(world, holder_of_signature(world), SIM_CRASH_MACHINE);
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 300 + 15 + 60));
}

SCENARIO(there_are_five_to_ten_contacts)
{
    star(world, 20);
    world_run(world, 600);
    if (lowest_node_id(world) >> 54 == 0)
        return; /* by chance so low that more of them are wanted (D-27) */
    assert_all_count(world, &peer__type_contact, 5, 10);
    for (size_t i = 0; i < 8; i++) /* some of them are contacts */
        world_crash(world, i, SIM_CRASH_PROCESS);
    world_run(world, 900 + 15 + 200);
    if (lowest_node_id(world) >> 54 == 0)
        return; /* by chance so low that more of them are wanted (D-27) */
    assert_all_count(world, &peer__type_contact, 5, 10);
}

/* Three parts that lived apart have five contacts each, which are too many together. */
SCENARIO(contacts_that_are_too_many_withdraw)
{
    struct sim_host *hosts[24];
    size_t most = 0;
    star(world, 24);
    for (size_t i = 0; i < 24; i++)
        hosts[i] = world->nodes[i].host;
    assert_status(peer__sim_partition(hosts, 8, hosts + 8, 16), PEER_OK);
    assert_status(peer__sim_partition(hosts + 8, 8, hosts + 16, 8), PEER_OK);
    world_run(world, 1500);
    peer__sim_heal(world->sim);
    for (int i = 0; i < 270; i++) {
        size_t count = count_at(world, 0, &peer__type_contact);
        most = count > most ? count : most;
        world_run(world, 10);
    }
    if (lowest_node_id(world) >> 54 == 0)
        return; /* by chance so low that more of them are wanted (D-27) */
    assert_in_range(most, 11, 24);
    assert_all_count(world, &peer__type_contact, 5, 10);
}

/* 1.3.2.3: the half that has lost the signature's node chooses a new one, which differs from what the contacts of the
 * other half say. */
static void cut_in_two(struct world *world, int by_reset)
{
    struct sim_host *left[8];
    struct sim_host *right[8];
    for (size_t i = 0; i < 8; i++) {
        left[i] = world->nodes[i].host;
        right[i] = world->nodes[8 + i].host;
    }
    assert_status(peer__sim_partition(left, 8, right, 8), PEER_OK);
    for (size_t i = 0; by_reset && i < 64; i++)
        peer__sim_reset(left[i / 8], right[i % 8]);
}

static void two_halves_meet_again(struct world *world, int by_reset)
{
    star(world, 16);
    world_run(world, 600);
    cut_in_two(world, by_reset);
    for (int i = 0; i < 10; i++) {
        world_add(world, peer__sim_draw(world->sim, 8), "left");
        world_add(world, 8 + peer__sim_draw(world->sim, 8), "right");
        world_run(world, 45);
    }
    peer__sim_heal(world->sim);
    world_settle(world, 600);
    assert_int_equal(world_record_count(world, 3), 20);
    assert_true(world_until(world, all_see_the_lowest, (struct condition){0}, 60));
}

SCENARIO(two_halves_that_were_cut_by_resets_meet_again)
{
    two_halves_meet_again(world, 1);
}

SCENARIO(two_halves_that_were_cut_by_silence_meet_again)
{
    two_halves_meet_again(world, 0);
}

/* ---------------------------------------------------------------------------------------------------------- presence */

static int next_change(struct world *world, size_t node, peer_event_view *view_out)
{
    while (world_next_event(world, node, view_out)) {
        if (view_out->type == PEER_GRAPH_EVENT_NODE_CHANGED)
            return 1;
    }
    return 0;
}

SCENARIO(everyone_is_present_and_leaves)
{
    peer_event_view event;
    world->presence_max = -1;
    star(world, 5);
    world_run(world, 30);
    assert_all_count(world, &peer__type_presence, 5, 5);
    world_watch(world, 0);
    size_t late = world_host(world);
    world_join(world, late, 2);
    world_run(world, 5);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_CONNECTED);
    uint64_t id = node_id(world, late);
    assert_true(event.node_id == id);
    world_run(world, 3600);
    assert_false(next_change(world, 0, &event)); /* refreshing is no news */
    assert_all_count(world, &peer__type_presence, 6, 6);
    world_close(world, late);
    world_run(world, 5);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_DISCONNECTED);
    assert_true(event.node_id == id);
    id = node_id(world, 1);
    world_crash(world, 1, SIM_CRASH_PROCESS);
    world_run(world, 300 + 15);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_DISCONNECTED);
    assert_true(event.node_id == id);
    assert_all_count(world, &peer__type_presence, 4, 4);
}

static void set_presence(struct world *world, size_t node, int forced)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer__graph_set_presence(world->nodes[node].graph, forced);
    driver->unlock(driver);
}

static void set_attributes(struct world *world, size_t node, const char *attributes)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_set_attributes(world->nodes[node].graph, attributes), PEER_OK);
    driver->unlock(driver);
}

SCENARIO(presence_can_be_forced_and_ends_by_itself)
{
    peer_event_view event;
    star(world, 3); /* a maximum of 0 */
    world_run(world, 300);
    assert_all_count(world, &peer__type_presence, 0, 0);
    world_watch(world, 0);
    set_presence(world, 1, 1);
    world_run(world, 1000);
    assert_all_count(world, &peer__type_presence, 1, 1);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_CONNECTED);
    set_attributes(world, 1, "busy");
    world_run(world, 5);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_UPDATED);
    set_presence(world, 1, 0);
    world_run(world, 5);
    assert_all_count(world, &peer__type_presence, 1, 1);
    world_run(world, 330);
    assert_all_count(world, &peer__type_presence, 0, 0);
    assert_true(next_change(world, 0, &event));
    assert_int_equal(event.change, PEER_NODE_CHANGE_DISCONNECTED);
}

SCENARIO(presence_keeps_near_its_maximum)
{
    world->presence_max = 3;
    star(world, 24);
    world_run(world, 600);
    assert_all_count(world, &peer__type_presence, 3, 13);
    world_run(world, 1200);
    assert_all_count(world, &peer__type_presence, 3, 13);
    for (size_t i = 0; i < 24; i++)
        set_presence(world, i, 1);
    world_run(world, 200);
    assert_all_count(world, &peer__type_presence, 24, 24);
    for (size_t i = 0; i < 24; i++)
        set_presence(world, i, 0);
    world_run(world, 600);
    assert_all_count(world, &peer__type_presence, 3, 13);
}

/* 14.6, 3: between the maximum and ten more nobody publishes or withdraws; below it those who are left take over. */
SCENARIO(presence_stands_still_between_its_bounds)
{
    peer_event_view event;
    world->presence_max = 3;
    star(world, 24);
    world_run(world, 600);
    size_t count = count_at(world, 0, &peer__type_presence);
    assert_in_range(count, 3, 13);
    world_watch(world, 0);
    for (int i = 0; i < 60; i++) {
        world_run(world, 30);
        assert_all_count(world, &peer__type_presence, count, count);
    }
    assert_false(next_change(world, 0, &event));
    for (size_t i = 1; i < 24; i++) {
        if (world->nodes[i].graph->upkeep.own_presence.live)
            world_close(world, i);
    }
    world_run(world, 600);
    assert_all_count(world, &peer__type_presence, 3, 13);
}

/* ------------------------------------------------------------------------------------------------------- autorefresh */

static peer_status try_to_add_refreshed(struct world *world, size_t node, int64_t lifetime_s, peer_guid *id_out)
{
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    input.type = scenario_note;
    input.flags = PEER_RECORD_FLAG_AUTOREFRESH;
    input.expires_us = world_peer_time_us(world, node) + lifetime_s * SECOND;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer_status status = peer__graph_add(world->nodes[node].graph, &input, id_out);
    driver->unlock(driver);
    return status;
}

static peer_guid add_refreshed(struct world *world, size_t node, int64_t lifetime_s)
{
    peer_guid id;
    assert_status(try_to_add_refreshed(world, node, lifetime_s, &id), PEER_OK);
    return id;
}

SCENARIO(a_record_lives_as_long_as_its_publisher)
{
    peer_guid ids[300];
    world_line(world, 2);
    for (size_t i = 0; i < 300; i++)
        ids[i] = add_refreshed(world, 0, 300 + (int64_t)i / 3);
    peer_guid mortal = world_add(world, 0, "not refreshed");
    world_run(world, 2 * HOUR_S);
    assert_false(world_has(world, 1, &mortal));
    world_crash(world, 0, SIM_CRASH_PROCESS);
    world_run(world, 60);
    world_restart(world, 0); /* what it had promised it still keeps, whoever asks for it */
    world_connect(world, 0, 1);
    world_run(world, HOUR_S);
    for (size_t i = 0; i < 300; i++)
        assert_true(world_has(world, 1, &ids[i]));
    world_close(world, 0);
    world_run(world, 400 + 15);
    assert_int_equal(world_record_count(world, 1), 0);
}

/* More rows than are looked at in one turn, which nobody keeps alive. */
SCENARIO(many_mortal_records_do_not_stand_in_the_way)
{
    peer_guid other;
    world_line(world, 1);
    for (size_t i = 0; i < 600; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, 350, &other), PEER_OK);
    peer_guid id = add_refreshed(world, 0, 360);
    world_run(world, HOUR_S);
    assert_true(world_has(world, 0, &id));
    assert_int_equal(world_record_count(world, 0), 1);
}

/* What is remembered with the first of them is remembered with the next if the first could not be stored. */
SCENARIO(what_follows_a_failure_is_refreshed_after_a_restart)
{
    peer_guid id;
    world_line(world, 1);
    peer__sim_host_set_disk_full(world->nodes[0].host, 1);
    assert_status(try_to_add_refreshed(world, 0, 600, &id), PEER_E_DISK_FULL);
    peer__sim_host_set_disk_full(world->nodes[0].host, 0);
    world_run(world, 10);
    id = add_refreshed(world, 0, 600);
    world_crash(world, 0, SIM_CRASH_PROCESS);
    world_run(world, 60);
    world_restart(world, 0);
    world_run(world, HOUR_S);
    assert_true(world_has(world, 0, &id));
}

/* D-09: who changes a record takes the care for it over, or lets it go. */
SCENARIO(the_flag_does_not_travel)
{
    world_line(world, 2);
    peer_guid id = add_refreshed(world, 0, 600);
    world_run(world, 10);
    assert_status(world_update(world, 1, &id, "mine now"), PEER_OK);
    world_run(world, 700);
    assert_false(world_has(world, 0, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(the_lowest_node_id_is_the_signature),
        SCENARIO_TEST(a_signature_is_handed_over_when_its_node_leaves),
        SCENARIO_TEST(a_signature_is_handed_over_when_its_node_dies),
        SCENARIO_TEST(there_are_five_to_ten_contacts),
        SCENARIO_TEST(contacts_that_are_too_many_withdraw),
        SCENARIO_TEST(two_halves_that_were_cut_by_resets_meet_again),
        SCENARIO_TEST(two_halves_that_were_cut_by_silence_meet_again),
        SCENARIO_TEST(everyone_is_present_and_leaves),
        SCENARIO_TEST(presence_can_be_forced_and_ends_by_itself),
        SCENARIO_TEST(presence_keeps_near_its_maximum),
        SCENARIO_TEST(presence_stands_still_between_its_bounds),
        SCENARIO_TEST(a_record_lives_as_long_as_its_publisher),
        SCENARIO_TEST(many_mortal_records_do_not_stand_in_the_way),
        SCENARIO_TEST(what_follows_a_failure_is_refreshed_after_a_restart),
        SCENARIO_TEST(the_flag_does_not_travel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

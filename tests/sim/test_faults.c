/* What goes wrong: restarts, crashes, cuts, full disks; and what ends by itself: records. */
#include "puppet.h"

#include <stdlib.h>

#include "base/memory.h"

/* --------------------------------------------------------------------------------------------- restart and crash */

SCENARIO(restart_catches_up_both_ways)
{
    peer_guid ids[20];
    world_line(world, 3);
    for (size_t i = 0; i < 20; i++)
        ids[i] = world_add(world, i % 3, "from before");
    world_settle(world, 30);
    world_close(world, 2);
    world_run(world, 60);
    for (size_t i = 0; i < 8; i++)
        world_add(world, i % 2, "added while it was away");
    assert_status(world_update(world, 0, &ids[3], "changed while it was away"), PEER_OK);
    assert_status(world_delete(world, 1, &ids[4]), PEER_OK);
    world_run(world, 1500);
    /* Without a connection it works on with what it has, and what it adds is pushed afterwards. */
    assert_status(world_open(world, 2), PEER_OK);
    peer_guid alone = world_add(world, 2, "added while alone");
    assert_status(world_update(world, 2, &ids[5], "changed while alone"), PEER_OK);
    world_listen(world, 2);
    world_connect(world, 2, 1);
    world_settle(world, 60);
    assert_true(world_has(world, 0, &alone));
    assert_int_equal(world_record_count(world, 2), 28);
}

/* What a call has returned is stored; what was not committed is gone, and comes again from the neighbours. */
SCENARIO(crashes_at_random_moments)
{
    peer_guid ids[60];
    size_t count = 0;
    world_line(world, 3);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 5; i++) {
            ids[count++] = world_add(world, peer__sim_draw(world->sim, 3), "kept");
            peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 20000));
        }
        size_t victim = peer__sim_draw(world->sim, 3);
        world_crash(world, victim, SIM_CRASH_PROCESS);
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 3000000));
        world_restart(world, victim);
        world_listen(world, victim);
        world_run(world, (int64_t)peer__sim_draw(world->sim, 3));
        world_connect(world, victim, (victim + 1) % 3);
        world_connect(world, victim, (victim + 2) % 3);
        world_run(world, 3);
    }
    world_settle(world, 120);
    for (size_t i = 0; i < count; i++)
        assert_true(world_has(world, 0, &ids[i]));
}

/* What waits for a neighbour fills the transport to the very byte of its mark; whoever then waits for room must be told. */
SCENARIO(an_outbox_full_to_the_brim_goes_on)
{
    enum { FLOOD_SIZE = 4096, FLOODS = TRANSPORT_HIGH_WATER / FLOOD_SIZE };
    static const uint8_t data[FLOOD_SIZE - 2 - 12 - RECORD_FIXED_SIZE - 2 * sizeof("p1") - 2 * sizeof("G1")];
    peer_guid id;
    world_line(world, 2);
    world_run(world, 5);
    assert_status(peer__sim_cut(world->nodes[0].host, world->nodes[1].host, 1), PEER_OK);
    for (size_t i = 0; i < FLOODS + 20; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, data, sizeof(data), HOUR_S, &id), PEER_OK);
    world_run(world, 10);
    peer__sim_heal(world->sim);
    world_settle(world, 30);
    assert_int_equal(world_record_count(world, 1), FLOODS + 20);
}

/* A neighbour that cannot be reached for a while lags so far behind that the journal has lost what it needs, which then
 * comes from the store (decisions.md 7). */
SCENARIO(who_lags_behind_the_journal_misses_nothing)
{
    enum { RECORDS = 3600 }; /* of which 8 MiB are kept, and 256 KiB are on their way */
    static const uint8_t data[3000];
    peer_guid id;
    world_line(world, 2);
    world_run(world, 5);
    assert_status(peer__sim_cut(world->nodes[0].host, world->nodes[1].host, 1), PEER_OK);
    for (size_t i = 0; i < RECORDS; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, data, sizeof(data), HOUR_S, &id), PEER_OK);
    world_run(world, 10);
    peer__sim_heal(world->sim);
    assert_true(world_until(world, node_has_record_count, (struct condition){.node = 1, .number = RECORDS}, 30));
}

/* A host whose store is behind reads nothing until it has caught up, and what was sent meanwhile is not lost. Its own
 * calls go on. */
SCENARIO(a_store_that_is_behind_holds_the_senders_back)
{
    world_line(world, 2);
    world_run(world, 5);
    size_t had = world_record_count(world, 1);
    peer__sim_host_set_disk_behind(world->nodes[1].host, 1);
    world_add(world, 1, "a call of its own");
    world_run(world, 1);
    for (size_t i = 0; i < 50; i++)
        world_add(world, 0, "waits");
    world_run(world, 20);
    assert_int_equal(world_record_count(world, 1), had + 1);
    assert_int_equal(world_record_count(world, 0), had + 51);
    peer__sim_host_set_disk_behind(world->nodes[1].host, 0);
    world_settle(world, 10);
    assert_int_equal(world_record_count(world, 1), had + 51);
}

/* A record that a neighbour acknowledged survives the death of everybody else. */
SCENARIO(what_was_acknowledged_is_stored)
{
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 1);
    struct puppet_record records[20];
    for (size_t i = 0; i < 20; i++) {
        puppet_record_init(puppet, &records[i], "carol", NULL);
        puppet_flood(puppet, &records[i].fields);
    }
    peer__sim_run_for(world->sim, 10000 + (int64_t)peer__sim_draw(world->sim, 60000));
    world_crash(world, 1, SIM_CRASH_PROCESS);
    world_run(world, 5);
    world_restart(world, 1);
    for (size_t i = 0; i < puppet->count; i++) {
        struct wire_message message;
        struct span bytes = {puppet->messages[i].data, puppet->messages[i].size};
        assert_status(peer__message_decode(bytes, &message), PEER_OK);
        for (size_t k = 0; message.type == MESSAGE_ACK && k < message.as.ack.count; k++) {
            struct wire_ack_entry entry;
            peer__wire_ack_entry(&message.as.ack, k, &entry);
            assert_true(world_has(world, 1, &entry.record_id));
        }
    }
    for (size_t i = 0; i < 20; i++)
        puppet_record_free(&records[i]);
    puppet_free(puppet);
}

static uint64_t bulk(struct world *world, size_t node, size_t count, size_t size)
{
    uint8_t *bytes = peer__calloc(1, size);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        peer_guid id;
        bytes[0] = (uint8_t)i;
        assert_status(world_add_bytes(world, node, &scenario_note, bytes, size, HOUR_S, &id), PEER_OK);
    }
    peer__free(bytes);
    return count;
}

SCENARIO(connection_is_cut_in_the_middle_of_a_synchronization)
{
    world_line(world, 1);
    bulk(world, 0, 300, 2000);
    size_t joiner = world_host(world);
    assert_true(world_open(world, joiner) >= 0);
    for (int attempt = 0; attempt < 3; attempt++) {
        world_connect(world, joiner, 0);
        peer__sim_run_for(world->sim, 30000 + (int64_t)peer__sim_draw(world->sim, 60000));
        peer__sim_reset(world->nodes[joiner].host, NULL);
        world_run(world, 1);
    }
    world_connect(world, joiner, 0);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 60));
    assert_converged(world);
    assert_int_equal(world_record_count(world, joiner), 300);
}

SCENARIO(crash_in_the_middle_of_a_synchronization)
{
    world_line(world, 1);
    bulk(world, 0, 300, 2000);
    size_t joiner = world_host(world);
    assert_true(world_open(world, joiner) >= 0);
    for (int attempt = 0; attempt < 3; attempt++) {
        world_connect(world, joiner, 0);
        peer__sim_run_for(world->sim, 30000 + (int64_t)peer__sim_draw(world->sim, 100000));
        world_crash(world, joiner, attempt == 1 ? SIM_CRASH_MACHINE : SIM_CRASH_PROCESS);
        world_run(world, 2);
        world_restart(world, joiner);
    }
    world_connect(world, joiner, 0);
    assert_true(world_until(world, node_is_synchronized, (struct condition){.node = joiner}, 60));
    assert_converged(world);
}

/* Both halves go on writing; the connection survives a short cut and everything arrives when it is over. */
SCENARIO(a_short_cut_loses_nothing)
{
    world_line(world, 4);
    peer__sim_cut(world->nodes[1].host, world->nodes[2].host, 1);
    if (peer__sim_draw(world->sim, 2) == 0)
        peer__sim_cut(world->nodes[2].host, world->nodes[1].host, 1);
    for (size_t i = 0; i < 20; i++) {
        world_add(world, i % 4, "during the cut");
        world_run(world, 1);
    }
    peer__sim_heal(world->sim);
    world_settle(world, 30);
    assert_int_equal(world_record_count(world, 0), 20);
}

static void a_long_cut(struct world *world)
{
    world_line(world, 4);
    struct sim_host *left[] = {world->nodes[0].host, world->nodes[1].host};
    struct sim_host *right[] = {world->nodes[2].host, world->nodes[3].host};
    assert_status(peer__sim_partition(left, 2, right, 2), PEER_OK);
    for (size_t i = 0; i < 20; i++) {
        world_add(world, i % 4, "during the cut");
        world_run(world, 10);
    }
    assert_int_equal(peer__sim_connections(left[1], right[0]), 0);
    peer__sim_heal(world->sim);
    world_connect(world, 2, 1);
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, 0), 20);
}

static void run_a_long_cut(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.reset_after_us = 100 * SECOND;
    scenario_run(a_long_cut, &options);
}

/* Slow lines with many small pieces: the flow control of both sides is used. */
static void a_slow_line(struct world *world)
{
    world_line(world, 2);
    bulk(world, 0, 60, 20000);
    world_join(world, world_host(world), 1);
    world_settle(world, 300);
    assert_int_equal(world_record_count(world, 2), 60);
}

static void run_a_slow_line(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.bandwidth = 50000;
    options.latency_us = 100000;
    options.cut_chance = 60;
    scenario_run(a_slow_line, &options);
}

/* -------------------------------------------------------------------------------------------------------- endings */

SCENARIO(records_expire_everywhere_within_15_seconds)
{
    peer_guid id;
    world_line(world, 3);
    assert_status(world_add_bytes(world, 1, &scenario_note, "short", 5, 40, &id), PEER_OK);
    peer_guid stays = world_add(world, 1, "long");
    for (size_t i = 0; i < 3; i++)
        world_watch(world, i);
    world_run(world, 30);
    for (size_t i = 0; i < 3; i++)
        assert_true(world_has(world, i, &id));
    world_run(world, 40 - 30 + 16); /* one second for peer times that differ */
    for (size_t i = 0; i < 3; i++) {
        peer_event_view event;
        int expired = 0;
        while (world_next_event(world, i, &event))
            expired += event.type == PEER_GRAPH_EVENT_RECORD_CHANGED && event.change == PEER_RECORD_EXPIRED;
        assert_int_equal(expired, 1);
        assert_false(world_has(world, i, &id));
        assert_true(world_has(world, i, &stays));
    }
}

/* Counts what a newcomer would be sent of one record type: tombstones too. */
static size_t floods_for_a_newcomer(struct puppet *puppet, size_t node)
{
    struct buffer request = {0};
    struct wire_message message;
    puppet_join(puppet, node);
    peer__encode_solicit_new(&request, 1, 0, &scenario_note);
    puppet_send(puppet, &request);
    assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
    size_t count = puppet_count(puppet, MESSAGE_FLOOD);
    puppet_hang_up(puppet);
    world_run(puppet->world, 3);
    return count;
}

SCENARIO(tombstones_live_until_the_record_would_have_expired)
{
    peer_guid id;
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    assert_status(world_add_bytes(world, 0, &scenario_note, "short", 5, 300, &id), PEER_OK);
    world_run(world, 5);
    assert_status(world_delete(world, 1, &id), PEER_OK);
    world_run(world, 200);
    assert_false(world_has(world, 0, &id));
    assert_int_equal(floods_for_a_newcomer(puppet, 0), 1);
    world_run(world, 120);
    assert_int_equal(floods_for_a_newcomer(puppet, 0), 0);
    assert_int_equal(floods_for_a_newcomer(puppet, 1), 0);
    puppet_free(puppet);
}

SCENARIO(leaving_says_goodbye)
{
    peer_event_view event;
    int told = 0;
    world_line(world, 2);
    world_watch(world, 0);
    world_close(world, 1);
    world_run(world, 2);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_DISCONNECT, world->nodes[0].host), 1);
    while (world_next_event(world, 0, &event))
        told += event.type == PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION && event.change == PEER_DISCONNECTED;
    assert_int_equal(told, 1);
    assert_int_equal(world_status(world, 0) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
}

/* ----------------------------------------------------------------------------------------------------- full disk */

#define NORMAL_STATUS (PEER_GRAPH_STATUS_LISTENING | PEER_GRAPH_STATUS_HAS_CONNECTIONS | PEER_GRAPH_STATUS_SYNCHRONIZED)
#define FULL_STATUS (PEER_GRAPH_STATUS_LISTENING | PEER_GRAPH_STATUS_HAS_CONNECTIONS | PEER_GRAPH_STATUS_STORAGE_FULL)

/* Whether the last status that an event told is this one. */
static int was_told_status(struct world *world, size_t node, uint32_t status)
{
    peer_event_view event;
    uint32_t last = 0;
    while (world_next_event(world, node, &event)) {
        if (event.type == PEER_GRAPH_EVENT_STATUS_CHANGED)
            last = event.status;
    }
    return last == status;
}

SCENARIO(a_full_disk_acknowledges_nothing)
{
    peer_guid id;
    world_line(world, 2);
    world_watch(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    struct puppet_record record;
    puppet_join(puppet, 1);
    puppet_record_init(puppet, &record, "carol", NULL);
    peer__sim_host_set_disk_full(world->nodes[1].host, 1);
    puppet_flood(puppet, &record.fields);
    assert_true(puppet_is_hung_up(puppet, 10));
    assert_int_equal(puppet_count(puppet, MESSAGE_ACK), 0);
    assert_false(world_has(world, 1, &record.fields.id));
    assert_status(world_add_bytes(world, 1, &scenario_note, "x", 1, HOUR_S, &id), PEER_E_DISK_FULL);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, world->nodes[0].host), 0);
    assert_int_equal(world_status(world, 1), FULL_STATUS);
    assert_true(was_told_status(world, 1, FULL_STATUS));
    peer__sim_host_set_disk_full(world->nodes[1].host, 0);
    world_run(world, 10); /* it looks every 5 s */
    puppet_join(puppet, 1);
    puppet_flood(puppet, &record.fields);
    world_run(world, 5);
    assert_true(world_has(world, 0, &record.fields.id));
    assert_converged(world);
    assert_true(was_told_status(world, 1, NORMAL_STATUS));
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* Once a node knows that it has no room it refuses without a try, and keeps its neighbours; when there is room again it
 * fetches by itself what it refused. */
SCENARIO(a_node_catches_up_when_its_disk_has_room_again)
{
    peer_guid id;
    world_line(world, 3);
    world_run(world, 5);
    world_watch(world, 1);
    peer__sim_host_set_disk_full(world->nodes[1].host, 1);
    assert_status(world_add_bytes(world, 1, &scenario_note, "x", 1, HOUR_S, &id), PEER_E_DISK_FULL);
    assert_true(was_told_status(world, 1, NORMAL_STATUS | PEER_GRAPH_STATUS_STORAGE_FULL));
    uint64_t acks = peer__sim_message_count(world->sim, MESSAGE_ACK, NULL);
    for (size_t i = 0; i < 20; i++)
        world_add(world, 2 * (i % 2), "while it is full");
    world_run(world, 60);
    assert_int_equal(world_record_count(world, 1), 0);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_ACK, NULL), acks);
    assert_true(was_told_status(world, 1, FULL_STATUS));
    peer__sim_host_set_disk_full(world->nodes[1].host, 0);
    world_run(world, 20);
    assert_int_equal(world_record_count(world, 0), 20); /* both ends: what it refused is forwarded now */
    assert_int_equal(world_record_count(world, 2), 20);
    assert_converged(world);
    assert_true(was_told_status(world, 1, NORMAL_STATUS));
}

/* What is kept for deletions serves nothing else, is used up in the end, and is kept anew. */
SCENARIO(deletions_work_on_a_full_disk)
{
    peer_guid ids[60];
    peer_guid id;
    size_t deleted = 0;
    world_line(world, 2);
    for (size_t i = 0; i < 60; i++)
        ids[i] = world_add(world, 0, "to be deleted");
    world_run(world, 5);
    peer__sim_host_set_disk_full(world->nodes[0].host, 1);
    assert_status(world_update(world, 0, &ids[59], "changed"), PEER_E_DISK_FULL);
    while (deleted < 60 && world_delete(world, 0, &ids[deleted]) == PEER_OK) {
        deleted++;
        assert_status(world_add_bytes(world, 0, &scenario_note, "x", 1, HOUR_S, &id), PEER_E_DISK_FULL);
    }
    assert_in_range(deleted, 20, 59);
    assert_status(world_delete(world, 0, &ids[59]), PEER_E_DISK_FULL);
    assert_true(world_has(world, 0, &ids[59]));
    world_run(world, 5);
    assert_int_equal(world_record_count(world, 1), 60 - deleted);
    peer__sim_host_set_disk_full(world->nodes[0].host, 0);
    world_run(world, 10);
    peer__sim_host_set_disk_full(world->nodes[0].host, 1);
    assert_status(world_delete(world, 0, &ids[59]), PEER_OK);
    peer__sim_host_set_disk_full(world->nodes[0].host, 0);
    world_add(world, 0, "again");
    world_settle(world, 30);
}

/* Who comes back to a full disk can still read and delete. */
SCENARIO(a_graph_opens_on_a_full_disk)
{
    world_line(world, 2);
    peer_guid id = world_add(world, 0, "kept");
    world_settle(world, 30);
    peer__sim_host_set_disk_full(world->nodes[1].host, 1);
    world_crash(world, 1, SIM_CRASH_PROCESS);
    world_run(world, 5);
    world_restart(world, 1);
    assert_true(world_has(world, 1, &id));
    assert_status(world_delete(world, 1, &id), PEER_OK);
    peer__sim_host_set_disk_full(world->nodes[1].host, 0);
    world_connect(world, 1, 0);
    world_settle(world, 30);
    assert_false(world_has(world, 0, &id));
}

/* ---------------------------------------------------------------------------------------------------------- sizes */

/* decisions.md 6: 4 MiB, if nobody says otherwise. */
SCENARIO(the_default_limit)
{
    const size_t limit = 4u * 1024 * 1024;
    peer_guid id;
    uint8_t *bytes = peer__calloc(1, limit + 1);
    assert_non_null(bytes);
    world_line(world, 1);
    assert_status(world_add_bytes(world, 0, &scenario_note, bytes, limit + 1, HOUR_S, &id),
                  PEER_E_MAX_RECORD_SIZE_EXCEEDED);
    assert_status(world_add_bytes(world, 0, &scenario_note, bytes, limit, HOUR_S, &id), PEER_OK);
    peer__free(bytes);
}

SCENARIO(records_at_the_limit_and_above)
{
    const uint32_t limit = 300000;
    peer_guid id;
    uint8_t *bytes = peer__calloc(1, limit + 1);
    assert_non_null(bytes);
    world->record_size_max = limit;
    world_line(world, 3);
    assert_status(world_add_bytes(world, 0, &scenario_note, bytes, limit + 1, HOUR_S, &id),
                  PEER_E_MAX_RECORD_SIZE_EXCEEDED);
    assert_status(world_add_bytes(world, 0, &scenario_note, bytes, limit, HOUR_S, &id), PEER_OK);
    world_settle(world, 60);
    assert_true(world_has(world, 2, &id));

    struct puppet *puppet = puppet_create(world, 77);
    struct puppet_record record;
    puppet_join(puppet, 0);
    puppet_record_init(puppet, &record, "carol", NULL);
    record.fields.payload = (struct span){bytes, limit + 1};
    puppet_flood(puppet, &record.fields); /* 6.8: dropped, the connection stays */
    world_run(world, 10);
    assert_false(world_has(world, 0, &record.fields.id));
    assert_false(puppet->closed);
    record.fields.payload.size = limit;
    puppet_flood(puppet, &record.fields);
    world_run(world, 30);
    assert_converged(world);
    assert_true(world_has(world, 2, &record.fields.id));
    puppet_record_free(&record);
    puppet_free(puppet);
    peer__free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(restart_catches_up_both_ways),
        SCENARIO_TEST(crashes_at_random_moments),
        SCENARIO_TEST(an_outbox_full_to_the_brim_goes_on),
        SCENARIO_TEST(who_lags_behind_the_journal_misses_nothing),
        SCENARIO_TEST(a_store_that_is_behind_holds_the_senders_back),
        SCENARIO_TEST(what_was_acknowledged_is_stored),
        SCENARIO_TEST(connection_is_cut_in_the_middle_of_a_synchronization),
        SCENARIO_TEST(crash_in_the_middle_of_a_synchronization),
        SCENARIO_TEST(a_short_cut_loses_nothing),
        SCENARIO_TEST(a_long_cut),
        SCENARIO_TEST(a_slow_line),
        SCENARIO_TEST(records_expire_everywhere_within_15_seconds),
        SCENARIO_TEST(tombstones_live_until_the_record_would_have_expired),
        SCENARIO_TEST(leaving_says_goodbye),
        SCENARIO_TEST(a_full_disk_acknowledges_nothing),
        SCENARIO_TEST(a_node_catches_up_when_its_disk_has_room_again),
        SCENARIO_TEST(deletions_work_on_a_full_disk),
        SCENARIO_TEST(a_graph_opens_on_a_full_disk),
        SCENARIO_TEST(the_default_limit),
        SCENARIO_TEST(records_at_the_limit_and_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

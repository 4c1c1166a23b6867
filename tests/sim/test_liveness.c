/* Connections that are silent, cut, or stand still (decisions.md 7, 11). */
#include "puppet.h"

#include "base/memory.h"

static size_t connections(struct world *world, size_t a, size_t b)
{
    return peer__sim_connections(world->nodes[a].host, world->nodes[b].host);
}

/* ------------------------------------------------------------------------------------------------------- keep-alive */

SCENARIO(an_idle_connection_is_pinged_every_30_s)
{
    world_line(world, 2);
    world_run(world, 60);
    for (size_t node = 0; node < 2; node++) {
        uint64_t before = peer__sim_message_count(world->sim, MESSAGE_PT2PT, world->nodes[node].host);
        world_run(world, 300);
        uint64_t after = peer__sim_message_count(world->sim, MESSAGE_PT2PT, world->nodes[node].host);
        assert_in_range(after - before, 9, 11);
    }
    assert_int_equal(connections(world, 0, 1), 1);
}

SCENARIO(a_busy_connection_is_not_pinged)
{
    world_line(world, 2);
    world_run(world, 60);
    uint64_t before = peer__sim_message_count(world->sim, MESSAGE_PT2PT, world->nodes[1].host);
    for (int i = 0; i < 20; i++) {
        world_add(world, 0, "traffic");
        world_run(world, 15);
    }
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_PT2PT, world->nodes[1].host), before);
}

static int next_connection_event(struct world *world, size_t node, peer_event_view *view_out)
{
    while (world_next_event(world, node, view_out)) {
        if (view_out->type == PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION)
            return 1;
    }
    return 0;
}

/* Packets are dropped and nobody is told: both sides find out by themselves. */
SCENARIO(a_silent_cut_is_noticed_by_both_sides)
{
    peer_event_view view;
    world_line(world, 2);
    for (size_t node = 0; node < 2; node++)
        world_watch(world, node);
    assert_status(peer__sim_partition(&world->nodes[0].host, 1, &world->nodes[1].host, 1), PEER_OK);
    world_run(world, 60);
    assert_int_equal(connections(world, 0, 1), 1);
    world_run(world, 50);
    for (size_t node = 0; node < 2; node++) {
        assert_true(next_connection_event(world, node, &view));
        assert_int_equal(view.change, PEER_DISCONNECTED);
        assert_int_equal(view.reason, PEER_E_CONNECTION_FAILED);
        assert_int_equal(world_status(world, node) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
    }
}

SCENARIO(a_cut_that_heals_in_time_is_survived)
{
    world_line(world, 2);
    for (int i = 0; i < 5; i++) {
        assert_status(peer__sim_partition(&world->nodes[0].host, 1, &world->nodes[1].host, 1), PEER_OK);
        world_run(world, 60);
        peer__sim_heal(world->sim);
        world_run(world, 5);
    }
    peer_guid id = world_add(world, 0, "still here");
    world_settle(world, 5);
    assert_true(world_has(world, 1, &id));
}

/* A plain implementation promises no pings, so its silence says nothing. */
SCENARIO(a_plain_neighbour_may_be_silent)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    assert_false(puppet_is_hung_up(puppet, 1000));
    assert_in_range(puppet_count(puppet, MESSAGE_PT2PT), 30, 35);
    puppet_free(puppet);
}

SCENARIO(who_announced_keep_alive_may_not_be_silent)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet->announces_keep_alive = 1;
    puppet_join(puppet, 0);
    for (int i = 0; i < 20; i++) {
        assert_false(puppet_is_hung_up(puppet, 30));
        puppet_ping(puppet);
    }
    assert_false(puppet_is_hung_up(puppet, 99));
    assert_true(puppet_is_hung_up(puppet, 12));
    puppet_free(puppet);
}

SCENARIO(a_node_announces_keep_alive)
{
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_connect(puppet, 0);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    assert_true(message.as.welcome.extensions.keep_alive);
    puppet_hang_up(puppet);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    assert_true(message.as.connect.extensions.keep_alive);
    puppet_free(puppet);
}

/* ------------------------------------------------------------------------------------- synchronizations that stall */

/* A neighbour that answers nothing but still pings holds nobody up. */
SCENARIO(a_synchronization_that_is_not_answered_ends)
{
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_TIME, &message));
    assert_false(puppet_is_hung_up(puppet, 25));
    puppet_ping(puppet);
    assert_false(puppet_is_hung_up(puppet, 30));
    puppet_ping(puppet);
    assert_true(puppet_is_hung_up(puppet, 20));
    puppet_free(puppet);
}

/* Slow is not dead: an answer whose records come once in 50 s is waited for. */
SCENARIO(a_synchronization_that_moves_is_waited_for)
{
    struct wire_message message;
    struct puppet_record record;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_TIME, &message));
    for (int i = 0; i < 8; i++) {
        assert_false(puppet_is_hung_up(puppet, 50));
        puppet_record_init(puppet, &record, "carol", NULL);
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
    }
    assert_false(puppet_is_hung_up(puppet, 50));
    puppet_free(puppet);
}

SCENARIO(half_a_message_ends_the_connection_within_a_minute)
{
    static const uint8_t half[] = {0x00, 0x08, 0x00, 0x10, 0x00, 0x00, 0x10, 0x0b, 0x00, 0x00}; /* of 1 MiB */
    world_line(world, 1);
    for (size_t size = 1; size <= sizeof(half); size++) {
        struct puppet *puppet = puppet_create(world, 77);
        puppet_join(puppet, 0);
        world_run(world, 7);
        puppet_send_bytes(puppet, half, size);
        assert_false(puppet_is_hung_up(puppet, 49));
        assert_true(puppet_is_hung_up(puppet, 2));
        puppet_free(puppet);
    }
}

/* ---------------------------------------------------------------------------------------- neighbours that do not read */

static void add_megabytes(struct world *world, size_t node, size_t count)
{
    peer_guid id;
    uint8_t *data = peer__calloc(1, 1000000);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        assert_status(world_add_bytes(world, node, &scenario_note, data, 1000000, HOUR_S, &id), PEER_OK);
    peer__free(data);
}

/* It reads nothing from now on, and node 0 has something for it. */
static void stop_reading(struct puppet *puppet, size_t megabytes)
{
    puppet_join(puppet, 0);
    puppet->deaf = 1;
    puppet_pause(puppet, 1);
    add_megabytes(puppet->world, 0, megabytes);
}

SCENARIO(who_reads_nothing_is_cut)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    stop_reading(puppet, 2);
    world_run(world, 55);
    assert_true(puppet_is_held(puppet, 0));
    world_run(world, 20);
    assert_false(puppet_is_held(puppet, 0));
    puppet_free(puppet);
}

SCENARIO(who_reads_a_little_is_not_cut)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    stop_reading(puppet, 4);
    for (int i = 0; i < 12; i++) {
        world_run(world, 50);
        puppet_pause(puppet, 0);
        peer__sim_run_for(world->sim, 1000);
        puppet_pause(puppet, 1);
    }
    assert_true(puppet_is_held(puppet, 0));
    puppet_free(puppet);
}

/* ------------------------------------------------------------------------------------------ a newcomer on a thin line */

#define THIN_LINE 125000 /* bytes a second: 1 Mbit/s */
#define BULK_RECORDS 2000
#define BULK_RECORD_SIZE 50000
#define LIVE_PERIOD_S 10
/* What stands in the buffers before a live change, 400 kB, takes 3.2 s on this line. */
#define LIVE_DELAY_MAX_US (5 * SECOND)

struct live_change {
    peer_guid id;
    int64_t added_us;
};

/* Takes the events of the newcomer; when the live change is among them, tells how old it is. */
static int64_t age_of_arrival(struct world *world, size_t node, const struct live_change *change)
{
    peer_event_view view;
    int64_t age_us = -1;
    while (world_next_event(world, node, &view)) {
        if (view.type == PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION)
            assert_int_equal(view.change, PEER_CONNECTED);
        if (view.type == PEER_GRAPH_EVENT_RECORD_CHANGED && peer__guid_equal(&view.record_id, &change->id))
            age_us = peer__sim_now_us(world->sim) - change->added_us;
    }
    return age_us;
}

static void live_change_arrives(struct world *world, size_t from, size_t to)
{
    struct live_change change = {.id = world_add(world, from, "live"), .added_us = peer__sim_now_us(world->sim)};
    int64_t age_us = -1;
    for (int tenth = 0; tenth < LIVE_PERIOD_S * 10; tenth++) {
        peer__sim_run_for(world->sim, SECOND / 10);
        int64_t seen_us = age_of_arrival(world, to, &change);
        if (seen_us >= 0)
            age_us = seen_us;
    }
    assert_in_range(age_us, 0, LIVE_DELAY_MAX_US);
}

/* 100 MB take 800 s; all the time changes are made, and none waits for the end. */
static void a_newcomer_on_a_thin_line(struct world *world)
{
    static uint8_t data[BULK_RECORD_SIZE];
    peer_guid id;
    int changes = 0;
    world_line(world, 1);
    for (size_t i = 0; i < BULK_RECORDS; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, data, sizeof(data), 10 * HOUR_S, &id), PEER_OK);
    size_t newcomer = world_host(world);
    assert_status(world_open(world, newcomer), PEER_S_GRAPH_DATA_CREATED);
    world_watch(world, newcomer);
    world_connect(world, newcomer, 0);
    world_run(world, 1);
    while ((world_status(world, newcomer) & PEER_GRAPH_STATUS_SYNCHRONIZED) == 0) {
        assert_in_range(changes, 0, 120);
        live_change_arrives(world, 0, newcomer);
        changes++;
    }
    assert_in_range(changes, 75, 90);
    assert_int_equal(world_record_count(world, newcomer), BULK_RECORDS + (size_t)changes);
}

static void run_a_newcomer_on_a_thin_line(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.bandwidth = THIN_LINE;
    scenario_run_large(a_newcomer_on_a_thin_line, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(an_idle_connection_is_pinged_every_30_s),
        SCENARIO_TEST(a_busy_connection_is_not_pinged),
        SCENARIO_TEST(a_silent_cut_is_noticed_by_both_sides),
        SCENARIO_TEST(a_cut_that_heals_in_time_is_survived),
        SCENARIO_TEST(a_plain_neighbour_may_be_silent),
        SCENARIO_TEST(who_announced_keep_alive_may_not_be_silent),
        SCENARIO_TEST(a_node_announces_keep_alive),
        SCENARIO_TEST(a_synchronization_that_is_not_answered_ends),
        SCENARIO_TEST(a_synchronization_that_moves_is_waited_for),
        SCENARIO_TEST(half_a_message_ends_the_connection_within_a_minute),
        SCENARIO_TEST(who_reads_nothing_is_cut),
        SCENARIO_TEST(who_reads_a_little_is_not_cut),
        {"a_newcomer_on_a_thin_line", run_a_newcomer_on_a_thin_line, NULL, scenario_report, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

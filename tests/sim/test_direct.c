/* Direct connections and data for the application (MS-PPGRH 2.2.2.13, 3.1.5.2.13; spec 5.13, 9; decisions.md 16). */
#include "puppet.h"

#include <stdio.h>

#include "base/memory.h"
#include "wire/message.h"
#include "wire/payload.h"

static const peer_guid letter = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void lock(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
}

static void unlock(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->unlock(driver);
}

static peer_status open_direct(struct world *world, size_t from, size_t to, uint64_t *id_out)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = *peer__sim_host_address(world->nodes[to].host);
    address.port = SCENARIO_PORT;
    peer__address_format(&address, text);
    lock(world, from);
    peer_status status = peer__graph_open_direct(world->nodes[from].graph, world->nodes[to].peer_id, text, id_out);
    unlock(world, from);
    return status;
}

static peer_status send_text(struct world *world, size_t node, uint64_t id, const char *text)
{
    lock(world, node);
    peer_status status = peer__graph_send(world->nodes[node].graph, id, &letter, text, strlen(text));
    unlock(world, node);
    return status;
}

static peer_status send_bytes(struct world *world, size_t node, uint64_t id, const void *data, size_t size)
{
    lock(world, node);
    peer_status status = peer__graph_send(world->nodes[node].graph, id, &letter, data, size);
    unlock(world, node);
    return status;
}

static peer_status close_direct(struct world *world, size_t node, uint64_t id)
{
    lock(world, node);
    peer_status status = peer__graph_close_direct(world->nodes[node].graph, id);
    unlock(world, node);
    return status;
}

/* The data of the latest view. */
static uint8_t taken_data[DIRECT_DATA_MAX];

static int take(struct world *world, size_t node, peer_event_view *view)
{
    struct peer_event *event;
    if (peer__event_queue_take(world->nodes[node].events, &event) != PEER_OK)
        return 0;
    assert_status(peer__event_get_view(event, sizeof(*view), view), PEER_OK);
    if (view->size > 0)
        memcpy(taken_data, view->data, view->size);
    view->data = taken_data;
    view->peer_id = view->message = NULL;
    peer__object_release(event);
    return 1;
}

/* The next event of a type, within three minutes; what comes before is passed over. */
static void expect(struct world *world, size_t node, int32_t type, peer_event_view *view)
{
    for (size_t i = 0; i < 180; i++) {
        while (take(world, node, view)) {
            if (view->type == type)
                return;
        }
        world_run(world, 1);
    }
    fail_msg("event %d did not come", (int)type);
}

static uint64_t expect_connection(struct world *world, size_t node, int32_t change)
{
    peer_event_view view;
    expect(world, node, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, change);
    return view.connection_id;
}

static void expect_text(struct world *world, size_t node, uint64_t id, const char *text)
{
    peer_event_view view;
    expect(world, node, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
    assert_int_equal(view.connection_id, id);
    assert_memory_equal(&view.record_type, &letter, sizeof(letter));
    assert_int_equal(view.size, strlen(text));
    assert_memory_equal(view.data, text, view.size);
}

/* Two nodes that watch their events, with a direct connection from the second to the first. */
static void a_pair(struct world *world, uint64_t ids[2])
{
    world_line(world, 2);
    world_watch(world, 0);
    world_watch(world, 1);
    assert_status(open_direct(world, 1, 0, &ids[1]), PEER_OK);
    ids[0] = expect_connection(world, 0, PEER_CONNECTED);
    assert_int_equal(expect_connection(world, 1, PEER_CONNECTED), ids[1]);
}

SCENARIO(data_goes_both_ways_in_order)
{
    uint64_t ids[2];
    char text[16];
    a_pair(world, ids);
    for (size_t i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "line %zu", i);
        assert_status(send_text(world, i % 2, ids[i % 2], text), PEER_OK);
    }
    for (size_t i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "line %zu", i);
        expect_text(world, (i + 1) % 2, ids[(i + 1) % 2], text);
    }
    assert_status(send_text(world, 0, ids[0], ""), PEER_OK);
    expect_text(world, 1, ids[1], "");
    assert_status(close_direct(world, 0, ids[0]), PEER_OK);
    assert_int_equal(expect_connection(world, 1, PEER_DISCONNECTED), ids[1]);
    assert_status(send_text(world, 1, ids[1], "too late"), PEER_E_CONNECTION_NOT_FOUND);
    assert_status(close_direct(world, 1, ids[1]), PEER_E_CONNECTION_NOT_FOUND);
}

static uint64_t lost_over(struct world *world, size_t node, uint64_t id)
{
    struct graph_connection_info info;
    lock(world, node);
    peer_status status = peer__graph_connection_info(world->nodes[node].graph, id, &info);
    unlock(world, node);
    assert_status(status, PEER_OK);
    return info.lost_count;
}

static struct event_queue *only_connections(struct world *world, size_t node)
{
    const peer_event_registration registration = {.type = PEER_GRAPH_EVENT_DIRECT_CONNECTION};
    struct event_queue *queue;
    assert_status(peer__event_queue_create(1, &registration, 1 << 20, &queue), PEER_OK);
    lock(world, node);
    peer__graph_subscribe(world->nodes[node].graph, queue);
    unlock(world, node);
    return queue;
}

/* decisions.md 16 */
SCENARIO(what_nobody_is_registered_for_is_lost_and_counted)
{
    uint64_t ids[2];
    a_pair(world, ids);
    struct event_queue *queue = only_connections(world, 0);
    lock(world, 0);
    peer__graph_unsubscribe(world->nodes[0].graph, world->nodes[0].events);
    unlock(world, 0);
    for (size_t i = 0; i < 3; i++)
        assert_status(send_text(world, 1, ids[1], "to nobody"), PEER_OK);
    world_run(world, 5);
    assert_int_equal(lost_over(world, 0, ids[0]), 3);
    assert_int_equal(lost_over(world, 1, ids[1]), 0);
    lock(world, 0);
    peer__graph_subscribe(world->nodes[0].graph, world->nodes[0].events);
    unlock(world, 0);
    assert_status(send_text(world, 1, ids[1], "to somebody"), PEER_OK);
    expect_text(world, 0, ids[0], "to somebody");
    assert_int_equal(lost_over(world, 0, ids[0]), 3);
    lock(world, 0);
    peer__graph_unsubscribe(world->nodes[0].graph, queue);
    unlock(world, 0);
    peer__event_queue_release(queue);
}

/* What was sent before the connection is closed arrives, however much it is. */
SCENARIO(a_close_loses_nothing)
{
    static uint8_t block[DIRECT_DATA_MAX];
    peer_event_view view;
    uint64_t ids[2];
    a_pair(world, ids);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 31);
    assert_status(send_bytes(world, 1, ids[1], block, sizeof(block) + 1), E_INVALIDARG);
    assert_status(send_bytes(world, 1, ids[1], block, sizeof(block)), PEER_OK);
    assert_status(close_direct(world, 1, ids[1]), PEER_OK);
    expect(world, 0, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
    assert_int_equal(view.size, sizeof(block));
    assert_memory_equal(view.data, block, sizeof(block));
    expect(world, 0, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_DISCONNECTED);
    assert_status(view.reason, PEER_OK);
}

/* D-17: it neither synchronizes nor counts as a neighbour, and a graph that never was synchronized may use it. */
SCENARIO(a_direct_connection_is_no_neighbour)
{
    peer_event_view view;
    uint64_t id;
    world_line(world, 1);
    world_watch(world, 0);
    size_t stranger = world_host(world);
    assert_status(world_open(world, stranger), PEER_S_GRAPH_DATA_CREATED);
    world_watch(world, stranger);
    assert_status(open_direct(world, stranger, 0, &id), PEER_OK);
    assert_int_equal(expect_connection(world, stranger, PEER_CONNECTED), id);
    world_run(world, 60);
    assert_int_equal(world_status(world, stranger), 0);
    assert_int_equal(world_status(world, 0) & PEER_GRAPH_STATUS_HAS_CONNECTIONS, 0);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_SOLICIT_NEW, NULL), 0);
    assert_status(send_text(world, stranger, id, "hello"), PEER_OK);
    expect(world, 0, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
    assert_int_equal(view.size, 5);
    world_run(world, 300); /* it lives by its pings */
    assert_status(send_text(world, stranger, id, "still there"), PEER_OK);
    world_crash(world, 0, SIM_CRASH_MACHINE);
    expect(world, stranger, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_DISCONNECTED);
    assert_status(view.reason, PEER_E_CONNECTION_FAILED);
}

/* Only who is registered for the event is called. */
SCENARIO(who_does_not_listen_for_them_refuses_direct_connections)
{
    peer_event_view view;
    uint64_t id;
    world_line(world, 2);
    world_watch(world, 1);
    assert_status(open_direct(world, 1, 0, &id), PEER_OK);
    expect(world, 1, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_CONNECTION_FAILED);
    assert_status(view.reason, PEER_E_CONNECTION_REFUSED);
    assert_int_equal(view.connection_id, id);
    assert_int_equal(view.next_connection_id, 0);
}

/* So many to node 0, of which so many come up. */
static void open_many(struct world *world, size_t from, size_t count, size_t up)
{
    peer_event_view view;
    uint64_t id;
    size_t connected = 0;
    for (size_t i = 0; i < count; i++) {
        assert_status(open_direct(world, from, 0, &id), PEER_OK);
        expect(world, from, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
        assert_int_equal(view.connection_id, id);
        connected += view.change == PEER_CONNECTED;
        assert_status(view.reason, view.change == PEER_CONNECTED ? PEER_OK : PEER_E_CONNECTION_REFUSED);
    }
    assert_int_equal(connected, up);
}

/* Whoever takes all it can get leaves places for others, whose connections it did not open. */
SCENARIO(one_peer_does_not_take_all_places)
{
    uint64_t id;
    world_star(world, 4);
    for (size_t node = 0; node < world->count; node++)
        world_watch(world, node);
    assert_status(open_direct(world, 2, 0, &id), PEER_OK);
    assert_int_equal(expect_connection(world, 2, PEER_CONNECTED), id);
    assert_status(open_direct(world, 0, 1, &id), PEER_OK); /* our own wish */
    assert_int_equal(expect_connection(world, 1, PEER_CONNECTED) != 0, 1);
    open_many(world, 1, 70, 64);
    open_many(world, 2, 64, 63);
    open_many(world, 3, 70, 64);
}

/* From the host of node 1, as a peer of that name. */
static void open_many_as(struct world *world, const char *name, size_t count)
{
    char text[ADDRESS_TEXT_SIZE];
    struct graph *graph;
    uint64_t id;
    struct address address = *peer__sim_host_address(world->nodes[0].host);
    address.port = SCENARIO_PORT;
    peer__address_format(&address, text);
    lock(world, 1);
    assert_true(peer__graph_open(peer__sim_host_driver(world->nodes[1].host)->engine, SCENARIO_GRAPH, name, name,
                                 PEER_GRAPH_OPTION_MANUAL, 0, NULL, &graph) >= 0);
    unlock(world, 1);
    for (size_t i = 0; i < count; i++) {
        lock(world, 1);
        assert_status(peer__graph_open_direct(graph, world->nodes[0].peer_id, text, &id), PEER_OK);
        unlock(world, 1);
        world_run(world, 1);
    }
}

static size_t count_direct(struct world *world)
{
    uint64_t *ids;
    size_t count;
    lock(world, 0);
    assert_status(peer__graph_list_connections(world->nodes[0].graph, PEER_CONNECTION_DIRECT, &ids, &count), PEER_OK);
    unlock(world, 0);
    peer__free(ids);
    return count;
}

/* Nor does who gives itself several names. */
SCENARIO(one_address_does_not_take_all_places)
{
    world_line(world, 2);
    world_watch(world, 0);
    open_many_as(world, "q1", 64);
    open_many_as(world, "q2", 64);
    open_many_as(world, "q3", 64);
    assert_int_equal(count_direct(world), 128);
}

/* Nor those of a peer whose name it takes: nothing proves it. */
SCENARIO(who_takes_the_name_of_another_does_not_take_its_places)
{
    world_star(world, 3);
    world_watch(world, 0);
    world_watch(world, 2);
    open_many_as(world, world->nodes[2].peer_id, 70);
    assert_int_equal(count_direct(world), 64);
    open_many(world, 2, 1, 1);
}

SCENARIO(a_direct_connection_to_oneself_is_refused_at_once)
{
    uint64_t id;
    world_line(world, 1);
    assert_status(open_direct(world, 0, 0, &id), PEER_E_CONNECT_SELF);
}

/* Nobody answers, or another peer than the one that was asked for. */
SCENARIO(a_direct_connection_fails_with_a_reason)
{
    peer_event_view view;
    uint64_t id;
    world_line(world, 2);
    world_watch(world, 0);
    world_watch(world, 1);
    strcpy(world->nodes[0].peer_id, "px"); /* the name that is asked for, not the one it has */
    assert_status(open_direct(world, 1, 0, &id), PEER_OK);
    expect(world, 1, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_CONNECTION_FAILED);
    assert_status(view.reason, PEER_E_CONNECTION_NOT_AUTHENTICATED);
    world_crash(world, 0, SIM_CRASH_PROCESS);
    assert_status(open_direct(world, 1, 0, &id), PEER_OK);
    expect(world, 1, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_CONNECTION_FAILED);
    assert_status(view.reason, PEER_E_CONNECTION_FAILED);
    assert_status(open_direct(world, 1, 0, &id), PEER_OK);
    assert_status(close_direct(world, 1, id), PEER_OK); /* before it was up */
    expect(world, 1, PEER_GRAPH_EVENT_DIRECT_CONNECTION, &view);
    assert_int_equal(view.change, PEER_CONNECTION_FAILED);
}

/* A receiver that does not read holds the sender back; nothing is lost, and the graph goes on. */
SCENARIO(backpressure_loses_nothing)
{
    static uint8_t block[64 * 1024];
    peer_event_view view;
    uint64_t ids[2];
    uint32_t sent = 0;
    uint32_t taken = 0;
    a_pair(world, ids);
    for (int64_t minute = 0; minute < 5; minute++) {
        peer_status status;
        for (;;) {
            memcpy(block, &sent, sizeof(sent));
            if ((status = send_bytes(world, 1, ids[1], block, sizeof(block))) < 0)
                break;
            sent++;
            world_run(world, 1);
            assert_in_range(sent, 1, 100);
        }
        assert_status(status, PEER_E_OUTBOX_FULL);
        world_add(world, (size_t)minute % 2, "the graph goes on");
        world_run(world, 60); /* a reader may stand still, if its node lives */
    }
    assert_in_range(sent, 16, 60);
    assert_int_equal(world_record_count(world, 0), 5);
    while (taken < sent) {
        uint32_t number;
        expect(world, 0, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
        memcpy(&number, view.data, sizeof(number));
        assert_int_equal(number, taken++);
        lock(world, 0); /* as the API does after it has taken something */
        peer__graph_data_was_taken(world->nodes[0].graph);
        unlock(world, 0);
    }
    expect(world, 1, PEER_EVENT_WRITABLE, &view);
    assert_int_equal(view.connection_id, ids[1]);
    assert_status(send_text(world, 1, ids[1], "again"), PEER_OK);
    expect_text(world, 0, ids[0], "again");
}

/* Many connections, and new ones all the time, do not bring more than one does. */
LARGE_SCENARIO(many_senders_do_not_fill_the_memory)
{
    static uint8_t block[DIRECT_DATA_MAX];
    peer_event_view view;
    size_t count = 0;
    uint64_t id;
    world_star(world, 5);
    for (size_t node = 0; node < world->count; node++)
        world_watch(world, node);
    for (size_t round = 0; round < 4; round++) {
        for (size_t node = 1; node < world->count; node++) {
            assert_status(open_direct(world, node, 0, &id), PEER_OK);
            assert_int_equal(expect_connection(world, node, PEER_CONNECTED), id);
            assert_status(send_bytes(world, node, id, block, sizeof(block)), PEER_OK);
        }
        world_run(world, 10);
    }
    assert_in_range(peer__event_queue_bytes(world->nodes[0].events), sizeof(block), 2 * sizeof(block));
    while (count < 16) {
        expect(world, 0, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
        assert_int_equal(view.size, sizeof(block));
        count++;
        lock(world, 0); /* as the API does after it has taken something */
        peer__graph_data_was_taken(world->nodes[0].graph);
        unlock(world, 0);
    }
}

/* A neighbour whose program does not read loses data, and hears how much; the records go on. */
SCENARIO(neighbour_data_has_a_quota)
{
    static uint8_t block[128 * 1024];
    peer_event_view view;
    uint64_t count = 0;
    uint64_t lost = 0;
    uint64_t *connections;
    size_t connection_count;
    world_line(world, 2);
    world_watch(world, 0);
    world_watch(world, 1);
    lock(world, 1);
    assert_status(
        peer__graph_list_connections(world->nodes[1].graph, PEER_CONNECTION_NEIGHBOR, &connections, &connection_count),
        PEER_OK);
    unlock(world, 1);
    assert_int_equal(connection_count, 1);
    uint64_t id = connections[0];
    peer__free(connections);
    for (size_t i = 0; i < 20; i++) {
        assert_status(send_bytes(world, 1, id, block, sizeof(block)), PEER_OK);
        world_run(world, 2);
    }
    assert_status(send_bytes(world, 1, id, block, NEIGHBOUR_DATA_MAX + 1), E_INVALIDARG);
    world_add(world, 1, "goes on");
    world_settle(world, 10);
    while (take(world, 0, &view)) {
        count += view.type == PEER_GRAPH_EVENT_INCOMING_DATA;
        if (view.type == PEER_EVENT_OVERFLOW && view.status == PEER_GRAPH_EVENT_INCOMING_DATA)
            lost = view.lost_count;
    }
    assert_int_equal(count + lost, 20);
    assert_in_range(count, 6, 9);
    assert_status(send_bytes(world, 1, id, block, 100), PEER_OK);
    expect(world, 0, PEER_GRAPH_EVENT_INCOMING_DATA, &view);
    assert_int_equal(view.size, 100);
}

/* The engine's own type is nobody else's, and other messages have no place on a direct connection. */
SCENARIO(what_does_not_belong_on_a_direct_connection)
{
    uint64_t ids[2];
    a_pair(world, ids);
    lock(world, 1);
    peer_status status = peer__graph_send(world->nodes[1].graph, ids[1], &peer__data_type_ping, NULL, 0);
    unlock(world, 1);
    assert_status(status, E_INVALIDARG);
    assert_status(send_text(world, 1, ids[1] + 100, "nobody"), PEER_E_CONNECTION_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(data_goes_both_ways_in_order),
        SCENARIO_TEST(what_nobody_is_registered_for_is_lost_and_counted),
        SCENARIO_TEST(a_close_loses_nothing),
        SCENARIO_TEST(a_direct_connection_is_no_neighbour),
        SCENARIO_TEST(who_does_not_listen_for_them_refuses_direct_connections),
        SCENARIO_TEST(one_peer_does_not_take_all_places),
        SCENARIO_TEST(one_address_does_not_take_all_places),
        SCENARIO_TEST(who_takes_the_name_of_another_does_not_take_its_places),
        SCENARIO_TEST(a_direct_connection_to_oneself_is_refused_at_once),
        SCENARIO_TEST(a_direct_connection_fails_with_a_reason),
        SCENARIO_TEST(backpressure_loses_nothing),
        SCENARIO_TEST(many_senders_do_not_fill_the_memory),
        SCENARIO_TEST(neighbour_data_has_a_quota),
        SCENARIO_TEST(what_does_not_belong_on_a_direct_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

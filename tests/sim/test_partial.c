/* Large messages that arrive at the same moment: a bound on what they hold, and none that waits for ever. */
#include "puppet.h"

#include "base/memory.h"
#include "graph/parts.h"

#define MIB (1024u * 1024)
#define SENDERS 3
#define MESSAGE_BYTES (55u * MIB) /* three of them are more than may be held */
#define WITHHELD (5u * MIB)
#define ON_THE_WAY (160u * 1024) /* left its sender, and may not have been read yet */

struct sender {
    struct puppet *puppet;
    struct buffer stream; /* one large message in frames */
    size_t given;         /* of it to the network */
};

static void sender_init(struct sender *sender, struct world *world, uint64_t node_id, size_t size)
{
    struct buffer message = {0};
    uint8_t *data = peer__calloc(1, size);
    assert_non_null(data);
    peer__encode_pt2pt(&message, &scenario_note, (struct span){data, size});
    peer__free(data);
    *sender = (struct sender){.puppet = puppet_create(world, node_id)};
    peer__frame_message(&sender->stream, (struct span){message.data, message.size}, FRAME_SIZE_DEFAULT);
    peer__buffer_free(&message);
    assert_false(sender->stream.failed);
    puppet_join(sender->puppet, 0);
}

static void sender_give(struct sender *sender, size_t until)
{
    puppet_send_bytes(sender->puppet, sender->stream.data + sender->given, until - sender->given);
    sender->given = until;
}

/* Bytes that the node has certainly taken in. */
static size_t taken(struct sender *sender)
{
    size_t gone = sender->given - puppet_queued(sender->puppet);
    return gone > ON_THE_WAY ? gone - ON_THE_WAY : 0;
}

static size_t taken_by_all(struct sender senders[SENDERS])
{
    size_t bytes = 0;
    for (size_t i = 0; i < SENDERS; i++)
        bytes += taken(&senders[i]);
    return bytes;
}

static void senders_begin(struct world *world, struct sender senders[SENDERS])
{
    world_line(world, 2);
    for (size_t i = 0; i < SENDERS; i++)
        sender_init(&senders[i], world, 70 + i, MESSAGE_BYTES);
    for (size_t i = 0; i < SENDERS; i++)
        sender_give(&senders[i], senders[i].stream.size - WITHHELD);
    world_run(world, 5);
    assert_in_range(taken_by_all(senders), 60 * MIB, 128 * MIB);
}

static void senders_free(struct sender senders[SENDERS])
{
    for (size_t i = 0; i < SENDERS; i++) {
        peer__buffer_free(&senders[i].stream);
        puppet_free(senders[i].puppet);
    }
}

static size_t senders_left(struct sender senders[SENDERS])
{
    size_t count = 0;
    for (size_t i = 0; i < SENDERS; i++)
        count += !senders[i].puppet->closed;
    return count;
}

static void assert_small_ones_pass(struct world *world)
{
    peer_guid id = world_add(world, 1, "small");
    world_run(world, 1);
    assert_true(world_has(world, 0, &id));
}

/* Three neighbours send what is too much together; each gets through in the end, and small records all the time. */
static void large_messages_take_turns(struct world *world)
{
    struct sender senders[SENDERS];
    senders_begin(world, senders);
    assert_small_ones_pass(world);
    for (size_t i = 0; i < SENDERS; i++)
        sender_give(&senders[i], senders[i].stream.size);
    for (int second = 0; second < 30; second++) {
        assert_small_ones_pass(world);
        assert_int_equal(senders_left(senders), SENDERS);
    }
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(puppet_queued(senders[i].puppet), 0);
    senders_free(senders);
}

/* Who stops in the middle, or goes on with a few bytes a minute, does not keep the others waiting. */
static void large_messages_that_do_not_move_give_way(struct world *world)
{
    struct sender senders[SENDERS];
    int seconds = 0;
    senders_begin(world, senders);
    while (senders_left(senders) > 1) {
        for (size_t i = 0; i < SENDERS; i++)
            sender_give(&senders[i], senders[i].given + 100);
        world_run(world, 5);
        assert_small_ones_pass(world);
        seconds += 6;
        assert_in_range(seconds, 0, 200);
    }
    senders_free(senders);
}

static void direct_init(struct sender *sender, struct world *world)
{
    struct wire_message welcome;
    struct buffer auth = {0};
    struct buffer message = {0};
    uint8_t *data = peer__calloc(1, DIRECT_DATA_MAX);
    assert_non_null(data);
    peer__encode_pt2pt(&message, &scenario_note, (struct span){data, DIRECT_DATA_MAX});
    peer__free(data);
    *sender = (struct sender){.puppet = puppet_create(world, 99)};
    peer__frame_message(&sender->stream, (struct span){message.data, message.size}, FRAME_SIZE_DEFAULT);
    peer__buffer_free(&message);
    puppet_dial(sender->puppet, 0);
    peer__encode_auth_info(&auth, CONNECTION_DIRECT,
                           (struct span){(const uint8_t *)SCENARIO_GRAPH, strlen(SCENARIO_GRAPH)},
                           (struct span){(const uint8_t *)sender->puppet->peer_id, strlen(sender->puppet->peer_id)},
                           (struct span){NULL, 0});
    puppet_send(sender->puppet, &auth);
    puppet_connect(sender->puppet, CONNECT_FLAG_DIRECT);
    assert_true(puppet_expect(sender->puppet, MESSAGE_WELCOME, &welcome));
}

/* As the application does with the only direct connection. */
static void pause(struct world *world, int paused)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
    struct graph *graph = world->nodes[0].graph;
    uint64_t *ids;
    size_t count;
    driver->lock(driver);
    assert_status(peer__graph_list_connections(graph, PEER_CONNECTION_DIRECT, &ids, &count), PEER_OK);
    assert_int_equal(count, 1);
    assert_status(peer__graph_pause_direct(graph, ids[0], paused), PEER_OK);
    driver->unlock(driver);
    peer__free(ids);
}

/* Else the next one in turn, of which the fewest bytes are left. */
static void senders_begin_with_a_direct_one(struct world *world, struct sender senders[SENDERS], struct sender *direct)
{
    senders_begin(world, senders);
    world_watch(world, 0);
    direct_init(direct, world);
    sender_give(direct, 3 * MIB);
    world_run(world, 5);
    assert_in_range(taken(direct), 2 * MIB, 3 * MIB);
}

static void assert_arrives(struct world *world, struct sender *direct)
{
    peer_event_view view;
    sender_give(direct, direct->stream.size);
    world_run(world, 10);
    assert_false(direct->puppet->closed);
    do {
        assert_true(world_next_event(world, 0, &view));
    } while (view.type != PEER_GRAPH_EVENT_INCOMING_DATA);
    assert_int_equal(view.size, DIRECT_DATA_MAX);
}

/* It is our application that does not read: nobody is to blame, and others need not wait for that. */
static void what_is_paused_lets_others_pass(struct world *world)
{
    struct sender senders[SENDERS];
    struct sender direct;
    senders_begin_with_a_direct_one(world, senders, &direct);
    pause(world, 1);
    for (size_t i = 0; i < SENDERS; i++)
        sender_give(&senders[i], senders[i].stream.size);
    world_run(world, 100);
    assert_int_equal(senders_left(senders), SENDERS);
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(puppet_queued(senders[i].puppet), 0);
    assert_false(direct.puppet->closed);
    pause(world, 0);
    assert_arrives(world, &direct);
    senders_free(senders);
    peer__buffer_free(&direct.stream);
    puppet_free(direct.puppet);
}

/* Nor is it blamed for being slow as long as it was not read for most of the time; then it is. */
static void the_time_of_a_pause_does_not_count(struct world *world)
{
    struct sender senders[SENDERS];
    struct sender direct;
    senders_begin_with_a_direct_one(world, senders, &direct);
    for (size_t i = 0; i < 16; i++) {
        pause(world, 1);
        world_run(world, 6);
        for (size_t each = 0; each < SENDERS; each++) /* which have their turn meanwhile */
            sender_give(&senders[each], senders[each].given + MIB / 4);
        pause(world, 0);
        sender_give(&direct, direct.given + MIB / 32);
        world_run(world, 1);
        assert_false(direct.puppet->closed);
    }
    world_run(world, 30);
    assert_true(direct.puppet->closed);
    senders_free(senders);
    peer__buffer_free(&direct.stream);
    puppet_free(direct.puppet);
}

static void senders_give_each(struct sender senders[SENDERS], size_t size)
{
    for (size_t i = 0; i < SENDERS; i++)
        sender_give(&senders[i], senders[i].given + size);
}

/* The time before a message does not count: neither that in which nothing was to be sent, nor that of a wait. At whatever
 * moment a message begins, it has its ten seconds. */
static void who_has_just_begun_is_not_slow(struct world *world)
{
    struct sender senders[SENDERS];
    struct sender brief;
    senders_begin(world, senders);
    sender_init(&brief, world, 90, 320 * 1024);
    for (size_t round = 0; round < 11; round++) {
        for (size_t second = 0; second < 10; second++) {
            senders_give_each(senders, MIB / 32);
            world_run(world, 1);
        }
        brief.given = 0;
        sender_give(&brief, 100 * 1024);
        world_run(world, 1);
        sender_give(&brief, brief.stream.size);
        world_run(world, 0);
        assert_false(brief.puppet->closed);
        assert_int_equal(senders_left(senders), SENDERS);
    }
    assert_true(world->nodes[0].graph->engine->partial_is_tight);
    senders_free(senders);
    peer__buffer_free(&brief.stream);
    puppet_free(brief.puppet);
}

/* In whole chunks: small ones of so many bytes would only take time. */
static struct sim_options whole_chunks(void)
{
    struct sim_options options;
    peer__sim_defaults(&options);
    options.cut_chance = 0;
    return options;
}

static void run_large_messages_take_turns(void **state)
{
    struct sim_options options = whole_chunks();
    (void)state;
    scenario_run_large(large_messages_take_turns, &options);
}

static void run_large_messages_that_do_not_move_give_way(void **state)
{
    struct sim_options options = whole_chunks();
    (void)state;
    scenario_run_large(large_messages_that_do_not_move_give_way, &options);
}

static void run_what_is_paused_lets_others_pass(void **state)
{
    struct sim_options options = whole_chunks();
    (void)state;
    scenario_run_large(what_is_paused_lets_others_pass, &options);
}

static void run_the_time_of_a_pause_does_not_count(void **state)
{
    struct sim_options options = whole_chunks();
    (void)state;
    scenario_run_large(the_time_of_a_pause_does_not_count, &options);
}

static void run_who_has_just_begun_is_not_slow(void **state)
{
    struct sim_options options = whole_chunks();
    (void)state;
    scenario_run_large(who_has_just_begun_is_not_slow, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"large_messages_take_turns", run_large_messages_take_turns, NULL, scenario_report, NULL},
        {"large_messages_that_do_not_move_give_way", run_large_messages_that_do_not_move_give_way, NULL,
         scenario_report, NULL},
        {"what_is_paused_lets_others_pass", run_what_is_paused_lets_others_pass, NULL, scenario_report, NULL},
        {"who_has_just_begun_is_not_slow", run_who_has_just_begun_is_not_slow, NULL, scenario_report, NULL},
        {"the_time_of_a_pause_does_not_count", run_the_time_of_a_pause_does_not_count, NULL, scenario_report, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Large messages that arrive at the same moment: a bound on what they hold, and none that waits for ever. */
#include "puppet.h"

#include "base/memory.h"

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

static void sender_init(struct sender *sender, struct world *world, uint64_t node_id)
{
    struct buffer message = {0};
    uint8_t *data = peer__calloc(1, MESSAGE_BYTES);
    assert_non_null(data);
    peer__encode_pt2pt(&message, &scenario_note, (struct span){data, MESSAGE_BYTES});
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
        sender_init(&senders[i], world, 70 + i);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"large_messages_take_turns", run_large_messages_take_turns, NULL, scenario_report, NULL},
        {"large_messages_that_do_not_move_give_way", run_large_messages_that_do_not_move_give_way, NULL,
         scenario_report, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

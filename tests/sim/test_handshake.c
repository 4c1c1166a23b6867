/* Every row of 9.4, the time-outs of 7.2, and what may not be said: the puppet speaks, the engine must answer or hang up. */
#include "puppet.h"

#include <stdio.h>

static struct span text_span(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static void say_auth_info(struct puppet *puppet, uint8_t type, const char *graph_id, const char *destination)
{
    struct buffer message = {0};
    peer__encode_auth_info(&message, type, text_span(graph_id), text_span(puppet->peer_id),
                           destination != NULL ? text_span(destination) : (struct span){NULL, 0});
    puppet_send(puppet, &message);
}

/* The answer to a CONNECT must be this REFUSE, and then the end. */
static struct wire_refuse expect_refusal(struct puppet *puppet, uint8_t code)
{
    struct wire_message message;
    assert_true(puppet_expect(puppet, MESSAGE_REFUSE, &message));
    assert_int_equal(message.as.refuse.code, code);
    assert_true(puppet_is_hung_up(puppet, 5));
    return message.as.refuse;
}

SCENARIO(welcome_tells_who_and_when)
{
    struct wire_message message;
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    say_auth_info(puppet, CONNECTION_NEIGHBOUR, SCENARIO_GRAPH, "p1");
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    assert_true(peer__span_equal(message.as.welcome.peer_id, text_span("p1")));
    assert_int_equal(message.as.welcome.referrals.count, 1);
    struct address referral;
    assert_true(peer__wire_address(&message.as.welcome.referrals, 0, &referral));
    assert_memory_equal(referral.ip, peer__sim_host_address(world->nodes[1].host)->ip, 16);
    assert_int_equal(referral.port, SCENARIO_PORT);
    puppet_free(puppet);
}

SCENARIO(without_n_there_are_no_referrals)
{
    struct wire_message message;
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_connect(puppet, 0);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    assert_int_equal(message.as.welcome.referrals.count, 0);
    puppet_free(puppet);
}

SCENARIO(wrong_graph_or_wrong_peer_ends_it)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    say_auth_info(puppet, CONNECTION_NEIGHBOUR, "G2", NULL);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_dial(puppet, 0);
    say_auth_info(puppet, CONNECTION_NEIGHBOUR, SCENARIO_GRAPH, "somebody else");
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(puppet->count, 0);
    puppet_free(puppet);
}

SCENARIO(second_connection_of_a_node_is_a_duplicate)
{
    world_line(world, 1);
    struct puppet *first = puppet_create(world, 77);
    struct puppet *second = puppet_create(world, 77);
    puppet_join(first, 0);
    puppet_dial(second, 0);
    puppet_auth(second);
    puppet_connect(second, CONNECT_FLAG_NEIGHBOURS);
    assert_int_equal(expect_refusal(second, REFUSE_DUPLICATE).referrals.count, 0);
    assert_false(first->closed);
    puppet_free(first);
    puppet_free(second);
}

SCENARIO(eighth_neighbour_is_sent_elsewhere)
{
    struct puppet *puppets[8];
    world_line(world, 1);
    for (size_t i = 0; i < 8; i++)
        puppets[i] = puppet_create(world, 100 + i);
    for (size_t i = 0; i < 7; i++) {
        puppet_listen(puppets[i]);
        puppet_join(puppets[i], 0);
    }
    puppet_dial(puppets[7], 0);
    puppet_auth(puppets[7]);
    puppet_connect(puppets[7], CONNECT_FLAG_NEIGHBOURS);
    struct wire_refuse refuse = expect_refusal(puppets[7], REFUSE_BUSY);
    assert_int_equal(refuse.referrals.count, 7);
    for (size_t i = 0; i < 7; i++) { /* least recently added first */
        struct address referral;
        assert_true(peer__wire_address(&refuse.referrals, i, &referral));
        assert_memory_equal(referral.ip, peer__sim_host_address(puppets[i]->host)->ip, 16);
    }
    puppet_hang_up(puppets[3]);
    world_run(world, 2);
    puppet_join(puppets[7], 0); /* there is room again */
    for (size_t i = 0; i < 8; i++)
        puppet_free(puppets[i]);
}

SCENARIO(direct_connections_are_refused)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    say_auth_info(puppet, CONNECTION_DIRECT, SCENARIO_GRAPH, NULL);
    puppet_connect(puppet, CONNECT_FLAG_DIRECT);
    expect_refusal(puppet, REFUSE_DIRECT_DISALLOWED);
    puppet_dial(puppet, 0); /* AUTH_INFO and CONNECT disagree */
    say_auth_info(puppet, CONNECTION_NEIGHBOUR, SCENARIO_GRAPH, NULL);
    puppet_connect(puppet, CONNECT_FLAG_DIRECT);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(puppet_count(puppet, MESSAGE_WELCOME), 0);
    puppet_free(puppet);
}

SCENARIO(update_replaces_addresses_without_an_answer)
{
    struct wire_message message;
    struct address referral;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    struct puppet *other = puppet_create(world, 78);
    puppet_join(puppet, 0);
    size_t before = puppet->count;
    puppet_listen(puppet);
    puppet_connect(puppet, CONNECT_FLAG_UPDATE);
    world_run(world, 5);
    assert_int_equal(puppet->count, before);
    assert_false(puppet->closed);
    puppet_dial(other, 0);
    puppet_auth(other);
    puppet_connect(other, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(other, MESSAGE_WELCOME, &message));
    assert_int_equal(message.as.welcome.referrals.count, 1);
    assert_true(peer__wire_address(&message.as.welcome.referrals, 0, &referral));
    assert_memory_equal(referral.ip, peer__sim_host_address(puppet->host)->ip, 16);
    puppet_free(puppet);
    puppet_free(other);
}

/* 9.4 row 1: before it is connected, U means nothing. */
SCENARIO(update_as_the_first_connect_counts_as_connect)
{
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_UPDATE | CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    puppet_free(puppet);
}

SCENARIO(connect_twice_and_auth_info_twice)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    expect_refusal(puppet, REFUSE_ALREADY_CONNECTED); /* D-15 */
    puppet_join(puppet, 0);
    puppet_auth(puppet);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_auth(puppet);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

SCENARIO(a_node_does_not_talk_to_itself)
{
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet->seen = 0;
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    puppet_hang_up(puppet);
    world_run(world, 2);
    puppet->node_id = message.as.welcome.node_id;
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(puppet_count(puppet, MESSAGE_WELCOME), 0);
    puppet_free(puppet);
}

/* D-13: 20 + 280 * e^(-c/10) seconds for c other connections, of which our own limit leaves 50. */
SCENARIO(silence_before_auth_info_times_out)
{
    struct puppet *puppets[31];
    const size_t count = sizeof(puppets) / sizeof(puppets[0]);
    world_line(world, 1);
    for (size_t i = 0; i < count; i++)
        puppets[i] = puppet_create(world, 77 + i);
    puppet_dial(puppets[0], 0);
    assert_false(puppet_is_hung_up(puppets[0], 49));
    assert_true(puppet_is_hung_up(puppets[0], 2));
    for (size_t i = 0; i < count; i++)
        puppet_dial(puppets[i], 0);
    assert_false(puppet_is_hung_up(puppets[30], 32)); /* 33.9 s */
    assert_true(puppet_is_hung_up(puppets[30], 3));
    assert_false(puppets[0]->closed);
    for (size_t i = 0; i < count; i++)
        puppet_free(puppets[i]);
}

SCENARIO(silence_after_auth_info_times_out)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    world_run(world, 30);
    puppet_auth(puppet);
    assert_false(puppet_is_hung_up(puppet, 19));
    assert_true(puppet_is_hung_up(puppet, 2));
    puppet_free(puppet);
}

/* A puppet that listens, and a node that connects to it. */
static size_t make_caller(struct world *world, struct puppet *puppet)
{
    char text[ADDRESS_TEXT_SIZE];
    uint64_t connection_id;
    size_t node = world_host(world);
    puppet_listen(puppet);
    assert_true(world_open(world, node) >= 0);
    world_watch(world, node);
    peer__address_format(&puppet->addresses[0], text);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    assert_status(peer__graph_connect(world->nodes[node].graph, NULL, text, &connection_id), PEER_OK);
    driver->unlock(driver);
    return node;
}

static int has_failed(struct world *world, size_t node)
{
    peer_event_view event;
    int failed = 0;
    while (world_next_event(world, node, &event))
        failed += event.type == PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION && event.change == PEER_CONNECTION_FAILED;
    return failed;
}

SCENARIO(connect_without_an_answer_times_out_after_60_seconds)
{
    struct wire_message message;
    struct puppet *puppet = puppet_create(world, 77);
    size_t node = make_caller(world, puppet);
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    assert_int_equal(message.as.connect.flags, CONNECT_FLAG_NEIGHBOURS);
    assert_int_equal(message.as.connect.addresses.count, 0);
    assert_false(puppet_is_hung_up(puppet, 59));
    assert_int_equal(has_failed(world, node), 0);
    assert_true(puppet_is_hung_up(puppet, 2));
    assert_int_equal(has_failed(world, node), 1);
    puppet_free(puppet);
}

SCENARIO(every_refusal_ends_the_attempt)
{
    struct puppet *puppet = puppet_create(world, 77);
    size_t node = make_caller(world, puppet);
    struct wire_message message;
    struct buffer refusal = {0};
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    peer__encode_refuse(&refusal, (uint8_t)(1 + peer__sim_draw(world->sim, 4)), NULL, 0);
    puppet_send(puppet, &refusal);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(has_failed(world, node), 1);
    puppet_free(puppet);
}

/* ----------------------------------------------------------------------------------------- what may not be said */

static const peer_guid some_type = {{1, 2, 3}};

static void encode(uint8_t type, struct buffer *out)
{
    struct wire_hash_entry hash = {{0}, UINT64_MAX, {{0xff}}};
    struct wire_ack_entry ack = {{{0}}, 1};
    uint8_t rubbish[98] = {0};

    switch (type) {
    case MESSAGE_WELCOME:
        peer__encode_welcome(out, 5, 0, NULL, 0, text_span("x"), (struct span){NULL, 0}, NULL);
        break;
    case MESSAGE_REFUSE:
        peer__encode_refuse(out, REFUSE_BUSY, NULL, 0);
        break;
    case MESSAGE_SOLICIT_NEW:
        peer__encode_solicit_new(out, 0, 0, NULL);
        break;
    case MESSAGE_SOLICIT_TIME:
        peer__encode_solicit_time(out, 0, 0, NULL, 0);
        break;
    case MESSAGE_SOLICIT_HASH:
        peer__encode_solicit_hash(out, &hash, 1);
        break;
    case MESSAGE_ADVERTISE:
        peer__encode_advertise(out, NULL, 0, NULL, 0);
        break;
    case MESSAGE_REQUEST:
        peer__encode_request(out, NULL, 0);
        break;
    case MESSAGE_FLOOD:
        peer__encode_flood(out, (struct span){rubbish, sizeof(rubbish)});
        break;
    case MESSAGE_PT2PT:
        peer__encode_pt2pt(out, &some_type, (struct span){rubbish, 4});
        break;
    case MESSAGE_ACK:
        peer__encode_ack(out, &ack, 1);
        break;
    default:
        peer__encode_sync_end(out);
        break;
    }
}

static void expect_end_after(struct puppet *puppet, uint8_t type, const char *state)
{
    struct buffer message = {0};
    encode(type, &message);
    puppet_send(puppet, &message);
    if (!puppet_is_hung_up(puppet, 5))
        fail_msg("%s was taken %s", peer__message_name(type), state);
}

SCENARIO(illegal_messages_end_the_connection)
{
    /* SYNC_END is ignored where it has no meaning (5.12); the others are fatal. */
    static const uint8_t before_connected[] = {
        MESSAGE_WELCOME,   MESSAGE_REFUSE,  MESSAGE_SOLICIT_NEW, MESSAGE_SOLICIT_TIME, MESSAGE_SOLICIT_HASH,
        MESSAGE_ADVERTISE, MESSAGE_REQUEST, MESSAGE_FLOOD,       MESSAGE_PT2PT,        MESSAGE_ACK,
    };
    static const uint8_t when_connected[] = {MESSAGE_WELCOME, MESSAGE_REFUSE, MESSAGE_ADVERTISE, MESSAGE_REQUEST};
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    for (size_t i = 0; i < sizeof(before_connected); i++) {
        puppet_dial(puppet, 0);
        expect_end_after(puppet, before_connected[i], "as the first message");
        puppet_dial(puppet, 0);
        puppet_auth(puppet);
        expect_end_after(puppet, before_connected[i], "before CONNECT");
    }
    for (size_t i = 0; i < sizeof(when_connected); i++) {
        puppet_join(puppet, 0);
        expect_end_after(puppet, when_connected[i], "out of turn");
    }
    puppet_dial(puppet, 0);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS); /* without AUTH_INFO */
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

SCENARIO(the_side_that_was_asked_may_not_authenticate)
{
    struct puppet *puppet = puppet_create(world, 77);
    size_t node = make_caller(world, puppet);
    struct wire_message message;
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    if (peer__sim_draw(world->sim, 2) == 0)
        puppet_auth(puppet);
    else
        puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(has_failed(world, node), 1);
    puppet_free(puppet);
}

SCENARIO(a_stray_sync_end_is_ignored)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    struct buffer message = {0};
    puppet_join(puppet, 0);
    peer__encode_sync_end(&message);
    puppet_send(puppet, &message);
    assert_false(puppet_is_hung_up(puppet, 10));
    puppet_free(puppet);
}

SCENARIO(rubbish_ends_the_connection_and_nothing_else)
{
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[64];
        size_t size = 12 + peer__sim_draw(world->sim, sizeof(bytes) - 12);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)peer__sim_draw(world->sim, 256);
        bytes[0] = 0; /* a frame that is complete, so that the verdict cannot wait */
        bytes[1] = 10;
        if (peer__sim_draw(world->sim, 2) == 0)
            puppet_dial(puppet, 0);
        else
            puppet_join(puppet, 0);
        bytes[2] = (uint8_t)(0xf0 | bytes[2]); /* and a message larger than any */
        puppet_send_bytes(puppet, bytes, size);
        assert_true(puppet_is_hung_up(puppet, 5));
    }
    peer_guid id = world_add(world, 0, "alive");
    world_run(world, 5);
    assert_true(world_has(world, 1, &id));
    puppet_free(puppet);
}

/* D-16, where both have said WELCOME: what the node with the lower id has dialled stays. */
static void dial_each_other(struct world *world, uint64_t node_id, int ours_stays)
{
    world_line(world, 1);
    struct puppet *asked = puppet_create(world, node_id); /* both are the one other node */
    struct puppet *asking = puppet_create(world, node_id);
    puppet_listen(asked);
    puppet_is_dialled(asked, 0);
    world_run(world, 1);
    puppet_join(asking, 0);
    puppet_welcome(asked);
    assert_true(puppet_is_hung_up(ours_stays ? asking : asked, 5));
    assert_false(puppet_is_hung_up(ours_stays ? asked : asking, 20));
    puppet_free(asked);
    puppet_free(asking);
}

SCENARIO(what_the_lower_node_id_has_dialled_stays)
{
    dial_each_other(world, UINT64_MAX, 1);
}

SCENARIO(what_the_higher_node_id_has_dialled_ends)
{
    dial_each_other(world, 77, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(welcome_tells_who_and_when),
        SCENARIO_TEST(without_n_there_are_no_referrals),
        SCENARIO_TEST(wrong_graph_or_wrong_peer_ends_it),
        SCENARIO_TEST(second_connection_of_a_node_is_a_duplicate),
        SCENARIO_TEST(eighth_neighbour_is_sent_elsewhere),
        SCENARIO_TEST(direct_connections_are_refused),
        SCENARIO_TEST(update_replaces_addresses_without_an_answer),
        SCENARIO_TEST(update_as_the_first_connect_counts_as_connect),
        SCENARIO_TEST(connect_twice_and_auth_info_twice),
        SCENARIO_TEST(a_node_does_not_talk_to_itself),
        SCENARIO_TEST(silence_before_auth_info_times_out),
        SCENARIO_TEST(silence_after_auth_info_times_out),
        SCENARIO_TEST(connect_without_an_answer_times_out_after_60_seconds),
        SCENARIO_TEST(every_refusal_ends_the_attempt),
        SCENARIO_TEST(illegal_messages_end_the_connection),
        SCENARIO_TEST(the_side_that_was_asked_may_not_authenticate),
        SCENARIO_TEST(a_stray_sync_end_is_ignored),
        SCENARIO_TEST(rubbish_ends_the_connection_and_nothing_else),
        SCENARIO_TEST(what_the_lower_node_id_has_dialled_stays),
        SCENARIO_TEST(what_the_higher_node_id_has_dialled_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

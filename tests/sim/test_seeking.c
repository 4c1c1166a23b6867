/* Who lacks neighbours goes on asking whom it knows, and nobody can keep it from that (spec part 14.4; decisions.md 13, 14). */
#include "puppet.h"

static size_t links(const struct world *world, size_t node)
{
    return peer__sim_connections(world->nodes[node].host, NULL);
}

struct dials {
    size_t count;
};

static void count_dials(void *self, const char *text, size_t size)
{
    struct dials *dials = self;
    (void)size;
    if (strstr(text, "\"dialled\"") != NULL)
        dials->count++;
}

static struct address address_of(const struct world *world, size_t node)
{
    struct address address = *peer__sim_host_address(world->nodes[node].host);
    address.port = SCENARIO_PORT;
    return address;
}

static int are_linked(void *context)
{
    struct condition *c = context;
    return peer__sim_connections(c->world->nodes[c->node].host, c->world->nodes[c->number].host) > 0;
}

static void cut_off(struct world *world, size_t a, size_t b)
{
    assert_status(peer__sim_partition(&world->nodes[a].host, 1, &world->nodes[b].host, 1), PEER_OK);
    peer__sim_reset(world->nodes[a].host, world->nodes[b].host);
}

/* The first node never dials by itself, the second one does. */
static void a_passive_and_an_active_node(struct world *world)
{
    world_line(world, 1);
    world->automatic = 1;
    world_join(world, world_host(world), 0);
}

/* CONNECT with addresses of its choice; U or not. */
static void claim(struct puppet *puppet, uint8_t flags, const struct address *addresses, size_t count)
{
    static const struct wire_extensions plain;
    struct buffer message = {0};
    peer__encode_connect(&message, flags, puppet->node_id, addresses, count, (struct span){NULL, 0}, &plain);
    puppet_send(puppet, &message);
    peer__buffer_free(&message);
}

static void join_claiming(struct puppet *puppet, size_t node, const struct address *addresses, size_t count)
{
    struct wire_message message;
    puppet_dial(puppet, node);
    puppet_auth(puppet);
    claim(puppet, CONNECT_FLAG_NEIGHBOURS, addresses, count);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
}

static void refuse(struct puppet *puppet, uint8_t code, const struct address *named, size_t count)
{
    struct buffer message = {0};
    peer__encode_refuse(&message, code, named, count);
    puppet_send(puppet, &message);
    peer__buffer_free(&message);
}

/* Nobody else is known, so the one address is dialled after 1, 2, 4 … 30 s and not only by the maintenance timer. */
SCENARIO(the_only_candidate_is_dialled_again_and_again)
{
    struct dials dials = {0};
    a_passive_and_an_active_node(world);
    world_run(world, 60);
    cut_off(world, 0, 1);
    world_close(world, 0);
    peer__sim_trace_to(world->sim, count_dials, &dials);
    world_run(world, 60);
    assert_in_range(dials.count, 4, 9);
}

/* Only seven of them find a place before anyone listens whom the first node could name to the others. */
LARGE_SCENARIO(fifty_who_come_at_once_all_get_in)
{
    world->automatic = 1;
    size_t first = world_host(world);
    world_create(world, first);
    world_listen(world, first);
    for (size_t i = 0; i < 50; i++) {
        size_t node = world_host(world);
        assert_true(world_open(world, node) >= 0);
        world_connect(world, node, first);
    }
    for (size_t second = 0; second < 300; second++) {
        world_run(world, 1);
        for (size_t i = 1; i < world->count; i++) {
            struct condition condition = {.world = world, .node = i};
            if ((world_status(world, i) & PEER_GRAPH_STATUS_LISTENING) == 0 && node_is_synchronized(&condition))
                world_listen(world, i);
        }
    }
    for (size_t i = 0; i < world->count; i++) {
        assert_in_range(links(world, i), 1, 8);
        assert_true((world_status(world, i) & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0);
    }
}

/* Whoever says that it listens where another one does, does not keep us from that one. */
SCENARIO(a_false_claim_blocks_nobody)
{
    char text[ADDRESS_TEXT_SIZE];
    a_passive_and_an_active_node(world);
    struct address good = address_of(world, 0);
    struct puppet *puppet = puppet_create(world, 77);
    join_claiming(puppet, 1, &good, 1);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_run(world, 1);
    peer__address_format(&good, text);
    struct driver *driver = peer__sim_host_driver(world->nodes[1].host);
    assert_true(world_until(world, are_linked, (struct condition){.node = 1, .number = 0}, 10));
    cut_off(world, 0, 1);
    world_run(world, 1);
    driver->lock(driver);
    assert_status(peer__graph_connect(world->nodes[1].graph, NULL, text, NULL), PEER_OK);
    driver->unlock(driver);
    puppet_free(puppet);
}

/* It may claim as many addresses of its host as it likes, and go: those that were dialled are kept, and tried soon. */
SCENARIO(claims_do_not_drive_out_who_was_met)
{
    struct address claimed[4];
    a_passive_and_an_active_node(world);
    world_run(world, 60);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 1);
    for (size_t round = 0; round < 100; round++) {
        for (size_t i = 0; i < 4; i++) {
            claimed[i] = *peer__sim_host_address(puppet->host);
            claimed[i].port = (uint16_t)(6000 + 4 * round + i);
        }
        claim(puppet, CONNECT_FLAG_UPDATE, claimed, 4);
    }
    world_run(world, 20);
    world_crash(world, 1, SIM_CRASH_PROCESS);
    world_run(world, 20);
    world_restart(world, 1);
    world_listen(world, 1);
    assert_true(world_until(world, are_linked, (struct condition){.node = 1, .number = 0}, 20));
    puppet_free(puppet);
}

/* A neighbour with two addresses is not asked at the second one every half minute, though one more is wanted. */
SCENARIO(a_second_address_of_a_neighbour_rests)
{
    struct wire_message message;
    struct dials dials = {0};
    a_passive_and_an_active_node(world);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 1);
    puppet_welcome(puppet);
    world_run(world, 40);
    puppet_hang_up(puppet);
    peer__sim_trace_to(world->sim, count_dials, &dials);
    for (size_t i = 0; i < 120; i++) {
        puppet->closed = 0;
        if (puppet_expect(puppet, MESSAGE_CONNECT, &message))
            refuse(puppet, REFUSE_DUPLICATE, NULL, 0);
        world_run(world, 1);
    }
    assert_in_range(dials.count, 1, 8);
    assert_true(are_linked(&(struct condition){.world = world, .node = 1, .number = 0}));
    puppet_free(puppet);
}

/* One who lost a connection that we still believe in comes back: the old one is tested at once, not after 100 s. */
SCENARIO(a_second_connect_tests_the_first)
{
    struct wire_message message;
    world_line(world, 1);
    struct puppet *first = puppet_create(world, 77);
    struct puppet *second = puppet_create(world, 77);
    puppet_join(first, 0);
    world_run(world, 5);
    size_t pings = puppet_count(first, MESSAGE_PT2PT);
    puppet_dial(second, 0);
    puppet_auth(second);
    puppet_connect(second, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(second, MESSAGE_REFUSE, &message));
    assert_int_equal(message.as.refuse.code, REFUSE_DUPLICATE);
    world_run(world, 1);
    assert_int_equal(puppet_count(first, MESSAGE_PT2PT), pings + 1);
    puppet_free(first);
    puppet_free(second);
}

/* The address book may be full of nodes that are gone for ever; who was named once and did not answer then may be back. */
SCENARIO(who_was_named_is_tried_again_although_the_book_has_others)
{
    struct buffer goodbye = {0};
    world->automatic = 1;
    world_line(world, 1);
    size_t hidden = world_host(world);
    world_create(world, hidden); /* the graph of the same name, unconnected */
    world_listen(world, hidden);
    struct address named = address_of(world, hidden);
    cut_off(world, 0, hidden);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    peer__encode_disconnect(&goodbye, DISCONNECT_LEAVING, &named, 1);
    puppet_send(puppet, &goodbye);
    peer__buffer_free(&goodbye);
    puppet_is_hung_up(puppet, 5);
    peer__sim_host_transport(puppet->host).unlisten(puppet->host, puppet->listener);
    puppet->listener = NULL;
    world_run(world, 120);
    peer__sim_heal(world->sim);
    assert_false(are_linked(&(struct condition){.world = world, .node = 0, .number = hidden}));
    assert_true(world_until(world, are_linked, (struct condition){.node = 0, .number = hidden}, 3600));
    puppet_free(puppet);
}

/* The middle cannot name a node that does not listen yet; from then on its presence record does (14.4). */
static void a_line_whose_ends_know_each_other_from_records(struct world *world)
{
    world->automatic = 1;
    world->presence_max = -1;
    world_line(world, 1);
    size_t late = world_host(world);
    assert_true(world_open(world, late) >= 0);
    world_connect(world, late, 0);
    world_join(world, world_host(world), 0);
    world_listen(world, late);
}

SCENARIO(who_lacks_neighbours_dials_whom_records_name)
{
    a_line_whose_ends_know_each_other_from_records(world);
    assert_true(world_until(world, are_linked, (struct condition){.node = 1, .number = 2}, 60));
}

SCENARIO(the_ends_of_a_line_meet_when_its_middle_dies)
{
    a_line_whose_ends_know_each_other_from_records(world);
    world_run(world, 1);
    world_crash(world, 0, SIM_CRASH_PROCESS);
    assert_true(world_until(world, are_linked, (struct condition){.node = 1, .number = 2}, 30));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(the_only_candidate_is_dialled_again_and_again),
        SCENARIO_TEST(fifty_who_come_at_once_all_get_in),
        SCENARIO_TEST(a_false_claim_blocks_nobody),
        SCENARIO_TEST(claims_do_not_drive_out_who_was_met),
        SCENARIO_TEST(a_second_address_of_a_neighbour_rests),
        SCENARIO_TEST(a_second_connect_tests_the_first),
        SCENARIO_TEST(who_was_named_is_tried_again_although_the_book_has_others),
        SCENARIO_TEST(who_lacks_neighbours_dials_whom_records_name),
        SCENARIO_TEST(the_ends_of_a_line_meet_when_its_middle_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

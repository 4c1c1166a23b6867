/* Connections that cross, and what a connection that was lost leaves behind. */
#include "puppet.h"

/* D-16: both dial each other at the same moment, and the connection that the lower node id has asked for stays. */
SCENARIO(simultaneous_dials_leave_one_connection)
{
    world_line(world, 3);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_run(world, 1);
    world_connect(world, 0, 1);
    world_connect(world, 1, 0);
    peer_guid left = world_add(world, 0, "left");
    peer_guid right = world_add(world, 1, "right");
    world_run(world, 30);
    assert_int_equal(peer__sim_connections(world->nodes[0].host, world->nodes[1].host), 1);
    assert_converged(world);
    assert_true(world_has(world, 1, &left));
    assert_true(world_has(world, 0, &right));
}

static void connect_to(struct world *world, size_t node, struct puppet *puppet)
{
    char text[ADDRESS_TEXT_SIZE];
    peer__address_format(&puppet->addresses[0], text);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_connect(world->nodes[node].graph, NULL, text, NULL), PEER_OK);
    driver->unlock(driver);
}

/* Who has not said WELCOME is nobody yet, whichever side dialled: a large message is not collected. */
SCENARIO(before_the_welcome_messages_are_small)
{
    static const uint8_t head[] = {0x00, 0x08, 0x00, 0x10, 0x00, 0x00, 0x10, 0x0b, 0x00, 0x00};
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    connect_to(world, 0, puppet);
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &message));
    puppet_send_bytes(puppet, head, sizeof(head)); /* a FLOOD of 1 MiB */
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

/* Both halves of a graph change one record, once each, and nodes that have other neighbours bring the halves together:
 * the copies have one version and stand between the same records, and all the same one of them wins. */
SCENARIO(a_split_graph_agrees_on_what_both_halves_changed)
{
    peer_guid ids[12];
    world_line(world, 4);
    for (size_t i = 0; i < 12; i++)
        ids[i] = world_add(world, i % 4, "as it was");
    world_settle(world, 30);
    struct sim_host *left[] = {world->nodes[0].host, world->nodes[1].host};
    struct sim_host *right[] = {world->nodes[2].host, world->nodes[3].host};
    assert_status(peer__sim_partition(left, 2, right, 2), PEER_OK);
    peer__sim_reset(world->nodes[1].host, world->nodes[2].host);
    for (uint64_t changes = 1 + peer__sim_draw(world->sim, 3); changes > 0; changes--) {
        peer_guid *id = &ids[peer__sim_draw(world->sim, 12)];
        size_t first = peer__sim_draw(world->sim, 4);
        world_run(world, 1 + (int64_t)peer__sim_draw(world->sim, 900));
        assert_status(world_update(world, first, id, "one half"), PEER_OK);
        world_run(world, (int64_t)peer__sim_draw(world->sim, 3));
        assert_status(world_update(world, (first + 2) % 4, id, "other half"), PEER_OK);
    }
    world_run(world, 5);
    peer__sim_heal(world->sim);
    world_connect(world, peer__sim_draw(world->sim, 2), 2 + peer__sim_draw(world->sim, 2));
    world_settle(world, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(simultaneous_dials_leave_one_connection),
        SCENARIO_TEST(a_split_graph_agrees_on_what_both_halves_changed),
        SCENARIO_TEST(before_the_welcome_messages_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

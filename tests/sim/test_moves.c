/* A node that is elsewhere than it was tells everyone (MS-PPGRH 3.1.7.23; spec part 15). */
#include "scenario.h"

#include "base/memory.h"
#include "wire/message.h"
#include "wire/payload.h"

static struct address place(const struct world *world, size_t node)
{
    struct address address = *peer__sim_host_address(world->nodes[node].host);
    address.port = SCENARIO_PORT;
    return address;
}

static void move(struct world *world, size_t node)
{
    struct address address = place(world, node);
    address.ip[0] = 0xfc;
    assert_status(peer__sim_host_move(world->nodes[node].host, &address), PEER_OK);
}

static uint64_t node_id(struct world *world, size_t node)
{
    struct graph_node_info info;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_node_info(world->nodes[node].graph, 0, &info), PEER_OK);
    driver->unlock(driver);
    return info.node_id;
}

/* Whether `node` has it from the presence record that node `number` is where it is. */
static int knows_where(void *context)
{
    struct condition *c = context;
    struct graph_node_info info;
    struct address address = place(c->world, (size_t)c->number);
    uint64_t id = node_id(c->world, (size_t)c->number);
    struct driver *driver = peer__sim_host_driver(c->world->nodes[c->node].host);
    driver->lock(driver);
    peer_status status = peer__graph_node_info(c->world->nodes[c->node].graph, id, &info);
    driver->unlock(driver);
    return status >= 0 && info.address_count == 1 && peer__address_equal(&info.addresses[0], &address);
}

static int are_linked(void *context)
{
    struct condition *c = context;
    return peer__sim_connections(c->world->nodes[c->node].host, c->world->nodes[c->number].host) > 0;
}

/* How many contact records at `node` name the place of node `number`. */
static size_t contacts_at_place_of(struct world *world, size_t node, size_t number)
{
    peer_guid *ids;
    size_t count;
    size_t there = 0;
    struct address address = place(world, number);
    assert_status(world_list(world, node, &peer__type_contact, &ids, &count), PEER_OK);
    for (size_t i = 0; i < count; i++) {
        struct contact contact;
        struct record *record = world_get(world, node, &ids[i]);
        assert_non_null(record);
        assert_status(peer__contact_decode(record->fields.payload, &contact), PEER_OK);
        for (size_t k = 0; k < contact.address_count; k++)
            there += (size_t)peer__address_equal(&contact.addresses[k], &address);
        peer__record_release(record);
    }
    peer__free(ids);
    return there;
}

/* It keeps its connections by finding its neighbours again; those who hear only its records know where it is. */
SCENARIO(everyone_learns_where_a_node_has_moved)
{
    world->automatic = 1;
    world->presence_max = -1;
    world_mesh(world, 4);
    world_run(world, 300); /* all four are contacts: there are to be five */
    assert_int_equal(contacts_at_place_of(world, 1, 0), 1);
    move(world, 0);
    world_add(world, 0, "from elsewhere");
    for (size_t i = 1; i < 4; i++)
        assert_true(world_until(world, knows_where, (struct condition){.node = i, .number = 0}, 200));
    world_settle(world, 300);
    assert_int_equal(contacts_at_place_of(world, 1, 0), 1);
}

/* Who was not there when it moved, and whose neighbours are gone, finds it at its new place, from a record. */
SCENARIO(a_node_is_found_where_it_has_moved)
{
    world->automatic = 1;
    world->presence_max = -1;
    world_line(world, 4);
    world_run(world, 60);
    move(world, 0);
    assert_true(world_until(world, knows_where, (struct condition){.node = 3, .number = 0}, 200));
    world_run(world, 200);
    world_close(world, 1);
    world_close(world, 2);
    assert_true(world_until(world, are_linked, (struct condition){.node = 3, .number = 0}, 60));
}

SCENARIO(a_move_to_where_one_is_changes_nothing)
{
    world->presence_max = -1;
    world_line(world, 2);
    world_run(world, 60);
    uint64_t before = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL);
    struct address address = place(world, 0);
    assert_status(peer__sim_host_move(world->nodes[0].host, &address), PEER_OK);
    world_run(world, 5);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL), before);
    world_add(world, 0, "still connected");
    world_settle(world, 1);
    address = place(world, 1);
    assert_status(peer__sim_host_move(world->nodes[0].host, &address), PEER_E_ALREADY_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(everyone_learns_where_a_node_has_moved),
        SCENARIO_TEST(a_node_is_found_where_it_has_moved),
        SCENARIO_TEST(a_move_to_where_one_is_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

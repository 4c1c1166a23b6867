/* Connections that are made and say nothing: how many are held, for how long, and who gives way. */
#include "puppet.h"

/* A machine that opens connections to node 0 and says nothing on them. */
struct flood {
    struct world *world;
    struct sim_host *host;
    size_t open;
};

static peer_status on_accepted(void *self, void *listener_tag, struct transport_connection *connection,
                               const struct address *remote, void **tag_out)
{
    (void)self;
    (void)listener_tag;
    (void)connection;
    (void)remote;
    (void)tag_out;
    return PEER_E_CONNECTION_REFUSED;
}

static void on_connected(void *self, void *tag, const struct address *remote)
{
    (void)tag;
    (void)remote;
    ((struct flood *)self)->open++;
}

static void on_received(void *self, void *tag, const void *data, size_t size)
{
    (void)self;
    (void)tag;
    (void)data;
    (void)size;
}

static void on_writable(void *self, void *tag)
{
    (void)self;
    (void)tag;
}

static void on_closed(void *self, void *tag, peer_status reason, const char *message)
{
    (void)tag;
    (void)reason;
    (void)message;
    ((struct flood *)self)->open--;
}

static void flood_init(struct flood *flood, struct world *world)
{
    struct sim_endpoint endpoint = {.accepted = on_accepted,
                                    .connected = on_connected,
                                    .received = on_received,
                                    .writable = on_writable,
                                    .closed = on_closed,
                                    .self = flood};
    *flood = (struct flood){.world = world};
    assert_status(peer__sim_host_create_raw(world->sim, &endpoint, &flood->host), PEER_OK);
}

static void flood_dial(struct flood *flood, size_t count)
{
    struct transport transport = peer__sim_host_transport(flood->host);
    struct address address = *peer__sim_host_address(flood->world->nodes[0].host);
    struct transport_connection *connection;
    address.port = SCENARIO_PORT;
    for (size_t i = 0; i < count; i++)
        assert_status(transport.dial(flood->host, "", "", &address, NULL, &connection), PEER_OK);
}

/* decisions.md 14 */
SCENARIO(one_address_holds_32)
{
    struct flood flood;
    world_line(world, 1);
    flood_init(&flood, world);
    flood_dial(&flood, 200);
    world_run(world, 2);
    assert_int_equal(flood.open, 32);
    flood_dial(&flood, 1); /* comes in, and another one goes */
    world_run(world, 2);
    assert_int_equal(flood.open, 32);
    world_join(world, world_host(world), 0);
    world_run(world, 50);
    assert_int_equal(flood.open, 0);
}

/* Who has introduced itself is not counted. */
SCENARIO(neighbours_are_not_strangers)
{
    struct flood flood;
    world_line(world, 3);
    flood_init(&flood, world);
    for (int i = 0; i < 5; i++) {
        flood_dial(&flood, 100);
        world_run(world, 1);
    }
    assert_int_equal(peer__sim_connections(world->nodes[0].host, world->nodes[1].host), 1);
}

#define FLOODS 40

/* Floods from many addresses: 256 are held in all, and one that comes alone and takes its time is not among those who
 * give way. */
SCENARIO(a_single_stranger_outlives_floods)
{
    struct flood floods[FLOODS];
    struct wire_message message;
    size_t open = 0;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_dial(puppet, 0);
    for (size_t i = 0; i < FLOODS; i++)
        flood_init(&floods[i], world);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < FLOODS; i++)
            flood_dial(&floods[i], 25);
        world_run(world, 1);
    }
    for (size_t i = 0; i < FLOODS; i++)
        open += floods[i].open;
    assert_int_equal(open, 255);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
    world_run(world, 60);
    for (size_t i = 0; i < FLOODS; i++)
        assert_int_equal(floods[i].open, 0);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(one_address_holds_32),
        SCENARIO_TEST(neighbours_are_not_strangers),
        SCENARIO_TEST(a_single_stranger_outlives_floods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Many nodes: all come at once to one address, and how many of them become contacts. */
#include "scenario.h"

#include "base/memory.h"
#include "wire/payload.h"
#include "wire/record.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STORM 60 /* what sanitizers look for does not need a crowd */
#else
#define STORM 500
#endif

/* ------------------------------------------------------------------------------------------------------ a join storm */

/* Whoever has become synchronized listens from then on; returns how many have. */
static size_t listen_when_synchronized(struct world *world, int *listens)
{
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++) {
        if (!listens[i] && (world_status(world, i) & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0) {
            world_listen(world, i);
            listens[i] = 1;
        }
        count += (size_t)listens[i];
    }
    return count;
}

static void come_all_at_once(struct world *world, int *listens)
{
    for (size_t i = 1; i < STORM; i++) {
        size_t node = world_host(world);
        assert_true(world_open(world, node) >= 0);
        world_connect(world, node, 0);
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 20000));
        if (i % 50 == 0)
            (void)listen_when_synchronized(world, listens);
    }
}

LARGE_SCENARIO(five_hundred_join_over_one_address)
{
    static int listens[STORM];
    int seconds = 0;
    memset(listens, 0, sizeof(listens));
    world_mesh(world, 1);
    for (int i = 0; i < 30; i++)
        world_add(world, 0, "from before");
    listens[0] = 1;
    come_all_at_once(world, listens);
    while (listen_when_synchronized(world, listens) < STORM) {
        assert_in_range(++seconds, 0, 900);
        world_run(world, 1);
    }
    world_run(world, 120);
    for (size_t i = 0; i < 5; i++)
        world_add(world, (size_t)peer__sim_draw(world->sim, STORM), "news");
    world_settle(world, 120);
    assert_int_equal(world_record_count(world, STORM - 1), 35);
}

/* --------------------------------------------------------------------------------------------------------- contacts */

static size_t contacts_at(struct world *world, size_t node)
{
    peer_guid *ids;
    size_t count;
    assert_status(world_list(world, node, &peer__type_contact, &ids, &count), PEER_OK);
    peer__free(ids);
    return count;
}

/* D-27: max(5, 60 - log2 S), rounded down. */
static size_t contacts_min(struct world *world, size_t node)
{
    uint64_t signature = 0;
    size_t bits = 0;
    struct record *record = world_get(world, node, &peer__id_signature);
    assert_non_null(record);
    assert_status(peer__signature_decode(record->fields.payload, &signature), PEER_OK);
    peer__record_release(record);
    for (uint64_t rest = signature - 1; rest > 0; rest >>= 1)
        bits++;
    return bits < 55 ? 60 - bits : 5;
}

static void become_many(struct world *world, size_t count)
{
    world->automatic = 1;
    world_mesh(world, 1);
    while (world->count < count) {
        size_t node = world_host(world);
        assert_true(world_open(world, node) >= 0);
        world_connect(world, node, (size_t)peer__sim_draw(world->sim, node));
        assert_true(world_until(world, node_is_synchronized, (struct condition){.node = node}, 300));
        world_listen(world, node);
    }
}

static void count_contacts(struct world *world, size_t nodes)
{
    become_many(world, nodes);
    world_run(world, 1500);
    for (int i = 0; i < 20; i++) {
        size_t node = (size_t)peer__sim_draw(world->sim, nodes);
        size_t least = contacts_min(world, node);
        assert_in_range(contacts_at(world, node), least, least + 5);
        world_run(world, 30);
    }
}

SCENARIO(contacts_of_ten_nodes)
{
    count_contacts(world, 10);
}

LARGE_SCENARIO(contacts_of_a_hundred_nodes)
{
    count_contacts(world, 100);
}

HUGE_SCENARIO(contacts_of_a_thousand_nodes)
{
    count_contacts(world, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(five_hundred_join_over_one_address),
        SCENARIO_TEST(contacts_of_ten_nodes),
        SCENARIO_TEST(contacts_of_a_hundred_nodes),
        SCENARIO_TEST(contacts_of_a_thousand_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

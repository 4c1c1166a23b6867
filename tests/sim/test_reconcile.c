/* Two nodes of ours compare their databases (docs/extensions.md): what differs is found and nothing else travels, whatever
 * happens in between. */
#include "reconciling.h"

static uint64_t count_of(struct world *world, uint8_t type)
{
    return peer__sim_message_count(world->sim, type, NULL);
}

/* Time passes, which nothing else than the age of records has to do with. */
static void grow_older(struct world *world, int64_t seconds)
{
    peer__sim_run_for(world->sim, seconds * SECOND);
}

static void compare(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer__sync_compare(link_of(world, node));
    driver->unlock(driver);
}

static void part(struct world *world)
{
    world_run(world, 1); /* nothing is being dialled any more */
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
}

/* ----------------------------------------------------------------------------------------------- what differs is found */

SCENARIO(equal_databases_are_found_equal_at_once)
{
    world_line(world, 2);
    for (int i = 0; i < 300; i++) {
        add_lasting(world, (size_t)i % 2);
        grow_older(world, 600);
    }
    uint64_t floods = count_of(world, MESSAGE_FLOOD);
    compare(world, 0);
    world_run(world, 5);
    assert_int_equal(count_of(world, MESSAGE_COMPARE), 1);
    assert_int_equal(count_of(world, MESSAGE_DIFFER), 1);
    assert_int_equal(count_of(world, MESSAGE_FLOOD), floods);
    assert_int_equal(count_of(world, MESSAGE_SOLICIT_HASH), 0);
    assert_int_equal(count_of(world, MESSAGE_REQUEST), 0);
}

static void change_at_random(struct world *world, size_t node, peer_guid *ids, size_t count)
{
    for (size_t i = peer__sim_draw(world->sim, 80); i > 0; i--) {
        peer_guid *id = &ids[peer__sim_draw(world->sim, count)];
        uint64_t what = peer__sim_draw(world->sim, 8);
        if (what < 4)
            add_lasting(world, node);
        else if (what < 7)
            world_update(world, node, id, "changed");
        else
            world_delete(world, node, id);
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 4) * 30 * SECOND);
    }
}

/* So many that ranges are cut several times, of all ages, and whatever two nodes may do to them without each other. */
static void replicas_of_many_records_become_equal(struct world *world)
{
    enum { RECORDS = 400 };
    peer_guid ids[RECORDS];
    world_pair(world);
    for (size_t i = 0; i < RECORDS; i++) {
        ids[i] = add_lasting(world, i % 2);
        if (peer__sim_draw(world->sim, 6) == 0)
            grow_older(world, (int64_t)peer__sim_draw(world->sim, 1200));
    }
    world_settle(world, 30);
    for (size_t round = 0; round < 3; round++) {
        part(world);
        for (size_t side = 0; side < 2; side++)
            change_at_random(world, side, ids, RECORDS);
        world_connect(world, round % 2, 1 - round % 2);
        world_settle(world, 60);
    }
    assert_converged(world);
}

static void run_replicas(void **state)
{
    (void)state;
    scenario_run(replicas_of_many_records_become_equal, NULL);
}

/* Nodes that announce nothing, and both kinds beside each other: plain synchronization does the same. */
static void run_plain_replicas(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.plain_chance = 100;
    scenario_run(replicas_of_many_records_become_equal, &options);
    options.plain_chance = 50;
    scenario_run(replicas_of_many_records_become_equal, &options);
}

/* Records of one moment are told apart by their ids, and so are ranges of them. */
SCENARIO(records_of_one_moment)
{
    world_pair(world);
    part(world);
    for (int i = 0; i < 400; i++)
        add_lasting(world, 0);
    world_connect(world, 0, 1);
    world_settle(world, 30);
    for (size_t round = 0; round < 3; round++) {
        part(world);
        for (int i = 0; i < 300; i++)
            add_lasting(world, (size_t)peer__sim_draw(world->sim, 2));
        grow_older(world, 2 * HOUR_S);
        world_connect(world, round % 2, 1 - round % 2);
        world_settle(world, 30);
    }
    assert_int_equal(world_record_count(world, 1), 1300);
}

/* An update leaves a hole where the record stood. It is filled before anybody looks there: only what changed travels. */
SCENARIO(updates_cost_no_more_than_themselves)
{
    enum { RECORDS = 400, UPDATES = 40 };
    peer_guid ids[RECORDS];
    world_pair(world);
    for (size_t i = 0; i < RECORDS; i++) {
        ids[i] = add_lasting(world, 0);
        grow_older(world, 300);
    }
    part(world);
    size_t side = (size_t)peer__sim_draw(world->sim, 2);
    for (size_t i = 0; i < UPDATES; i++)
        assert_status(world_update(world, side, &ids[i * RECORDS / UPDATES], "changed"), PEER_OK);
    grow_older(world, 2 * HOUR_S);
    uint64_t floods = count_of(world, MESSAGE_FLOOD);
    uint64_t compares = count_of(world, MESSAGE_COMPARE);
    world_connect(world, 0, 1);
    world_settle(world, 30);
    assert_in_range(count_of(world, MESSAGE_FLOOD) - floods, 2 * UPDATES,
                    2 * UPDATES + 2); /* over, and on from there */
    assert_in_range(count_of(world, MESSAGE_COMPARE) - compares, 1, 8);
}

/* A list that does not fit into one answer. */
SCENARIO(thousands_of_new_records)
{
    world_pair(world);
    part(world);
    for (int i = 0; i < 3000; i++)
        add_lasting(world, 1);
    world_connect(world, 0, 1);
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, 2), 3000);
}

/* More than one transfer holds, one way and the other. */
LARGE_SCENARIO(more_records_than_one_transfer_holds)
{
    enum { RECORDS = 20000 };
    world_pair(world);
    for (size_t side = 0; side < 2; side++) {
        part(world);
        for (size_t i = 0; i < RECORDS; i++)
            add_lasting(world, side);
        grow_older(world, DAY_S);
        uint64_t floods = count_of(world, MESSAGE_FLOOD);
        world_connect(world, 0, 1);
        world_run(world, 120);
        assert_int_equal(world_record_count(world, 0), (side + 1) * RECORDS);
        assert_int_equal(world_record_count(world, 1), (side + 1) * RECORDS);
        assert_in_range(count_of(world, MESSAGE_FLOOD) - floods, 2 * RECORDS, 2 * RECORDS + 2);
    }
    assert_in_range(count_of(world, MESSAGE_REQUEST), 0, 4);
}

/* Who will have expired when all is done is not worth a comparison (decisions.md 9). */
SCENARIO(what_is_about_to_expire_is_left_out)
{
    peer_guid id;
    world_line(world, 2);
    part(world);
    assert_status(world_add_bytes(world, 0, &scenario_note, "short", 5, 100, &id), PEER_OK);
    uint64_t differs = count_of(world, MESSAGE_DIFFER);
    uint64_t floods = count_of(world, MESSAGE_FLOOD);
    world_connect(world, 0, 1);
    world_run(world, 10);
    assert_int_equal(count_of(world, MESSAGE_DIFFER), differs + 1);
    assert_int_equal(count_of(world, MESSAGE_FLOOD), floods + 1); /* the graph's information, with what is new */
    assert_status(world_add_bytes(world, 1, &scenario_note, "longer", 6, 150, &id), PEER_OK);
    world_settle(world, 300);
}

/* Both sides ask at the same moment, on one link. */
SCENARIO(both_sides_compare_at_once)
{
    world_pair(world);
    for (int i = 0; i < 100; i++)
        add_lasting(world, 0);
    for (int round = 0; round < 3; round++) {
        part(world);
        for (int i = 0; i < 60; i++) {
            add_lasting(world, (size_t)i % 2);
            peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 300) * SECOND);
        }
        world_connect(world, 0, 1);
        while (link_of(world, 1) == NULL)
            peer__sim_run_for(world->sim, 1000);
        compare(world, 1);
        world_settle(world, 30);
        world_run(world, 5);
        assert_int_equal(link_of(world, 0)->sync.type, SYNC_NONE);
        assert_int_equal(link_of(world, 1)->sync.type, SYNC_NONE);
    }
}

/* What came may have to be judged: until then it is not over, and nothing turns in circles. */
SCENARIO(a_comparison_waits_for_the_judge)
{
    enum { RECORDS = 5 };
    world_pair(world);
    part(world);
    struct graph *graph = world->nodes[0].graph;
    for (int i = 0; i < RECORDS; i++)
        add_lasting(world, 1);
    peer__graph_let_application_judge(graph);
    world_connect(world, 0, 1);
    world_run(world, 10);
    assert_int_equal(link_of(world, 0)->sync.type, SYNC_RECONCILE);
    assert_int_equal(link_of(world, 0)->asking->phase, ASKING_ENDS);
    struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
    for (uint64_t id = 1; id <= RECORDS; id++) {
        driver->lock(driver);
        assert_status(peer__graph_judge(graph, id, PEER_OK), PEER_OK);
        driver->unlock(driver);
    }
    assert_int_equal(link_of(world, 0)->sync.type, SYNC_NONE);
    assert_null(link_of(world, 0)->asking);
    assert_int_equal(world_record_count(world, 0), RECORDS);
}

/* ------------------------------------------------------------------------------------------- rows of earlier versions */

struct stored {
    struct store_row row;
    struct buffer bytes; /* creator and wire */
};

static int keep(void *context, const struct store_row *row)
{
    struct stored *stored = context;
    stored->row = *row;
    peer__buffer_append(&stored->bytes, row->creator_id.data, row->creator_id.size);
    peer__buffer_append(&stored->bytes, row->wire.data, row->wire.size);
    return 1;
}

/* As a row looks that was stored before there were elements. */
static void forget_element(struct world *world, size_t node, const peer_guid *id)
{
    struct store *store = world->nodes[node].graph->store;
    struct stored stored = {0};
    uint64_t seq;
    assert_status(store->operations->get(store, id, 1, keep, &stored), PEER_OK);
    memset(stored.row.element, 0, sizeof(stored.row.element));
    stored.row.creator_id.data = stored.bytes.data;
    stored.row.wire.data = stored.bytes.data + stored.row.creator_id.size;
    assert_status(store->operations->put(store, &stored.row, &seq), PEER_OK);
    assert_status(store->operations->commit(store), PEER_OK);
    world->nodes[node].graph->last_seq = seq;
    peer__buffer_free(&stored.bytes);
}

SCENARIO(rows_without_an_element_are_compared_too)
{
    peer_guid ids[120];
    world_pair(world);
    for (size_t i = 0; i < 120; i++) {
        ids[i] = add_lasting(world, 0);
        grow_older(world, 60);
    }
    part(world);
    for (size_t i = 0; i < 120; i++) {
        if (peer__sim_draw(world->sim, 3) > 0)
            forget_element(world, 0, &ids[i]);
    }
    grow_older(world, HOUR_S);
    uint64_t compares = count_of(world, MESSAGE_COMPARE);
    world_connect(world, 0, 1);
    world_run(world, 10);
    assert_int_equal(count_of(world, MESSAGE_COMPARE), compares + 1); /* nothing differs */
    part(world);
    add_lasting(world, 1);
    world_update(world, 0, &ids[5], "changed");
    for (size_t i = 0; i < 120; i++)
        forget_element(world, 1, &ids[i]);
    grow_older(world, HOUR_S);
    world_connect(world, 1, 0);
    world_settle(world, 30);
}

/* ------------------------------------------------------------------------------------------------ in the middle of it */

struct moment {
    struct world *world;
    uint64_t messages;
};

static uint64_t messages_so_far(struct world *world)
{
    return peer__sim_count(world->sim, NULL, 0).received;
}

static int has_come(void *context)
{
    const struct moment *moment = context;
    return messages_so_far(moment->world) >= moment->messages;
}

static void run_messages(struct world *world, uint64_t count)
{
    struct moment moment = {world, messages_so_far(world) + count};
    peer__sim_run_until(world->sim, has_come, &moment, peer__sim_now_us(world->sim) + 5 * SECOND);
}

static void write_apart(struct world *world)
{
    for (int i = 0; i < 40; i++) {
        add_lasting(world, (size_t)i % 2);
        grow_older(world, (int64_t)peer__sim_draw(world->sim, 400));
    }
}

/* After every message of the first hundred: the process that asks, or that answers, dies. */
SCENARIO(crashes_in_the_middle)
{
    world_pair(world);
    for (int i = 0; i < 100; i++)
        add_lasting(world, 0);
    for (uint64_t at = 1; at < 100; at += 1 + peer__sim_draw(world->sim, 24)) {
        size_t victim = (size_t)peer__sim_draw(world->sim, 2);
        part(world);
        write_apart(world);
        world_connect(world, 0, 1);
        run_messages(world, at);
        world_crash(world, victim, SIM_CRASH_PROCESS);
        world_run(world, 1);
        world_restart(world, victim);
        world_listen(world, victim);
        if (peer__sim_draw(world->sim, 2) == 0) /* else it has nobody, and begins with what is new */
            world_connect(world, victim, victim + 2);
        world_run(world, (int64_t)peer__sim_draw(world->sim, 2));
        world_connect(world, 0, 1);
        world_run(world, 10);
        (void)world_try_connect(world, victim, victim + 2);
        world_settle(world, 60);
    }
}

/* Packets are dropped in the middle: it stands still, which both notice, and begins anew. */
SCENARIO(cuts_in_the_middle)
{
    world_pair(world);
    for (uint64_t at = 6; at < 80; at += 1 + peer__sim_draw(world->sim, 30)) {
        part(world);
        write_apart(world);
        world_connect(world, 0, 1);
        run_messages(world, at);
        assert_status(peer__sim_partition(&world->nodes[0].host, 1, &world->nodes[1].host, 1), PEER_OK);
        world_run(world, 150);
        assert_int_equal(peer__sim_connections(world->nodes[0].host, world->nodes[1].host), 0);
        peer__sim_heal(world->sim);
        world_connect(world, 0, 1);
        world_settle(world, 60);
    }
}

static void send_nowhere(void *self, struct transport_connection *connection, const void *data, size_t size)
{
    (void)self;
    (void)connection;
    (void)data;
    (void)size;
}

static struct wire_message decoded(const struct buffer *bytes)
{
    struct wire_message message;
    assert_status(peer__message_decode((struct span){bytes->data, bytes->size}, &message), PEER_OK);
    return message;
}

/* An answer to the first question: one record in the newest window. */
static void encode_answer(struct buffer *out)
{
    struct buffer entry = {0};
    struct wire_listed listed = {.version = 1};
    struct wire_difference difference = {.index = 4, .kind = DIFFERENCE_LIST, .listed_count = 1};
    peer__encode_difference(&entry, &difference, &listed);
    peer__encode_differ(out, 1, (struct span){entry.data, entry.size});
    peer__buffer_free(&entry);
}

static int lives(const struct link *link)
{
    return link->state == LINK_CONNECTED && !link->broken;
}

/* Asks, takes an answer, and answers a question, all of it to nobody. */
static void go_through_it(struct link *link, const struct buffer *answer, const struct buffer *question)
{
    struct wire_message message = decoded(answer);
    peer__reconcile_start(link);
    while (lives(link) && link->asking->phase == ASKING_BUILDS)
        peer__asking_step(link);
    if (lives(link))
        peer__link_on_differ(link, &message.as.differ);
    while (lives(link) && link->asking->phase == ASKING_RESOLVES)
        peer__asking_step(link);
    if (lives(link)) /* and REQUEST */
        peer__asking_step(link);
    message = decoded(question);
    if (lives(link))
        peer__link_on_compare(link, &message.as.compare);
    while (lives(link) && link->answering != NULL)
        peer__answering_step(link);
}

/* Every allocation can fail: the link ends, and nothing is lost. */
SCENARIO(memory_fails_in_the_middle)
{
    struct buffer answer = {0};
    struct buffer question = {0};
    struct wire_range everything = {.upper = {.modified = UINT64_MAX}, .lists = 1};
    size_t failures = 0;
    int is_through = 0;
    world_line(world, 2);
    for (int i = 0; i < 40; i++)
        add_lasting(world, 0);
    encode_answer(&answer);
    peer__encode_compare(&question, 0, &everything, 1);
    for (int64_t granted = 0; !is_through; granted++, failures++) {
        world_run(world, 5);
        struct link *link = link_of(world, 0);
        struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
        struct transport *transport = &driver->engine->config.transport;
        struct transport working = *transport;
        driver->lock(driver);
        peer__engine_enter(driver->engine);
        transport->send = send_nowhere;
        peer__memory_fail_after(granted);
        go_through_it(link, &answer, &question);
        peer__memory_fail_after(-1);
        *transport = working;
        is_through = lives(link);
        peer__engine_leave(driver->engine);
        driver->unlock(driver);
        world_run(world, 5);
        part(world);
        world_run(world, 5);
        world_connect(world, 0, 1);
    }
    assert_true(failures > 10);
    world_settle(world, 30);
    peer__buffer_free(&answer);
    peer__buffer_free(&question);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(equal_databases_are_found_equal_at_once),
        {"replicas_of_many_records_become_equal", run_replicas, NULL, scenario_report, NULL},
        {"replicas_of_plain_nodes_become_equal", run_plain_replicas, NULL, scenario_report, NULL},
        SCENARIO_TEST(records_of_one_moment),
        SCENARIO_TEST(updates_cost_no_more_than_themselves),
        SCENARIO_TEST(thousands_of_new_records),
        SCENARIO_TEST(more_records_than_one_transfer_holds),
        SCENARIO_TEST(what_is_about_to_expire_is_left_out),
        SCENARIO_TEST(both_sides_compare_at_once),
        SCENARIO_TEST(a_comparison_waits_for_the_judge),
        SCENARIO_TEST(rows_without_an_element_are_compared_too),
        SCENARIO_TEST(crashes_in_the_middle),
        SCENARIO_TEST(cuts_in_the_middle),
        SCENARIO_TEST(memory_fails_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

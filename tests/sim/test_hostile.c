/* Neighbours that follow the protocol to the letter and want too much: a bound on what each of their bytes costs. */
#include "puppet.h"

#include "base/memory.h"
#include "base/time.h"

/* Every range differs, so the answer would be longer than the question, and than any message may be. */
LARGE_SCENARIO(more_ranges_than_can_be_answered_end_the_connection)
{
    const size_t count = 400001;
    struct buffer message = {0};
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    struct wire_hash_entry *entries = peer__calloc(count, sizeof(*entries));
    assert_non_null(entries);
    for (size_t i = 0; i < count; i++)
        entries[i].modified = i;
    peer__encode_solicit_hash(&message, entries, count);
    peer__free(entries);
    puppet_send(puppet, &message);
    assert_true(puppet_is_hung_up(puppet, 30));
    puppet_free(puppet);
}

/* As many as can be answered: each differs, most are empty, and the few records stand far from each other. */
LARGE_SCENARIO(many_ranges_are_answered)
{
    const size_t count = 400000;
    struct wire_message message;
    struct buffer out = {0};
    size_t listed = 0;
    world_line(world, 1);
    for (int i = 0; i < 20; i++) {
        world_add(world, 0, "far from each other");
        world_run(world, 1);
    }
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    struct wire_hash_entry *entries = peer__calloc(count, sizeof(*entries));
    assert_non_null(entries);
    uint64_t from = peer__ticks_from_us(SIM_EPOCH_US);
    for (size_t i = 0; i < count; i++)
        entries[i].modified = i + 1 < count ? from + i * 600 : UINT64_MAX;
    peer__encode_solicit_hash(&out, entries, count);
    peer__free(entries);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_ADVERTISE, &message));
    for (size_t i = 0; i < message.as.advertise.boundary_count; i++) {
        struct wire_hash_boundary boundary;
        peer__wire_boundary(&message.as.advertise, i, &boundary);
        listed += boundary.count;
    }
    assert_int_equal(message.as.advertise.boundary_count, count);
    assert_int_equal(message.as.advertise.abstract_count, 21); /* with the graph's own */
    assert_int_equal(listed, 21);
    puppet_free(puppet);
}

static void ask_for_everything(struct puppet *puppet)
{
    struct buffer message = {0};
    struct wire_hash_entry everything = {.modified = UINT64_MAX};
    memset(&everything.record_id, 0xff, sizeof(everything.record_id));
    peer__encode_solicit_hash(&message, &everything, 1);
    puppet_send(puppet, &message);
}

/* A REQUEST for records that nobody has is worked off in pieces, and its end is not lost. */
SCENARIO(a_request_for_what_is_not_there_ends)
{
    const size_t count = 5000;
    struct wire_message message;
    struct buffer out = {0};
    world_line(world, 1);
    peer_guid id = world_add(world, 0, "the last one asked for");
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    ask_for_everything(puppet);
    assert_true(puppet_expect(puppet, MESSAGE_ADVERTISE, &message));
    struct wire_abstract *wanted = peer__calloc(count, sizeof(*wanted));
    assert_non_null(wanted);
    for (size_t i = 0; i + 1 < count; i++)
        memcpy(wanted[i].record_id.bytes, &i, sizeof(i));
    wanted[count - 1] = (struct wire_abstract){.record_id = id, .version = 1};
    peer__encode_request(&out, wanted, count);
    peer__free(wanted);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
    assert_int_equal(puppet_count(puppet, MESSAGE_FLOOD), 1);
    puppet_free(puppet);
}

/* Old copies of a few bytes are answered with the large new one, but not each of them. */
SCENARIO(many_old_copies_are_answered_once)
{
    static uint8_t large[500000];
    struct wire_message message;
    struct puppet_record record;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet_record_init(puppet, &record, "carol", "amy");
    struct span small = record.fields.payload;
    record.fields.payload = (struct span){large, sizeof(large)};
    record.fields.version = 3;
    puppet_flood(puppet, &record.fields);
    assert_true(puppet_expect(puppet, MESSAGE_ACK, &message));
    record.fields.payload = small;
    record.fields.version = 2;
    for (int i = 0; i < 400; i++)
        puppet_flood(puppet, &record.fields);
    world_run(world, 30);
    assert_in_range(puppet_count(puppet, MESSAGE_FLOOD), 1, 60);
    puppet_record_free(&record);
    puppet_free(puppet);
}

static void flood_versions(struct puppet *puppet, struct puppet_record *record, uint32_t version, size_t count)
{
    record->fields.version = version;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(record->fields.id.bytes + 8, &i, sizeof(i)); /* its high half says whose it is */
        puppet_flood(puppet, &record->fields);
    }
}

/* Old copies of very many records are answered as far as they are kept in mind, and the others by a comparison. */
LARGE_SCENARIO(very_many_old_copies_end_in_a_comparison)
{
    const size_t count = 22000;
    struct puppet_record record;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet->deaf = 1;
    puppet_record_init(puppet, &record, "carol", "amy");
    flood_versions(puppet, &record, 3, count);
    world_run(world, 30);
    assert_int_equal(world_record_count(world, 0), count);
    puppet_pause(puppet, 1);
    flood_versions(puppet, &record, 2, count);
    world_run(world, 30);
    puppet_pause(puppet, 0);
    world_run(world, 30);
    assert_in_range(peer__sim_message_count(world->sim, MESSAGE_FLOOD, puppet->host), 16000, count);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_SOLICIT_HASH, puppet->host), 1);
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* Without its information nobody could join a graph or come back to it. */
SCENARIO(the_graphs_information_cannot_be_deleted)
{
    struct puppet_record record;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet_record_init(puppet, &record, "carol", "amy");
    record.fields.type = peer__type_graph_info;
    record.fields.id = peer__id_graph_info;
    record.fields.version = 9;
    record.fields.flags = RECORD_FLAG_DELETED;
    record.fields.payload = (struct span){NULL, 0};
    puppet_flood(puppet, &record.fields);
    world_run(world, 5);
    puppet_record_free(&record);
    puppet_free(puppet);
    world_close(world, 0);
    assert_status(world_open(world, 0), PEER_OK);
    world_listen(world, 0);
    world_join(world, world_host(world), 0);
}

/* The node has dialled the puppet, which has no news for it, and now compares the databases. */
static void be_compared(struct puppet *puppet)
{
    struct wire_message message;
    struct buffer out = {0};
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    for (int stage = 0; stage < 3; stage++) {
        assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_TIME, &message));
        peer__encode_sync_end(&out);
        puppet_send(puppet, &out);
    }
    assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_HASH, &message));
}

static void advertise(struct puppet *puppet, size_t range_count, const struct wire_abstract *abstracts, size_t count)
{
    struct buffer out = {0};
    struct wire_hash_boundary *ranges = peer__calloc(range_count, sizeof(*ranges));
    assert_non_null(ranges);
    ranges[0].modified_upper = UINT64_MAX;
    ranges[0].count = (uint32_t)count;
    peer__encode_advertise(&out, ranges, range_count, abstracts, count);
    peer__free(ranges);
    puppet_send(puppet, &out);
}

/* Both sides may start to compare at the same moment: each answers, and neither loses the end of its own. */
SCENARIO(both_sides_compare_at_the_same_time)
{
    struct wire_message message;
    struct buffer out = {0};
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    be_compared(puppet);
    advertise(puppet, 1, NULL, 0);
    assert_true(puppet_expect(puppet, MESSAGE_REQUEST, &message));
    peer_guid id = world_add(world, 0, "to be asked for");
    ask_for_everything(puppet);
    peer__encode_sync_end(&out);
    puppet_send(puppet, &out); /* while the node looks for what it will advertise, or what it will push */
    assert_true(puppet_expect(puppet, MESSAGE_ADVERTISE, &message));
    peer__encode_request(&out, &(struct wire_abstract){.record_id = id, .version = 1}, 1);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
    assert_false(puppet_is_hung_up(puppet, 300)); /* as it would be if its own were not over */
    puppet_free(puppet);
}

SCENARIO(an_advertise_has_no_more_ranges_than_were_asked_for)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    be_compared(puppet);
    advertise(puppet, 5000, NULL, 0);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

/* A million times one entry costs no more than a million entries. */
LARGE_SCENARIO(a_long_advertise_is_worked_off_in_pieces)
{
    const size_t count = 1000000;
    struct wire_message message;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    be_compared(puppet);
    struct wire_abstract *abstracts = peer__calloc(count, sizeof(*abstracts));
    assert_non_null(abstracts);
    for (size_t i = 0; i < count; i++)
        abstracts[i].version = i < count / 2 ? 1 : (uint32_t)i;
    advertise(puppet, 1, abstracts, count);
    peer__free(abstracts);
    assert_true(puppet_expect(puppet, MESSAGE_REQUEST, &message));
    assert_int_equal(message.as.request.abstract_count, count);
    puppet_free(puppet);
}

SCENARIO(node_id_0_is_nobody)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 0);
    puppet_dial(puppet, 0);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(puppet_count(puppet, MESSAGE_WELCOME), 0);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

/* Acknowledgements feed the utility of a connection and nothing else: who sends none gets everything all the same, and
 * does not keep anything from the others. */
SCENARIO(who_acknowledges_nothing_is_served)
{
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet->deaf = 1;
    uint64_t before = peer__sim_message_count(world->sim, MESSAGE_FLOOD, puppet->host);
    for (int i = 0; i < 300; i++) {
        world_add(world, (size_t)peer__sim_draw(world->sim, 2), "news");
        world_run(world, 1);
    }
    world_settle(world, 10);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, puppet->host) - before, 300);
    assert_true(puppet_is_held(puppet, 0));
    puppet_free(puppet);
}

/* Valid records as fast as they can be made: they are stored, and what others write does not wait for them. */
SCENARIO(valid_records_without_end_keep_nobody_waiting)
{
    enum { SECONDS = 20, RECORDS = 100 };
    struct puppet_record record;
    uint32_t number = 0;
    world_line(world, 3);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    puppet->deaf = 1;
    puppet_record_init(puppet, &record, "carol", NULL);
    for (int second = 0; second < SECONDS; second++) {
        for (int i = 0; i < RECORDS; i++, number++) {
            memcpy(record.fields.id.bytes + 8, &number, sizeof(number)); /* its high half says whose it is */
            puppet_flood(puppet, &record.fields);
        }
        peer_guid id = world_add(world, 2, "from the other end");
        world_run(world, 1);
        assert_true(world_has(world, 0, &id));
    }
    world_settle(world, 10);
    assert_int_equal(world_record_count(world, 2), SECONDS * (RECORDS + 1));
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* What came before rubbish counts, and is told before the end. */
static void records_before_rubbish(struct world *world)
{
    struct puppet_record record;
    peer_event_view view;
    size_t records = 0;
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    world_watch(world, 0);
    for (int i = 0; i < 3; i++) {
        puppet_record_init(puppet, &record, "carol", NULL);
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
    }
    puppet_send_bytes(puppet, "\x00\x08\x00\x00\x00\x08\xff\xff\xff\xff", 10);
    assert_true(puppet_is_hung_up(puppet, 5));
    while (world_next_event(world, 0, &view) && view.type != PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION)
        records += view.type == PEER_GRAPH_EVENT_RECORD_CHANGED;
    assert_int_equal(view.change, PEER_DISCONNECTED);
    assert_int_equal(records, 3);
    puppet_free(puppet);
}

static void run_records_before_rubbish(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.group_chance = 100; /* the commit waits for further input */
    options.cut_chance = 0;
    scenario_run(records_before_rubbish, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(both_sides_compare_at_the_same_time),
        SCENARIO_TEST(an_advertise_has_no_more_ranges_than_were_asked_for),
        SCENARIO_TEST(a_long_advertise_is_worked_off_in_pieces),
        SCENARIO_TEST(node_id_0_is_nobody),
        SCENARIO_TEST(who_acknowledges_nothing_is_served),
        SCENARIO_TEST(valid_records_without_end_keep_nobody_waiting),
        {"records_before_rubbish", run_records_before_rubbish, NULL, scenario_report, NULL},
        SCENARIO_TEST(many_ranges_are_answered),
        SCENARIO_TEST(more_ranges_than_can_be_answered_end_the_connection),
        SCENARIO_TEST(a_request_for_what_is_not_there_ends),
        SCENARIO_TEST(many_old_copies_are_answered_once),
        SCENARIO_TEST(very_many_old_copies_end_in_a_comparison),
        SCENARIO_TEST(the_graphs_information_cannot_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

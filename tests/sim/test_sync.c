/* Synchronization message by message (spec part 11), and records that no node takes (6.8). */
#include "puppet.h"

#include "base/time.h"

static const uint8_t md5_of_nothing[16] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04,
                                           0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e};

/* ----------------------------------------------------------------------------------------- what a node answers */

SCENARIO(solicit_new_filters_by_type)
{
    struct wire_message message;
    struct buffer request = {0};
    peer_guid id;
    world_line(world, 1);
    for (int i = 0; i < 7; i++)
        assert_status(world_add_bytes(world, 0, &scenario_note, "n", 1, HOUR_S, &id), PEER_OK);
    for (int i = 0; i < 5; i++)
        assert_status(world_add_bytes(world, 0, &scenario_task, "t", 1, HOUR_S, &id), PEER_OK);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    static const struct {
        size_t inclusion, exclusion, floods;
    } cases[] = {{1, 0, 7}, {0, 1, 5 + 1}, {0, 2, 0 + 1}, {0, 0, 12 + 1}}; /* + 1: the graph's information */
    for (size_t i = 0; i < 4; i++) {
        peer_guid wanted[2] = {scenario_note, scenario_task};
        size_t before = puppet_count(puppet, MESSAGE_FLOOD);
        peer__encode_solicit_new(&request, cases[i].inclusion, cases[i].exclusion, wanted);
        puppet_send(puppet, &request);
        assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
        assert_int_equal(message.as.sync_end.final, 1);
        assert_int_equal(puppet_count(puppet, MESSAGE_FLOOD) - before, cases[i].floods);
    }
    puppet_free(puppet);
}

SCENARIO(solicit_time_includes_its_moment)
{
    struct wire_message message;
    struct buffer request = {0};
    world_line(world, 1);
    world_add(world, 0, "before");
    world_run(world, 10);
    peer_guid id = world_add(world, 0, "at the moment");
    world_run(world, 10);
    world_add(world, 0, "after");
    struct record *record = world_get(world, 0, &id);
    uint64_t since = record->fields.modified;
    peer__record_release(record);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    for (uint64_t later = 0; later < 2; later++) {
        size_t before = puppet_count(puppet, MESSAGE_FLOOD);
        peer__encode_solicit_time(&request, 1, 0, &scenario_note, since + later);
        puppet_send(puppet, &request);
        assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
        assert_int_equal(puppet_count(puppet, MESSAGE_FLOOD) - before, 2 - later);
    }
    puppet_free(puppet);
}

/* 11.4 from the initiator's side: one range over everything, all of it missing, two of three wanted. */
SCENARIO(hash_synchronization_step_by_step)
{
    struct wire_message message;
    struct buffer out = {0};
    struct wire_abstract wanted[2];
    world_line(world, 1);
    for (int i = 0; i < 2; i++)
        world_add(world, 0, "record");
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    struct wire_hash_entry everything = {.modified = UINT64_MAX};
    memcpy(everything.hash, md5_of_nothing, sizeof(md5_of_nothing));
    memset(&everything.record_id, 0xff, sizeof(everything.record_id));
    peer__encode_solicit_hash(&out, &everything, 1);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_ADVERTISE, &message));
    assert_int_equal(message.as.advertise.boundary_count, 1);
    assert_int_equal(message.as.advertise.abstract_count, 3); /* two records and the graph's information */
    peer__wire_abstract(message.as.advertise.abstracts, 0, &wanted[0]);
    peer__wire_abstract(message.as.advertise.abstracts, 2, &wanted[1]);
    peer__encode_request(&out, wanted, 2);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_SYNC_END, &message));
    assert_int_equal(puppet_count(puppet, MESSAGE_FLOOD), 2);
    peer__encode_request(&out, wanted, 2); /* out of turn now */
    puppet_send(puppet, &out);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

/* ---------------------------------------------------------------------------------------- two replicas that differ */

/* Around the range size of 10, with what one side lacks below, between and above the ranges of the other. */
static void replicas_of_any_size_become_equal(struct world *world)
{
    static const size_t sizes[] = {0, 1, 9, 10, 11, 20, 21, 35};
    peer_guid shared[40];
    size_t count = sizes[peer__sim_draw(world->sim, 8)];
    world_line(world, 2);
    for (size_t i = 0; i < count; i++) {
        shared[i] = world_add(world, i % 2, "both");
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 2000000));
    }
    world_settle(world, 10);
    for (int round = 0; round < 4; round++) {
        world_run(world, 1); /* nothing is being dialled any more */
        peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
        for (size_t side = 0; side < 2; side++) {
            for (size_t i = sizes[peer__sim_draw(world->sim, 8)]; i > 0; i--)
                world_add(world, side, "one side");
            for (size_t i = 0; i < count; i++) {
                uint64_t what = peer__sim_draw(world->sim, 12);
                if (what == 0)
                    world_update(world, side, &shared[i], "changed");
                else if (what == 1)
                    world_delete(world, side, &shared[i]);
            }
            peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 3000000));
        }
        world_run(world, round == 3 ? HOUR_S / 2 : 1);
        world_connect(world, round % 2 == 0 ? 0 : 1, round % 2 == 0 ? 1 : 0);
        world_settle(world, 30);
    }
}

static void run_replicas(void **state)
{
    (void)state;
    scenario_run(replicas_of_any_size_become_equal, NULL);
}

/* The synchronization of MS-PPGRH alone, and nodes that know more beside nodes that do not. */
static void run_plain_replicas(void **state)
{
    struct sim_options options;
    (void)state;
    peer__sim_defaults(&options);
    options.plain_chance = 100;
    scenario_run(replicas_of_any_size_become_equal, &options);
    options.plain_chance = 50;
    scenario_run(replicas_of_any_size_become_equal, &options);
}

/* Both dial each other at the same moment: whatever becomes of it, they stay neighbours or can become so again. */
SCENARIO(simultaneous_dials_do_no_harm)
{
    world_line(world, 2);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_connect(world, 0, 1);
    peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 30000));
    world_connect(world, 1, 0);
    world_add(world, 0, "left");
    world_add(world, 1, "right");
    world_run(world, 30);
    if (peer__sim_connections(world->nodes[0].host, world->nodes[1].host) == 0)
        world_connect(world, 0, 1);
    world_settle(world, 30);
    assert_int_equal(peer__sim_connections(world->nodes[0].host, world->nodes[1].host), 1);
}

/* --------------------------------------------------------------------------------------- records that are dropped */

/* Breaks one rule of 6.8 (or D-11) and nothing else. */
static const char *spoil(struct puppet_record *record, unsigned rule, struct buffer *text)
{
    struct record_fields *fields = &record->fields;
    switch (rule) {
    case 0:
        fields->id.bytes[0] ^= 1;
        return "an id that is not of the creator's making";
    case 1:
        fields->expires = fields->modified;
        return "expiration at modification";
    case 2:
        fields->created = fields->modified + 1;
        return "creation after modification";
    case 3:
        peer__buffer_append(text, "\0G\0X\0\0", 6);
        fields->graph_id = (struct span){text->data, text->size};
        return "another graph";
    case 4:
        fields->protocol_version = 0x0200;
        return "another protocol version";
    case 5:
        fields->flags = RECORD_FLAG_DELETED;
        return "a tombstone with a payload";
    case 6:
        peer__buffer_append(text, "\0z\0\0", 4);
        fields->modifier_id = (struct span){text->data, text->size};
        return "a modifier without a modification";
    case 7:
        peer__buffer_append(text, "\0<\0x\0>\0\0", 8);
        fields->attributes = (struct span){text->data, text->size};
        return "attributes that are not XML of the schema";
    default:
        fields->created -= 2 * HOUR_S * TICKS_PER_SECOND;
        fields->modified = fields->created;
        fields->expires = fields->created + HOUR_S * TICKS_PER_SECOND;
        return "a record that has expired";
    }
}

SCENARIO(invalid_records_are_dropped_without_a_word)
{
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    for (unsigned rule = 0; rule < 9; rule++) {
        struct puppet_record record;
        struct buffer text = {0};
        puppet_record_init(puppet, &record, "carol", NULL);
        const char *what = spoil(&record, rule, &text);
        puppet_flood(puppet, &record.fields);
        world_run(world, 2);
        if (puppet->closed || puppet_count(puppet, MESSAGE_ACK) != 0 || world_record_count(world, 1) != 0)
            fail_msg("%s: not dropped in silence", what);
        peer__buffer_free(&text);
        puppet_record_free(&record);
    }
    struct puppet_record good;
    puppet_record_init(puppet, &good, "carol", NULL);
    puppet_flood(puppet, &good.fields);
    world_run(world, 2);
    assert_true(world_has(world, 1, &good.fields.id));
    puppet_record_free(&good);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(solicit_new_filters_by_type),
        SCENARIO_TEST(solicit_time_includes_its_moment),
        SCENARIO_TEST(hash_synchronization_step_by_step),
        {"replicas_of_any_size_become_equal", run_replicas, NULL, scenario_report, NULL},
        {"plain_replicas_become_equal", run_plain_replicas, NULL, scenario_report, NULL},

        SCENARIO_TEST(simultaneous_dials_do_no_harm),
        SCENARIO_TEST(invalid_records_are_dropped_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

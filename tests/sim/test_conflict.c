/* Two copies of one record: the same one wins everywhere, for every key of 6.9 and in every order of arrival. */
#include "puppet.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/time.h"

/* ------------------------------------------------------------------------------------------- between real nodes */

static void cut_in_two(struct world *world, size_t left_count)
{
    struct sim_host *left[WORLD_NODES_MAX];
    struct sim_host *right[WORLD_NODES_MAX];
    for (size_t i = 0; i < world->count; i++)
        *(i < left_count ? &left[i] : &right[i - left_count]) = world->nodes[i].host;
    assert_status(peer__sim_partition(left, left_count, right, world->count - left_count), PEER_OK);
}

static void heal_and_settle(struct world *world)
{
    peer__sim_heal(world->sim);
    world_settle(world, 120);
}

SCENARIO(both_sides_change_the_same_record)
{
    peer_guid ids[6];
    world_line(world, 4);
    for (size_t i = 0; i < 6; i++)
        ids[i] = world_add(world, i % 4, "as it was");
    world_settle(world, 30);
    cut_in_two(world, 2);
    for (size_t i = 0; i < 6; i++) {
        for (uint64_t changes = peer__sim_draw(world->sim, 4); changes > 0; changes--)
            assert_status(world_update(world, peer__sim_draw(world->sim, 2), &ids[i], "left"), PEER_OK);
        for (uint64_t changes = peer__sim_draw(world->sim, 4); changes > 0; changes--)
            assert_status(world_update(world, 2 + peer__sim_draw(world->sim, 2), &ids[i], "right"), PEER_OK);
        world_run(world, (int64_t)peer__sim_draw(world->sim, 3));
    }
    world_run(world, 20);
    heal_and_settle(world);
}

SCENARIO(one_side_deletes_what_the_other_changes)
{
    peer_guid ids[4];
    world_line(world, 4);
    for (size_t i = 0; i < 4; i++)
        ids[i] = world_add(world, i, "as it was");
    world_settle(world, 30);
    cut_in_two(world, 2);
    assert_status(world_delete(world, 0, &ids[0]), PEER_OK);
    assert_status(world_update(world, 3, &ids[0], "kept?"), PEER_OK);
    assert_status(world_delete(world, 1, &ids[1]), PEER_OK);
    assert_status(world_update(world, 2, &ids[1], "changed once"), PEER_OK);
    assert_status(world_update(world, 2, &ids[1], "changed twice"), PEER_OK);
    assert_status(world_delete(world, 0, &ids[2]), PEER_OK);
    assert_status(world_delete(world, 3, &ids[2]), PEER_OK);
    heal_and_settle(world);
    assert_true(world_has(world, 0, &ids[1])); /* version 3 beats the tombstone's 2 */
    assert_false(world_has(world, 0, &ids[2]));
    assert_true(world_has(world, 0, &ids[3]));
}

/* --------------------------------------------------------------------------------------- hand-made copies, 6.9 */

/* Turns a loser into a winner by exactly one key; what stands behind that key speaks for the loser. */
struct key {
    const char *name;
    void (*make)(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner);
};

static void make_pair(struct puppet *puppet, struct puppet_record *loser, const char *loser_modifier,
                      struct puppet_record *winner, const char *winner_modifier)
{
    puppet_record_init(puppet, loser, "carol", loser_modifier);
    puppet_record_init(puppet, winner, "carol", winner_modifier);
    winner->fields.id = loser->fields.id;
    winner->fields.payload = (struct span){(const uint8_t *)"winner", 6};
    loser->fields.payload = (struct span){(const uint8_t *)"loser", 5};
}

static const uint8_t high_bytes[] = {9, 9, 9, 9, 9, 9};
static const uint8_t low_bytes[] = {1, 1, 1, 1, 1, 1};

static void by_version(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "zed", winner, NULL);
    loser->fields.version = 2;
    winner->fields.version = 3;
    loser->fields.security_data = (struct span){high_bytes, 6};
}

static void by_version_unsigned(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "zed", winner, "amy");
    loser->fields.version = 2;
    winner->fields.version = 0x80000000u;
}

static void by_having_a_modifier(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, NULL, winner, "amy");
    loser->fields.modified = loser->fields.created;
    loser->fields.security_data = (struct span){high_bytes, 6};
    winner->fields.security_data = (struct span){low_bytes, 3};
}

static void by_modifier(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "amy", winner, "bob");
    loser->fields.modified += 5 * TICKS_PER_SECOND;
    loser->fields.security_data = (struct span){high_bytes, 6};
}

static void by_modifier_prefix(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "amy", winner, "amya");
    loser->fields.modified += 5 * TICKS_PER_SECOND;
}

/* D-12: ordinal by UTF-16 unit, where U+1F600 (d83d de00) comes before U+FFFD. */
static void by_modifier_units(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "\xf0\x9f\x98\x80", winner, "\xef\xbf\xbd");
}

static void by_time(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "amy", winner, "amy");
    winner->fields.modified = loser->fields.modified + 1;
    loser->fields.security_data = (struct span){high_bytes, 6};
}

static void by_security_size(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    make_pair(puppet, loser, "amy", winner, "amy");
    winner->fields.modified = loser->fields.modified;
    loser->fields.security_data = (struct span){high_bytes, 5};
    winner->fields.security_data = (struct span){low_bytes, 6};
}

static void by_security_bytes(struct puppet *puppet, struct puppet_record *loser, struct puppet_record *winner)
{
    static const uint8_t above_127[] = {1, 1, 1, 1, 1, 0x80};
    make_pair(puppet, loser, "amy", winner, "amy");
    winner->fields.modified = loser->fields.modified;
    loser->fields.security_data = (struct span){low_bytes, 6};
    winner->fields.security_data = (struct span){above_127, 6};
}

static const struct key keys[] = {
    {"version", by_version},   {"version, unsigned", by_version_unsigned}, {"having a modifier", by_having_a_modifier},
    {"modifier", by_modifier}, {"modifier, prefix", by_modifier_prefix},   {"modifier, units", by_modifier_units},
    {"time", by_time},         {"security data's size", by_security_size}, {"security data", by_security_bytes},
};

static void assert_holds(struct world *world, size_t node, const struct puppet_record *winner, const char *key)
{
    struct record *record = world_get(world, node, &winner->fields.id);
    if (record == NULL || !peer__span_equal(record->fields.payload, winner->fields.payload))
        fail_msg("seed %llu: node %zu does not hold the winner by %s", (unsigned long long)world->seed, node + 1, key);
    peer__record_release(record);
}

/* One node hears both copies from one puppet, in both orders. The second copy is news only if it wins; an old one is
 * answered with the node's own. */
SCENARIO(every_key_in_both_orders_at_one_node)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        for (int winner_first = 0; winner_first < 2; winner_first++) {
            struct puppet_record loser;
            struct puppet_record winner;
            struct wire_message message;
            struct wire_ack_entry entry;

            keys[k].make(puppet, &loser, &winner);
            puppet_flood(puppet, winner_first ? &winner.fields : &loser.fields);
            assert_true(puppet_expect(puppet, MESSAGE_ACK, &message));
            puppet->seen = puppet->count;
            puppet_flood(puppet, winner_first ? &loser.fields : &winner.fields);
            size_t before = puppet->count;
            assert_true(puppet_expect(puppet, MESSAGE_ACK, &message));
            peer__wire_ack_entry(&message.as.ack, 0, &entry);
            assert_int_equal(entry.useful, !winner_first);
            world_run(world, 2);
            puppet->seen = before;
            assert_int_equal(puppet_expect(puppet, MESSAGE_FLOOD, &message), winner_first);
            assert_holds(world, 0, &winner, keys[k].name);
            puppet_record_free(&loser);
            puppet_record_free(&winner);
        }
    }
    puppet_free(puppet);
}

/* The copies enter a line at its two ends at once, and cross on the way. */
SCENARIO(every_key_from_two_ends)
{
    world_line(world, 4);
    struct puppet *left = puppet_create(world, 77);
    struct puppet *right = puppet_create(world, 78);
    puppet_join(left, 0);
    puppet_join(right, 3);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        struct puppet_record loser;
        struct puppet_record winner;
        int swapped = (int)peer__sim_draw(world->sim, 2);

        keys[k].make(left, &loser, &winner);
        puppet_flood(swapped ? right : left, &loser.fields);
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, 60000));
        puppet_flood(swapped ? left : right, &winner.fields);
        world_run(world, 5);
        for (size_t node = 0; node < 4; node++)
            assert_holds(world, node, &winner, keys[k].name);
        assert_converged(world);
        puppet_record_free(&loser);
        puppet_record_free(&winner);
    }
    puppet_free(left);
    puppet_free(right);
}

/* The copies enter two halves that are apart; the hash synchronization or the flood after it brings them together. */
SCENARIO(every_key_across_a_partition)
{
    world_line(world, 4);
    struct puppet *left = puppet_create(world, 77);
    struct puppet *right = puppet_create(world, 78);
    puppet_join(left, 0);
    puppet_join(right, 3);
    cut_in_two(world, 2);
    struct puppet_record losers[sizeof(keys) / sizeof(keys[0])];
    struct puppet_record winners[sizeof(keys) / sizeof(keys[0])];
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        keys[k].make(left, &losers[k], &winners[k]);
        puppet_flood(k % 2 == 0 ? left : right, &losers[k].fields);
        puppet_flood(k % 2 == 0 ? right : left, &winners[k].fields);
    }
    world_run(world, 10);
    heal_and_settle(world);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        for (size_t node = 0; node < 4; node++)
            assert_holds(world, node, &winners[k], keys[k].name);
        puppet_record_free(&losers[k]);
        puppet_record_free(&winners[k]);
    }
    puppet_free(left);
    puppet_free(right);
}

/* All seven keys are equal: already present, whatever else differs; nothing is sent on. */
SCENARIO(equal_keys_are_already_present)
{
    world_line(world, 2);
    struct puppet *puppet = puppet_create(world, 77);
    struct puppet_record record;
    struct wire_message message;
    struct wire_ack_entry entry;

    puppet_join(puppet, 0);
    puppet_record_init(puppet, &record, "carol", "amy");
    puppet_flood(puppet, &record.fields);
    assert_true(puppet_expect(puppet, MESSAGE_ACK, &message));
    world_run(world, 5);
    uint64_t before = peer__sim_message_count(world->sim, MESSAGE_FLOOD, world->nodes[1].host);
    record.fields.payload = (struct span){(const uint8_t *)"other", 5};
    puppet_flood(puppet, &record.fields);
    assert_true(puppet_expect(puppet, MESSAGE_ACK, &message));
    peer__wire_ack_entry(&message.as.ack, 0, &entry);
    assert_int_equal(entry.useful, 0);
    world_run(world, 5);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, world->nodes[1].host), before);
    puppet_record_free(&record);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(both_sides_change_the_same_record),    SCENARIO_TEST(one_side_deletes_what_the_other_changes),
        SCENARIO_TEST(every_key_in_both_orders_at_one_node), SCENARIO_TEST(every_key_from_two_ends),
        SCENARIO_TEST(every_key_across_a_partition),         SCENARIO_TEST(equal_keys_are_already_present),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

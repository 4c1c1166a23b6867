/* Cuts that last: what each side wrote, deleted and let expire meanwhile, and how the sides find each other again. */
#include "scenario.h"

#include "base/memory.h"
#include "graph/parts.h"

#define LONG_LIFE_S (12 * HOUR_S)

static peer_guid add_for(struct world *world, size_t node, int64_t lifetime_s)
{
    peer_guid id;
    assert_status(world_add_bytes(world, node, &scenario_note, "x", 1, lifetime_s, &id), PEER_OK);
    return id;
}

static size_t draw(struct world *world, size_t bound)
{
    return (size_t)peer__sim_draw(world->sim, bound);
}

/* Contacts live for a quarter of an hour, so that after an hour nobody has one of the other side: the address book is what
 * is left (14.5). */
SCENARIO(halves_that_were_cut_for_an_hour_meet_by_the_address_book)
{
    world_mesh(world, 12);
    world_run(world, 600);
    world_cut(world, 6, (int)draw(world, 2));
    for (int i = 0; i < 10; i++) {
        add_for(world, draw(world, 6), LONG_LIFE_S);
        add_for(world, 6 + draw(world, 6), LONG_LIFE_S);
        world_run(world, 360);
    }
    peer__sim_heal(world->sim);
    world_settle(world, 1200);
    assert_int_equal(world_record_count(world, 3), 20);
}

/* --------------------------------------------------------------------------------------------------- contacts alone */

/** As many as each other one can have for a neighbour without lacking one or having too many (3.1.1). */
#define HALF (NEIGHBOURS_IDEAL + 1)

static int is_contact(struct world *world, size_t node)
{
    return world->nodes[node].graph->upkeep.own_contact.live;
}

static size_t lowest_node(struct world *world)
{
    size_t lowest = 0;
    for (size_t i = 1; i < world->count; i++) {
        if (world->nodes[i].graph->node_id < world->nodes[lowest].graph->node_id)
            lowest = i;
    }
    return lowest;
}

/* Two random halves. Who has lost the lowest node id, and with it the signature, must know a contact on its side: else
 * nothing tells the halves that they are apart. */
static void draw_halves(struct world *world, int *sides)
{
    size_t lowest = lowest_node(world);
    int is_seen = 0;
    while (!is_seen) {
        size_t left = 0;
        for (size_t i = 0; i < world->count; i++) {
            size_t rest = world->count - i;
            sides[i] = draw(world, rest) < HALF - left;
            left += (size_t)sides[i];
        }
        for (size_t i = 0; i < world->count; i++)
            is_seen |= sides[i] == sides[lowest] && is_contact(world, i);
    }
}

static void cut_sides(struct world *world, const int *sides, int by_reset)
{
    for (size_t i = 0; i < world->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (sides[i] == sides[k])
                continue;
            assert_status(peer__sim_partition(&world->nodes[i].host, 1, &world->nodes[k].host, 1), PEER_OK);
            if (by_reset)
                peer__sim_reset(world->nodes[i].host, world->nodes[k].host);
        }
    }
}

/* Whoever has as many neighbours as it should have looks for no others, whatever it knows (14.4). */
static void join_within_sides(struct world *world, const int *sides)
{
    for (size_t i = 0; i < world->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (sides[i] == sides[k])
                (void)world_try_connect(world, i, k); /* it may be a neighbour already */
        }
    }
}

/* Nobody remembers where it met anyone, and what others have named to it: what is left are contacts. */
static void forget_addresses(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        world->nodes[i].graph->dialler.book.count = 0;
        world->nodes[i].graph->dialler.referrals.count = 0;
    }
}

/* 14.3: five minutes, so that contacts of the other side live when they can be reached again. */
SCENARIO(halves_that_were_cut_for_five_minutes_meet_by_contacts_alone)
{
    int sides[2 * HALF];
    world_mesh(world, 2 * HALF);
    world_run(world, 600);
    draw_halves(world, sides);
    cut_sides(world, sides, (int)draw(world, 2));
    for (int i = 0; i < 20; i++) {
        add_for(world, draw(world, world->count), LONG_LIFE_S);
        world_run(world, 15);
        if (i == 10)
            join_within_sides(world, sides);
    }
    for (size_t i = 0; i < world->count; i++)
        assert_int_equal(world->nodes[i].graph->neighbour_count, NEIGHBOURS_IDEAL);
    forget_addresses(world);
    peer__sim_heal(world->sim);
    world_settle(world, 600);
    assert_int_equal(world_record_count(world, 3), 20);
}

/* ------------------------------------------------------------------------------------------- what ends during a cut */

/* decisions.md 10: p4 has deleted what p1 gave a longer life, and is shown p1's copy. Whoever still has it when the record
 * would have expired does not bring it back. */
static void what_was_deleted_does_not_come_back(struct world *world)
{
    peer_record_input longer = PEER_RECORD_INPUT_INIT;
    world_line(world, 5);
    longer.id = add_for(world, 0, 600);
    longer.type = scenario_note;
    longer.expires_us = world_peer_time_us(world, 0) + 4 * HOUR_S * SECOND;
    world_settle(world, 30);
    world_cut(world, 3, 1);
    struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
    driver->lock(driver);
    assert_status(peer__graph_update(world->nodes[0].graph, &longer), PEER_OK);
    driver->unlock(driver);
    assert_status(world_delete(world, 3, &longer.id), PEER_OK);
    world_run(world, 10);
    world_close(world, 0);
    peer__sim_heal(world->sim);
    world_connect(world, 2, 3); /* a further neighbour: what differs goes both ways */
    world_run(world, 900);
    assert_false(world_has(world, 1, &longer.id));
    assert_true(world_open(world, 0) >= 0);
    world_connect(world, 0, 1);
    world_settle(world, 60);
    assert_int_equal(world_record_count(world, 4), 0);
}

static void run_what_was_deleted(void **state)
{
    struct sim_options options;
    (void)state;
    scenario_run(what_was_deleted_does_not_come_back, NULL);
    peer__sim_defaults(&options);
    options.plain_chance = 100;
    scenario_run(what_was_deleted_does_not_come_back, &options);
}

static peer_guid add_refreshed(struct world *world, size_t node, int64_t lifetime_s)
{
    peer_guid id;
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    input.type = scenario_note;
    input.flags = PEER_RECORD_FLAG_AUTOREFRESH;
    input.expires_us = world_peer_time_us(world, node) + lifetime_s * SECOND;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_add(world->nodes[node].graph, &input, &id), PEER_OK);
    driver->unlock(driver);
    return id;
}

/* What its publisher keeps alive ends where he cannot be heard, comes back with him, and ends for good after him. */
SCENARIO(records_end_and_are_refreshed_across_a_cut)
{
    world_mesh(world, 8);
    world_run(world, 300);
    peer_guid refreshed = add_refreshed(world, 1, 300);
    peer_guid orphan = add_refreshed(world, 2, 300);
    peer_guid mortal = add_for(world, 5, 500);
    world_settle(world, 30);
    world_cut(world, 4, (int)draw(world, 2));
    world_run(world, 400 + 15);
    world_close(world, 2);
    assert_true(world_has(world, 0, &refreshed));
    assert_false(world_has(world, 6, &refreshed));
    assert_true(world_has(world, 6, &mortal));
    world_run(world, 400 + 15);
    peer__sim_heal(world->sim);
    (void)world_try_connect(world, 0, 6); /* their contacts have ended, and perhaps p3 alone had met the other side */
    world_settle(world, 120);
    assert_true(world_has(world, 6, &refreshed));
    assert_false(world_has(world, 6, &orphan));
    assert_false(world_has(world, 0, &mortal));
    world_close(world, 1);
    world_run(world, 400 + 15);
    assert_false(world_has(world, 6, &refreshed));
    assert_converged(world);
}

static void change_something(struct world *world, peer_guid *ids, size_t *count, size_t first, size_t nodes)
{
    size_t node = first + draw(world, nodes);
    size_t which = draw(world, 24);
    if (which >= *count) {
        ids[*count] = add_for(world, node, 1800 + (int64_t)draw(world, 3600));
        ++*count;
    } else if (draw(world, 4) == 0) {
        (void)world_delete(world, node, &ids[which]); /* it may be deleted or at its end, or not have come yet */
    } else {
        (void)world_update(world, node, &ids[which], "changed");
    }
}

/* Clocks that are minutes off and drift; both sides of a cut change the same records. */
SCENARIO(clocks_that_are_minutes_apart)
{
    peer_guid ids[24];
    size_t count = 0;
    world->automatic = 1;
    for (size_t i = 0; i < 10; i++) {
        size_t node = world_host(world);
        int64_t offset_us = ((int64_t)draw(world, 1200) - 600) * SECOND;
        peer__sim_host_set_clock(world->nodes[node].host, offset_us, (int32_t)draw(world, 1000) - 500);
        if (node == 0) {
            world_create(world, node);
            world_listen(world, node);
        } else {
            world_join(world, node, draw(world, node));
        }
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            change_something(world, ids, &count, 0, 10);
            world_run(world, 10);
        }
        world_cut(world, 1 + draw(world, 9), round % 2);
        for (int i = 0; i < 20; i++) {
            change_something(world, ids, &count, 0, 10);
            world_run(world, 15);
        }
        peer__sim_heal(world->sim);
        /* If all contacts are on one side and the lowest node id on the other, neither sees that they are apart; half an
         * hour after they met the address book is tried. */
        world_settle(world, 1800 + 600);
    }
    world_run(world, 2 * HOUR_S);
    assert_int_equal(world_record_count(world, 7), 0);
    assert_converged(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(halves_that_were_cut_for_an_hour_meet_by_the_address_book),
        SCENARIO_TEST(halves_that_were_cut_for_five_minutes_meet_by_contacts_alone),
        {"what_was_deleted_does_not_come_back", run_what_was_deleted, NULL, scenario_report, NULL},
        SCENARIO_TEST(records_end_and_are_refreshed_across_a_cut),
        SCENARIO_TEST(clocks_that_are_minutes_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the application has judged invalid: who is asked about it again, and when (decisions.md 18). */
#include "judging.h"

/* The same copy, and no other one, of that version or another. */
SCENARIO(the_same_is_not_asked_about_again)
{
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", "amy");
    struct record_fields other = record.fields;
    other.payload = (struct span){(const uint8_t *)"other", 5};
    const struct record_fields *copies[] = {&record.fields, &other, &record.fields, &record.fields};
    uint32_t versions[] = {2, 2, 3, 1};
    for (size_t i = 0; i < 4; i++) {
        struct record_fields fields = *copies[i];
        fields.version = versions[i];
        puppet_flood(puppet, &fields);
        uint64_t id = expect_question(world, 0, PEER_RECORD_ADDED);
        assert_status(judge(world, 0, id, PEER_E_INVALID_RECORD), PEER_OK);
        for (size_t again = 0; again <= i; again++) {
            fields = *copies[again];
            fields.version = versions[again];
            puppet_flood(puppet, &fields);
        }
        world_run(world, 5);
        assert_int_equal(count_questions(world, 0), 0);
    }
    assert_int_equal(puppet_count(puppet, MESSAGE_ACK), 0);
    puppet_record_free(&record);
    puppet_free(puppet);
}

SCENARIO(who_names_it_is_asked_again)
{
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", NULL);
    puppet_flood(puppet, &record.fields);
    assert_status(judge(world, 0, expect_question(world, 0, PEER_RECORD_ADDED), PEER_E_INVALID_RECORD), PEER_OK);
    ask_again(world, 0); /* which is for what waits */
    ask_again_about(world, 0, 1, &scenario_note);
    puppet_flood(puppet, &record.fields);
    world_run(world, 5);
    assert_int_equal(count_questions(world, 0), 0);
    ask_again_about(world, 0, 1, &record.fields.id);
    puppet_flood(puppet, &record.fields);
    assert_status(judge(world, 0, expect_question(world, 0, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
    assert_true(world_has(world, 0, &record.fields.id));
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* With its only neighbour. */
static void compare(struct world *world, size_t node)
{
    struct graph *graph = locked(world, node);
    assert_int_equal(graph->neighbour_count, 1);
    peer__sync_compare(CONTAINER_OF(graph->links.next, struct link, in_graph));
    unlock(world, node);
}

/* Of what a comparison lists, only what was not rejected is requested; what is asked for again by name comes at once. */
SCENARIO(what_was_rejected_does_not_travel_again)
{
    peer_guid ids[5];
    world_line(world, 1);
    for (size_t i = 0; i < 5; i++)
        ids[i] = world_add(world, 0, "written before");
    a_judge_connects(world);
    uint64_t first = expect_question(world, 1, PEER_RECORD_ADDED);
    world_run(world, 2);
    for (uint64_t id = first; id < first + 5; id++)
        assert_status(judge(world, 1, id, id == first ? PEER_OK : PEER_E_INVALID_RECORD), PEER_OK);
    world_run(world, 10);
    assert_true(is_synchronized(world, 1));
    uint64_t floods = peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL);
    (void)count_questions(world, 1);
    compare(world, 1);
    world_run(world, 10);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_FLOOD, NULL), floods);
    assert_int_equal(peer__sim_message_count(world->sim, MESSAGE_REQUEST, NULL), 0);
    ask_again_about(world, 1, 5, ids);
    assert_false(is_synchronized(world, 1));
    for (size_t i = 0; i < 4; i++)
        assert_status(judge(world, 1, expect_question(world, 1, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
    world_run(world, 10);
    assert_true(is_synchronized(world, 1));
    assert_int_equal(world_record_count(world, 1), 5);
}

/* Whoever has it, and also if another neighbour has not. */
SCENARIO(all_neighbours_are_asked_for_what_was_rejected)
{
    world_line(world, 1);
    peer_guid id = world_add(world, 0, "written before");
    a_judge_connects(world);
    assert_status(judge(world, 1, expect_question(world, 1, PEER_RECORD_ADDED), PEER_E_INVALID_RECORD), PEER_OK);
    world_listen(world, 1);
    size_t node = world_host(world);
    assert_true(world_open(world, node) >= 0);
    world_watch(world, node);
    world_connect(world, node, 1);
    world_run(world, 10);
    assert_true(is_synchronized(world, node));
    world_connect(world, node, 0);
    assert_status(judge(world, node, expect_question(world, node, PEER_RECORD_ADDED), PEER_E_INVALID_RECORD), PEER_OK);
    world_run(world, 10);
    assert_int_equal(locked(world, node)->neighbour_count, 2);
    unlock(world, node);
    for (size_t judge_at = node; judge_at >= 1; judge_at--) {
        ask_again_about(world, judge_at, 1, &id);
        uint64_t question = expect_question(world, judge_at, PEER_RECORD_ADDED);
        assert_status(judge(world, judge_at, question, PEER_OK), PEER_OK);
        world_run(world, 10);
        assert_true(world_has(world, judge_at, &id));
        assert_true(is_synchronized(world, judge_at));
    }
}

/* An ADVERTISE tells versions and no more: another copy may be meant, so it is requested. The judge hears nothing of it. */
SCENARIO(a_plain_comparison_brings_it_and_asks_nobody)
{
    struct puppet_record record;
    struct wire_message message;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", NULL);
    puppet_flood(puppet, &record.fields);
    assert_status(judge(world, 0, expect_question(world, 0, PEER_RECORD_ADDED), PEER_E_INVALID_RECORD), PEER_OK);
    compare(world, 0);
    assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_HASH, &message));
    struct wire_hash_boundary range = {.modified_upper = UINT64_MAX, .count = 1};
    memset(range.record_id_upper.bytes, 0xff, sizeof(range.record_id_upper.bytes));
    struct wire_abstract abstract = {.record_id = record.fields.id, .version = record.fields.version};
    struct buffer advertise = {0};
    peer__encode_advertise(&advertise, &range, 1, &abstract, 1);
    puppet_send(puppet, &advertise);
    peer__buffer_free(&advertise);
    assert_true(puppet_expect(puppet, MESSAGE_REQUEST, &message));
    assert_int_equal(message.as.request.abstract_count, 1);
    puppet_flood(puppet, &record.fields);
    world_run(world, 5);
    assert_int_equal(count_questions(world, 0), 0);
    puppet_record_free(&record);
    puppet_free(puppet);
}

SCENARIO(an_application_that_starts_anew_is_asked_anew)
{
    world_line(world, 1);
    world_add(world, 0, "written before");
    a_judge_connects(world);
    assert_status(judge(world, 1, expect_question(world, 1, PEER_RECORD_ADDED), PEER_E_INVALID_RECORD), PEER_OK);
    world_run(world, 5);
    peer__event_queue_release(world->nodes[1].events);
    world->nodes[1].events = NULL;
    world_close(world, 1);
    world_run(world, 5);
    assert_true(world_open(world, 1) >= 0);
    world_watch(world, 1);
    world_connect(world, 1, 0);
    assert_status(judge(world, 1, expect_question(world, 1, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
    world_run(world, 5);
    assert_int_equal(world_record_count(world, 1), 1);
}

/* Named any number of times, each that waits is asked about once, in the order in which they came. */
SCENARIO(many_names_cost_little)
{
    enum { NAMES = 50000, RECORDS = 200 };
    struct puppet_record record;
    peer_event_view view;
    peer_guid *ids = peer__calloc(NAMES, sizeof(*ids));
    assert_non_null(ids);
    struct puppet *puppet = a_judge_and_a_puppet(world);
    for (size_t i = 0; i < RECORDS; i++) {
        puppet_record_init(puppet, &record, "carol", i > 0 ? "amy" : NULL);
        if (i % 2 == 0)
            ids[NAMES - 1 - i] = record.fields.id;
        for (record.fields.version = 1; record.fields.version <= 2; record.fields.version++)
            puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
    }
    for (size_t i = 0; i < NAMES / 2; i++)
        ids[i] = ids[NAMES - 1];
    world_run(world, 5);
    assert_int_equal(count_questions(world, 0), 2 * RECORDS);
    ask_again_about(world, 0, NAMES, ids);
    for (uint64_t number = 1; number <= 2 * RECORDS; number++) {
        if ((number - 1) / 2 % 2 != 0)
            continue;
        assert_true(world_next_event(world, 0, &view));
        assert_int_equal(view.validation_id, number);
    }
    assert_int_equal(count_questions(world, 0), 0);
    ask_again_about(world, 0, 1, &ids[NAMES - 3]);
    assert_int_equal(count_questions(world, 0), 2);
    peer__free(ids);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(the_same_is_not_asked_about_again),
        SCENARIO_TEST(who_names_it_is_asked_again),
        SCENARIO_TEST(what_was_rejected_does_not_travel_again),
        SCENARIO_TEST(all_neighbours_are_asked_for_what_was_rejected),
        SCENARIO_TEST(a_plain_comparison_brings_it_and_asks_nobody),
        SCENARIO_TEST(an_application_that_starts_anew_is_asked_anew),
        SCENARIO_TEST(many_names_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

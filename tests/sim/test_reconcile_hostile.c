/* Whoever asks and whoever answers in a comparison (docs/extensions.md): bounds on what they can cost, and an end to it. */
#include "reconciling.h"

/* To the puppet, the only neighbour. */
static struct link *puppet_link(struct world *world)
{
    LIST_FOR (at, following, &world->nodes[0].graph->links)
        return CONTAINER_OF(at, struct link, in_graph);
    return NULL;
}

static struct puppet *asking_puppet(struct world *world)
{
    struct puppet *puppet = puppet_create(world, 77);
    puppet->reconciles = 1;
    puppet_join(puppet, 0);
    return puppet;
}

static void ask(struct puppet *puppet, const struct wire_range *ranges, size_t count)
{
    struct buffer out = {0};
    peer__encode_compare(&out, 0, ranges, count);
    puppet_send(puppet, &out);
}

static const struct wire_range everything = {.upper = {.modified = UINT64_MAX}, .lists = 1};

SCENARIO(only_who_announced_it_may_compare)
{
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_join(puppet, 0);
    ask(puppet, &everything, 1);
    assert_true(puppet_is_hung_up(puppet, 5));
    assert_int_equal(puppet_count(puppet, MESSAGE_DIFFER), 0);
    puppet_free(puppet);
}

SCENARIO(one_question_at_a_time)
{
    world_line(world, 1);
    for (int i = 0; i < 400; i++)
        add_lasting(world, 0);
    struct puppet *puppet = asking_puppet(world);
    for (int i = 0; i < 20; i++) /* one that comes late finds the one before it answered */
        ask(puppet, &everything, 1);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

SCENARIO(an_answer_without_a_question)
{
    struct buffer out = {0};
    world_line(world, 1);
    struct puppet *puppet = asking_puppet(world);
    peer__encode_differ(&out, 0, (struct span){0});
    puppet_send(puppet, &out);
    assert_true(puppet_is_hung_up(puppet, 5));
    puppet_free(puppet);
}

/* A list that is longer than an answer comes in parts, each record once. */
SCENARIO(a_long_list_comes_in_parts)
{
    enum { RECORDS = 5000 };
    struct wire_message message;
    struct wire_difference difference;
    struct wire_range range = everything;
    size_t listed = 0;
    size_t answers = 0;
    world_line(world, 1);
    for (int i = 0; i < RECORDS; i++)
        add_lasting(world, 0);
    struct puppet *puppet = asking_puppet(world);
    do {
        ask(puppet, &range, 1);
        assert_true(puppet_expect(puppet, MESSAGE_DIFFER, &message));
        struct reader reader = peer__reader(message.as.differ.differences);
        assert_true(peer__wire_next_difference(&reader, &difference));
        listed += difference.listed_count;
        range.lower = difference.upper;
        answers++;
    } while (difference.kind == DIFFERENCE_PART);
    assert_int_equal(difference.kind, DIFFERENCE_LIST);
    assert_int_equal(listed, RECORDS + 1); /* with the graph's information */
    assert_int_equal(answers, 3);
    puppet_free(puppet);
}

/* As many ranges as a question may have, all of them long lists: each gets something, and no answer is longer than it may. */
SCENARIO(many_long_lists_at_once)
{
    struct wire_range ranges[COMPARE_RANGES_MAX] = {0};
    struct wire_message message;
    struct wire_difference difference;
    size_t parts = 0;
    world_line(world, 1);
    uint64_t from = peer__ticks_from_us(SIM_EPOCH_US);
    for (int i = 0; i < 256; i++) {
        for (int k = 0; k < 20; k++)
            add_lasting(world, 0);
        world_run(world, 2);
    }
    for (size_t i = 0; i < COMPARE_RANGES_MAX; i++) {
        ranges[i].lower = i > 0 ? ranges[i - 1].upper : (struct wire_bound){0};
        ranges[i].upper.modified = i + 1 < COMPARE_RANGES_MAX ? from + 2 * (i + 1) * TICKS_PER_SECOND : UINT64_MAX;
        ranges[i].lists = 1;
    }
    struct puppet *puppet = asking_puppet(world);
    ask(puppet, ranges, COMPARE_RANGES_MAX);
    assert_true(puppet_expect(puppet, MESSAGE_DIFFER, &message));
    assert_int_equal(message.as.differ.difference_count, COMPARE_RANGES_MAX);
    struct reader reader = peer__reader(message.as.differ.differences);
    while (peer__wire_next_difference(&reader, &difference))
        parts += difference.kind == DIFFERENCE_PART;
    assert_in_range(parts, 50, 250);
    puppet_free(puppet);
}

/* Questions without end are answered one after the other, and what others write does not wait for them. */
SCENARIO(questions_without_end_keep_nobody_waiting)
{
    struct wire_message message;
    struct wire_range range = {.upper = {.modified = UINT64_MAX}};
    world_line(world, 2);
    for (int i = 0; i < 1000; i++)
        add_lasting(world, 0);
    struct puppet *puppet = asking_puppet(world);
    for (int i = 0; i < 100; i++) {
        ask(puppet, &range, 1);
        peer_guid id = world_add(world, 1, "news");
        assert_true(puppet_expect(puppet, MESSAGE_DIFFER, &message));
        world_run(world, 1);
        assert_true(world_has(world, 0, &id));
        puppet_forget_seen(puppet);
    }
    puppet_free(puppet);
}

/* The node has dialled the puppet, which has no news for it, and now compares the databases. */
static struct puppet *answering_puppet(struct world *world, struct wire_message *question)
{
    struct buffer out = {0};
    struct puppet *puppet = puppet_create(world, 77);
    puppet->reconciles = 1;
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    for (int stage = 0; stage < 3; stage++) {
        assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_TIME, question));
        peer__encode_sync_end(&out);
        puppet_send(puppet, &out);
    }
    assert_true(puppet_expect(puppet, MESSAGE_COMPARE, question));
    return puppet;
}

static void answer(struct puppet *puppet, const struct wire_difference *differences, size_t count,
                   const struct wire_listed *listed)
{
    struct buffer out = {0};
    struct buffer entries = {0};
    for (size_t i = 0; i < count; i++)
        peer__encode_difference(&entries, &differences[i], listed);
    peer__encode_differ(&out, count, (struct span){entries.data, entries.size});
    peer__buffer_free(&entries);
    puppet_send(puppet, &out);
}

SCENARIO(answers_that_do_not_fit_end_the_connection)
{
    static const struct wire_listed listed[2] = {{.version = 1}};
    static const struct wire_difference wrong[] = {
        {.index = 200, .kind = DIFFERENCE_UNKNOWN},
        {.index = 5, .kind = DIFFERENCE_LIST, .listed_count = 1},
        {.index = 0, .kind = DIFFERENCE_PART, .listed_count = 1, .upper = {.modified = 1}}, /* it asked for no list */
    };
    world_line(world, 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wire_message question;
        struct puppet *puppet = answering_puppet(world, &question);
        assert_int_equal(question.as.compare.range_count, 5);
        answer(puppet, &wrong[i], 1, listed);
        assert_true(puppet_is_hung_up(puppet, 5));
        puppet_free(puppet);
        world_run(world, 5);
    }
}

/* Reads the last range of a question. */
static struct wire_range last_range(const struct wire_message *question)
{
    struct reader reader = peer__reader(question->as.compare.ranges);
    struct wire_range range = {0};
    while (peer__wire_next_range(&reader, &range))
        continue;
    return range;
}

static void expect_list(struct puppet *puppet, struct wire_message *question, struct wire_range *range)
{
    struct wire_difference unknown = {.kind = DIFFERENCE_UNKNOWN,
                                      .index = (uint16_t)(question->as.compare.range_count - 1)};
    answer(puppet, &unknown, 1, NULL);
    assert_true(puppet_expect(puppet, MESSAGE_COMPARE, question));
    *range = last_range(question);
    assert_int_equal(range->lists, 1);
}

SCENARIO(parts_that_do_not_fit_end_the_connection)
{
    struct wire_listed listed = {.version = 1};
    world_line(world, 1);
    for (int wrong = 0; wrong < 3; wrong++) {
        struct wire_message question;
        struct wire_range range;
        struct wire_difference part = {.kind = DIFFERENCE_PART, .listed_count = 1};
        struct puppet *puppet = answering_puppet(world, &question);
        expect_list(puppet, &question, &range);
        part.upper = wrong == 0 ? range.lower : range.upper;
        if (wrong == 2)
            part.kind = DIFFERENCE_UNKNOWN;
        answer(puppet, &part, 1, &listed);
        assert_true(puppet_is_hung_up(puppet, 5));
        puppet_free(puppet);
        world_run(world, 5);
    }
}

static void make_up(struct world *world, struct wire_listed *listed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        listed[i].version = 1 + (uint32_t)peer__sim_draw(world->sim, 3);
        for (size_t k = 0; k < sizeof(listed[i].record_id.bytes); k++)
            listed[i].record_id.bytes[k] = (uint8_t)peer__sim_draw(world->sim, 256);
    }
}

/* Records that nobody has are asked for once, and then it is over. */
SCENARIO(claims_of_records_that_do_not_exist)
{
    struct wire_listed listed[50] = {0};
    struct wire_message question;
    struct wire_range range;
    struct buffer out = {0};
    world_line(world, 1);
    peer_guid id = add_lasting(world, 0);
    struct puppet *puppet = answering_puppet(world, &question);
    expect_list(puppet, &question, &range);
    make_up(world, listed, 50);
    answer(puppet, &(struct wire_difference){.kind = DIFFERENCE_LIST, .listed_count = 50}, 1, listed);
    assert_true(puppet_expect(puppet, MESSAGE_REQUEST, &question));
    assert_int_equal(question.as.request.abstract_count, 50);
    peer__encode_sync_end(&out);
    puppet_send(puppet, &out);
    assert_true(puppet_expect(puppet, MESSAGE_FLOOD, &question)); /* which was not listed */
    world_run(world, 5);
    assert_false(puppet->closed);
    assert_int_equal(puppet_link(world)->sync.type, SYNC_NONE);
    assert_true(world_has(world, 0, &id));
    puppet_free(puppet);
}

/* A list that goes on for ever ends the connection when it is longer than any database; until then memory is bounded. */
LARGE_SCENARIO(a_list_without_end)
{
    enum { LISTED = 4600 };
    static struct wire_listed listed[LISTED];
    struct wire_message question;
    struct wire_range range;
    uint64_t rounds = 0;
    world_line(world, 1);
    struct puppet *puppet = answering_puppet(world, &question);
    expect_list(puppet, &question, &range);
    make_up(world, listed, LISTED);
    for (; !puppet->closed && rounds < 1000; rounds++) {
        struct wire_difference part = {.kind = DIFFERENCE_PART, .listed_count = LISTED, .upper = range.lower};
        struct buffer out = {0};
        part.upper.modified++;
        range.lower = part.upper;
        answer(puppet, &part, 1, listed);
        struct link *link = puppet_link(world);
        assert_in_range(link->asking->request.size, 0, (16384 + LISTED) * sizeof(struct wire_abstract));
        assert_in_range(link->asking->tasks.size, 0, 6 * sizeof(struct range_task));
        if (rounds % 4 == 3) {
            if (!puppet_expect(puppet, MESSAGE_REQUEST, &question))
                break;
            peer__encode_sync_end(&out);
            puppet_send(puppet, &out);
        }
        if (!puppet_expect(puppet, MESSAGE_COMPARE, &question))
            break;
        range = last_range(&question);
        puppet_forget_seen(puppet);
    }
    assert_true(puppet->closed);
    assert_in_range(rounds, 800, 900);
    puppet_free(puppet);
}

SCENARIO(a_question_that_is_not_answered_ends)
{
    struct wire_message question;
    world_line(world, 1);
    struct puppet *puppet = answering_puppet(world, &question);
    assert_false(puppet_is_hung_up(puppet, 55));
    assert_true(puppet_is_hung_up(puppet, 20));
    puppet_free(puppet);
}

/* A plain node is never asked in a way that it does not know. */
SCENARIO(a_plain_node_is_spoken_to_in_plain)
{
    struct wire_message message;
    struct buffer out = {0};
    world_line(world, 1);
    struct puppet *puppet = puppet_create(world, 77);
    puppet_listen(puppet);
    puppet_is_dialled(puppet, 0);
    puppet_welcome(puppet);
    for (int stage = 0; stage < 3; stage++) {
        assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_TIME, &message));
        peer__encode_sync_end(&out);
        puppet_send(puppet, &out);
    }
    assert_true(puppet_expect(puppet, MESSAGE_SOLICIT_HASH, &message));
    assert_int_equal(puppet_count(puppet, MESSAGE_COMPARE), 0);
    puppet_free(puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(only_who_announced_it_may_compare),
        SCENARIO_TEST(one_question_at_a_time),
        SCENARIO_TEST(an_answer_without_a_question),
        SCENARIO_TEST(a_long_list_comes_in_parts),
        SCENARIO_TEST(many_long_lists_at_once),
        SCENARIO_TEST(questions_without_end_keep_nobody_waiting),
        SCENARIO_TEST(answers_that_do_not_fit_end_the_connection),
        SCENARIO_TEST(parts_that_do_not_fit_end_the_connection),
        SCENARIO_TEST(claims_of_records_that_do_not_exist),
        SCENARIO_TEST(a_list_without_end),
        SCENARIO_TEST(a_question_that_is_not_answered_ends),
        SCENARIO_TEST(a_plain_node_is_spoken_to_in_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

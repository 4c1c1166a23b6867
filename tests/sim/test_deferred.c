/* The application as the judge of records: what waits, how much of it, and what waits for it (MS-PPGRH 3.1.4.10; spec 6.8,
 * graph-api.md 6.1; decisions.md 18). */
#include "judging.h"

#include <stdio.h>

#define MEBIBYTE ((size_t)1024 * 1024)

/* ----------------------------------------------------------------------------------------------------- what is asked */

/* Else whoever is faster than the judge could delete what it has not seen yet. */
SCENARIO(the_deletion_of_what_is_not_here_is_judged)
{
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", NULL);
    puppet_flood(puppet, &record.fields);
    uint64_t added = expect_question(world, 0, PEER_RECORD_ADDED);
    puppet_record_free(&record);

    struct puppet_record deletion;
    puppet_record_init(puppet, &deletion, "carol", "mallory");
    deletion.fields.id = record.fields.id;
    deletion.fields.version = 2;
    deletion.fields.flags = RECORD_FLAG_DELETED;
    deletion.fields.payload = (struct span){NULL, 0};
    puppet_flood(puppet, &deletion.fields);
    puppet_record_free(&deletion);
    uint64_t deleted = expect_question(world, 0, PEER_RECORD_DELETED);
    assert_int_equal(puppet_count(puppet, MESSAGE_ACK), 0);
    assert_status(judge(world, 0, added, PEER_OK), PEER_OK);
    assert_true(world_has(world, 0, &record.fields.id));
    assert_status(judge(world, 0, deleted, PEER_E_INVALID_RECORD), PEER_OK);
    assert_true(world_has(world, 0, &record.fields.id));
    puppet_free(puppet);
}

/* A second version while the first waits; an older one that is accepted late changes nothing. */
SCENARIO(versions_of_a_record_wait_side_by_side)
{
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", "amy");
    puppet_flood(puppet, &record.fields);
    puppet_flood(puppet, &record.fields); /* the same once more is not asked about */
    record.fields.version = 2;
    puppet_flood(puppet, &record.fields);
    uint64_t first = expect_question(world, 0, PEER_RECORD_ADDED);
    uint64_t second = expect_question(world, 0, PEER_RECORD_ADDED);
    assert_status(judge(world, 0, second, PEER_OK), PEER_OK);
    assert_status(judge(world, 0, first, PEER_OK), PEER_OK);
    assert_null(waiting(world, 0, first));
    assert_null(waiting(world, 0, second + 1));
    struct record *held = world_get(world, 0, &record.fields.id);
    assert_int_equal(held->fields.version, 2);
    peer__record_release(held);
    puppet_record_free(&record);
    puppet_free(puppet);
}

SCENARIO(what_has_expired_while_it_waited_is_not_taken)
{
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", NULL);
    puppet_flood(puppet, &record.fields);
    uint64_t id = expect_question(world, 0, PEER_RECORD_ADDED);
    world_run(world, HOUR_S + 1);
    assert_status(judge(world, 0, id, PEER_OK), PEER_OK);
    assert_int_equal(world_record_count(world, 0), 0);
    assert_null(waiting(world, 0, id));
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* Nobody has to answer or to come for that. */
SCENARIO(what_expires_while_it_waits_goes_by_itself)
{
    struct puppet_record record;
    struct puppet *puppet = puppet_create(world, 77);
    world->options = PEER_GRAPH_OPTION_JUDGE;
    world_line(world, 1);
    world_watch(world, 0);
    world_run(world, 25 * HOUR_S); /* by then the clock is beyond doubt */
    puppet_join(puppet, 0);
    puppet_record_init(puppet, &record, "carol", NULL);
    record.fields.expires = record.fields.created + 60 * TICKS_PER_SECOND;
    puppet_flood(puppet, &record.fields);
    uint64_t id = expect_question(world, 0, PEER_RECORD_ADDED);
    struct record *waits = waiting(world, 0, id);
    assert_non_null(waits);
    peer__record_release(waits);
    world_run(world, 60 + 16);
    assert_null(waiting(world, 0, id));
    puppet_record_free(&record);
    puppet_free(puppet);
}

/* -------------------------------------------------------------------------------------------------------- how much */

static size_t bytes_waiting(struct world *world, size_t node, uint64_t through)
{
    size_t bytes = 0;
    for (uint64_t id = 1; id <= through; id++) {
        struct record *record = waiting(world, node, id);
        bytes += record != NULL ? record->wire_size : 0;
        peer__record_release(record);
    }
    return bytes;
}

/* Each connection may bring one record however large it is, but not each of any number of connections. */
LARGE_SCENARIO(who_comes_again_and_again_does_not_fill_the_memory)
{
    static uint8_t large[4 * 1024 * 1024 - 1024];
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    for (size_t round = 0; round < 24; round++) {
        puppet_record_init(puppet, &record, "mallory", NULL);
        record.fields.payload = (struct span){large, sizeof(large)};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
        world_run(world, 5);
        puppet_hang_up(puppet);
        world_run(world, 5);
        puppet_join(puppet, 0);
    }
    assert_in_range(bytes_waiting(world, 0, 24), 24 * MEBIBYTE, 36 * MEBIBYTE);
    puppet_free(puppet);
}

/* Nor does what it has left behind keep out what others bring. */
LARGE_SCENARIO(what_the_gone_have_left_makes_way)
{
    static uint8_t large[4 * 1024 * 1024 - 1024];
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    for (size_t round = 0; round < 10; round++) {
        puppet_record_init(puppet, &record, "mallory", NULL);
        record.fields.payload = (struct span){large, sizeof(large)};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
        judge(world, 0, expect_question(world, 0, PEER_RECORD_ADDED), PEER_E_DEFERRED_VALIDATION);
        puppet_hang_up(puppet);
        world_run(world, 5);
        puppet_join(puppet, 0);
    }
    for (size_t i = 0; i < 100; i++) {
        puppet_record_init(puppet, &record, "carol", NULL);
        record.fields.payload = (struct span){large, 30000};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
        uint64_t id = expect_question(world, 0, PEER_RECORD_ADDED);
        if (i % 2 == 0)
            assert_status(judge(world, 0, id, PEER_OK), PEER_OK);
    }
    assert_int_equal(world_record_count(world, 0), 50);
    puppet_free(puppet);
}

/* Nine connections that bring 4 MiB each, one after the other, and end: the last of them finds no room. */
static void fill_with_what_the_gone_have_left(struct world *world, size_t node)
{
    static uint8_t large[4 * 1024 * 1024 - 1024];
    struct puppet_record record;
    struct puppet *puppet = puppet_create(world, 77);
    for (size_t round = 0; round < 9; round++) {
        puppet_join(puppet, node);
        puppet_record_init(puppet, &record, "mallory", NULL);
        record.fields.payload = (struct span){large, sizeof(large)};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
        judge(world, node, expect_question(world, node, PEER_RECORD_ADDED), PEER_E_DEFERRED_VALIDATION);
        puppet_hang_up(puppet);
        world_run(world, 5);
    }
    puppet_free(puppet);
}

static size_t host_of_judge(struct world *world, size_t to)
{
    world->options = PEER_GRAPH_OPTION_JUDGE;
    size_t node = world_host(world);
    assert_true(world_open(world, node) >= 0);
    world_watch(world, node);
    world_connect(world, node, to);
    return node;
}

/* What made way is asked for again, of all neighbours: the first one may not have it. */
LARGE_SCENARIO(what_made_way_comes_again)
{
    int found = 0;
    world_line(world, 2);
    peer_guid id = world_add(world, 0, "written before");
    world_run(world, 5);
    size_t node = host_of_judge(world, 0);
    uint64_t question = expect_question(world, node, PEER_RECORD_ADDED);
    assert_status(judge(world, node, question, PEER_E_DEFERRED_VALIDATION), PEER_OK);
    world_run(world, 10);
    world_listen(world, node);
    size_t first = host_of_judge(world, node); /* has nothing */
    world_run(world, 10);
    world_connect(world, node, 1); /* brings it, too */
    world_run(world, 10);
    peer__sim_reset(world->nodes[0].host, world->nodes[node].host);
    world_run(world, 10);
    fill_with_what_the_gone_have_left(world, node);
    assert_null(waiting(world, node, question));
    while (!found) {
        question = expect_question(world, node, PEER_RECORD_ADDED);
        struct record *record = waiting(world, node, question);
        found = peer__guid_equal(&record->fields.id, &id);
        peer__record_release(record);
    }
    assert_status(judge(world, node, question, PEER_OK), PEER_OK);
    assert_status(judge(world, first, expect_question(world, first, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
}

/* ------------------------------------------------------------------------------------------------- synchronization */

/* The connection over which they came has gone; who brings them again is asked to wait all the same. */
SCENARIO(what_waits_since_an_earlier_connection_is_waited_for)
{
    world_line(world, 1);
    for (size_t i = 0; i < 5; i++)
        world_add(world, 0, "written before");
    a_judge_connects(world);
    uint64_t first = expect_question(world, 1, PEER_RECORD_ADDED);
    world_run(world, 2);
    peer__sim_reset(world->nodes[0].host, world->nodes[1].host);
    world_run(world, 2);
    world_connect(world, 1, 0);
    world_run(world, 10);
    assert_false(is_synchronized(world, 1));
    for (uint64_t id = first; id < first + 5; id++)
        assert_status(judge(world, 1, id, PEER_OK), PEER_OK);
    world_run(world, 1);
    assert_true(is_synchronized(world, 1));
    assert_int_equal(world_record_count(world, 1), 5);
}

/* A synchronization is over when what it brought is answered, though there is always something that is not. */
SCENARIO(what_comes_later_does_not_hold_up_a_synchronization)
{
    uint64_t answered = 0;
    uint64_t asked = 0;
    peer_event_view view;
    world_line(world, 1);
    for (size_t i = 0; i < 5; i++)
        world_add(world, 0, "written before");
    a_judge_connects(world);
    for (size_t second = 0; second < 25; second++) {
        world_add(world, 0, "written meanwhile");
        world_run(world, 1);
        while (world_next_event(world, 1, &view))
            asked = view.type == PEER_EVENT_VALIDATION ? view.validation_id : asked;
        while (answered + 2 < asked)
            assert_status(judge(world, 1, ++answered, PEER_OK), PEER_OK);
    }
    assert_true(asked > answered);
    assert_true(is_synchronized(world, 1));
    while (answered < asked)
        assert_status(judge(world, 1, ++answered, PEER_OK), PEER_OK);
}

static peer_status open_with_precedence(struct world *world, size_t node)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer_status status = peer__graph_open(driver->engine, SCENARIO_GRAPH, world->nodes[node].peer_id, "default",
                                          PEER_GRAPH_OPTION_MANUAL | PEER_GRAPH_OPTION_JUDGE, 1, &scenario_task,
                                          &world->nodes[node].graph);
    driver->unlock(driver);
    return status;
}

/* decisions.md 17: SYNCHRONIZED never overtakes the changes that it speaks of. */
SCENARIO(a_type_is_synchronized_when_it_is_judged)
{
    peer_event_view view;
    peer_guid id;
    world_line(world, 1);
    assert_status(world_add_bytes(world, 0, &scenario_task, "task", 4, HOUR_S, &id), PEER_OK);
    world_add(world, 0, "note");
    size_t node = world_host(world);
    assert_true(open_with_precedence(world, node) >= 0);
    world_watch(world, node);
    world_connect(world, node, 0);
    uint64_t task = expect_question(world, node, PEER_RECORD_ADDED);
    world_run(world, 5);
    while (world_next_event(world, node, &view))
        assert_int_not_equal(view.type, PEER_GRAPH_EVENT_SYNCHRONIZED);
    assert_status(judge(world, node, task, PEER_OK), PEER_OK);
    assert_true(world_next_event(world, node, &view));
    assert_int_equal(view.type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_true(world_next_event(world, node, &view));
    assert_int_equal(view.type, PEER_GRAPH_EVENT_SYNCHRONIZED);
    assert_status(judge(world, node, expect_question(world, node, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
    world_run(world, 1);
    assert_true(is_synchronized(world, node));
}

/* A judge that never answers holds up the whole of a synchronization for half a minute, not each part of it. */
SCENARIO(patience_ends_once)
{
    peer_guid id;
    world_line(world, 1);
    assert_status(world_add_bytes(world, 0, &scenario_task, "task", 4, HOUR_S, &id), PEER_OK);
    world_add(world, 0, "note");
    size_t node = world_host(world);
    assert_true(open_with_precedence(world, node) >= 0);
    world_watch(world, node);
    world_connect(world, node, 0);
    world_run(world, 45);
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    peer_status ready = peer__graph_require_ready(world->nodes[node].graph);
    driver->unlock(driver);
    assert_status(ready, PEER_OK);
    assert_false(is_synchronized(world, node));
    for (uint64_t number = 1; number <= 2; number++)
        assert_status(judge(world, node, number, PEER_OK), PEER_OK);
}

/* ---------------------------------------------------------------------------------------------------- deleting here */

SCENARIO(deleting_here_works_on_a_full_disk)
{
    peer_guid id;
    struct puppet_record record;
    struct puppet *puppet = a_judge_and_a_puppet(world);
    puppet_record_init(puppet, &record, "carol", NULL);
    id = record.fields.id;
    puppet_flood(puppet, &record.fields);
    puppet_record_free(&record);
    assert_status(judge(world, 0, expect_question(world, 0, PEER_RECORD_ADDED), PEER_OK), PEER_OK);
    peer__sim_host_set_disk_full(world->nodes[0].host, 1);
    peer_status status = peer__graph_delete_here(locked(world, 0), &id);
    unlock(world, 0);
    assert_status(status, PEER_OK);
    assert_false(world_has(world, 0, &id));
    peer__sim_host_set_disk_full(world->nodes[0].host, 0);
    puppet_free(puppet);
}

/* --------------------------------------------------------------------------------------------------------- for long */

/* An application that answers when it likes, alike on all nodes: what begins with "good" is accepted in the end. */
struct questions {
    uint64_t ids[4096];
    size_t count;
};

static void collect(struct world *world, size_t node, struct questions *questions)
{
    peer_event_view view;
    int lost = 0;
    while (world->nodes[node].events != NULL && world_next_event(world, node, &view)) {
        if (view.type == PEER_EVENT_VALIDATION && questions->count < 4096)
            questions->ids[questions->count++] = view.validation_id;
        lost |= view.type == PEER_EVENT_OVERFLOW && view.status == PEER_EVENT_VALIDATION;
    }
    if (lost) {
        questions->count = 0;
        ask_again(world, node);
    }
}

static void answer(struct world *world, size_t node, uint64_t id, int may_defer)
{
    struct record *record = waiting(world, node, id);
    if (record == NULL)
        return; /* asked twice, and answered */
    int is_good = record->fields.payload.size >= 4 && memcmp(record->fields.payload.data, "good", 4) == 0;
    peer__record_release(record);
    peer_status verdict = is_good ? PEER_OK : PEER_E_INVALID_RECORD;
    if (may_defer && peer__sim_draw(world->sim, 4) == 0)
        verdict = PEER_E_DEFERRED_VALIDATION;
    peer_status status = judge(world, node, id, verdict);
    assert_true(status == PEER_OK || status == E_OUTOFMEMORY);
}

/* Some of the questions, in any order. */
static void answer_some(struct world *world, size_t node, struct questions *questions)
{
    collect(world, node, questions);
    for (size_t left = questions->count; left > 0; left--) {
        size_t at = (size_t)peer__sim_draw(world->sim, questions->count);
        if (peer__sim_draw(world->sim, 3) == 0)
            continue;
        answer(world, node, questions->ids[at], 1);
        questions->ids[at] = questions->ids[--questions->count];
    }
}

static void answer_all(struct world *world, struct questions *questions)
{
    for (size_t node = 0; node < world->count; node++) {
        if (world->nodes[node].events == NULL)
            continue;
        ask_again(world, node);
        collect(world, node, &questions[node]);
        for (size_t i = 0; i < questions[node].count; i++)
            answer(world, node, questions[node].ids[i], 0);
        questions[node].count = 0;
    }
}

static void mallory_floods(struct puppet *puppet, size_t count)
{
    static uint8_t bad[20000] = "bad";
    struct puppet_record record;
    for (size_t i = 0; i < count && puppet->connection != NULL; i++) {
        puppet_record_init(puppet, &record, "mallory", NULL);
        record.fields.payload = (struct span){bad, 3 + (size_t)peer__sim_draw(puppet->world->sim, sizeof(bad) - 3)};
        puppet_flood(puppet, &record.fields);
        puppet_record_free(&record);
    }
}

static void crash_and_come_back(struct world *world, size_t node, struct questions *questions)
{
    peer__event_queue_release(world->nodes[node].events);
    world->nodes[node].events = NULL;
    questions[node].count = 0;
    world_crash(world, node, SIM_CRASH_PROCESS);
    world_run(world, 1 + (int64_t)peer__sim_draw(world->sim, 60));
    world_restart(world, node);
    world_watch(world, node);
    world_listen(world, node);
    if (node > 0)
        (void)world_try_connect(world, node, node - 1);
    if (node + 1 < world->count)
        (void)world_try_connect(world, node + 1, node);
}

static void come_again(struct puppet *puppet)
{
    if (puppet->connection != NULL)
        return;
    puppet_dial(puppet, 1);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
}

/* What is there at the end is what was good, on every node. */
static void assert_the_good_are_everywhere(struct world *world, size_t good)
{
    world_settle(world, 60);
    for (size_t node = 0; node < world->count; node++) {
        assert_int_equal(world_record_count(world, node), good);
        assert_true(is_synchronized(world, node));
    }
}

static size_t a_day_in_court(struct world *world, struct questions *questions, struct puppet *puppet, uint32_t chance)
{
    size_t good = 0;
    for (size_t round = 0; round < 40; round++) {
        char text[32];
        size_t node = (size_t)peer__sim_draw(world->sim, world->count);
        for (size_t i = 0; i < world->count; i++)
            peer__sim_host_set_memory_short(world->nodes[i].host, i % 2 == round % 2 ? chance : 0);
        snprintf(text, sizeof(text), "good %zu", good);
        world_add(world, node, text);
        good++;
        come_again(puppet);
        mallory_floods(puppet, (size_t)peer__sim_draw(world->sim, 60));
        if (peer__sim_draw(world->sim, 5) == 0)
            puppet_hang_up(puppet);
        for (size_t second = (size_t)peer__sim_draw(world->sim, 20); second > 0; second--) {
            for (size_t i = 0; i < world->count; i++)
                answer_some(world, i, &questions[i]);
            world_run(world, 1);
        }
        if (chance == 0 && peer__sim_draw(world->sim, 12) == 0)
            crash_and_come_back(world, (size_t)peer__sim_draw(world->sim, world->count), questions);
    }
    puppet_hang_up(puppet);
    return good;
}

static void a_graph_under_judgement(struct world *world, uint32_t chance)
{
    world->options = PEER_GRAPH_OPTION_JUDGE;
    world_line(world, 3);
    struct questions *questions = peer__calloc(world->count, sizeof(*questions));
    assert_non_null(questions);
    for (size_t i = 0; i < world->count; i++)
        world_watch(world, i);
    struct puppet *puppet = puppet_create(world, 77);
    size_t good = a_day_in_court(world, questions, puppet, chance);
    for (size_t i = 0; i < world->count; i++)
        peer__sim_host_set_memory_short(world->nodes[i].host, 0);
    for (size_t second = 0; second < 600; second++) {
        if (second % 60 == 0) { /* connections for which there was no memory have ended */
            (void)world_try_connect(world, 1, 0);
            (void)world_try_connect(world, 2, 1);
        }
        answer_all(world, questions);
        world_run(world, 1);
    }
    answer_all(world, questions);
    assert_the_good_are_everywhere(world, good);
    peer__free(questions);
    puppet_free(puppet);
}

SCENARIO(the_good_come_through)
{
    a_graph_under_judgement(world, 0);
}

SCENARIO(the_good_come_through_in_want_of_memory)
{
    a_graph_under_judgement(world, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(the_deletion_of_what_is_not_here_is_judged),
        SCENARIO_TEST(versions_of_a_record_wait_side_by_side),
        SCENARIO_TEST(what_has_expired_while_it_waited_is_not_taken),
        SCENARIO_TEST(what_expires_while_it_waits_goes_by_itself),
        SCENARIO_TEST(who_comes_again_and_again_does_not_fill_the_memory),
        SCENARIO_TEST(what_the_gone_have_left_makes_way),
        SCENARIO_TEST(what_made_way_comes_again),
        SCENARIO_TEST(what_waits_since_an_earlier_connection_is_waited_for),
        SCENARIO_TEST(what_comes_later_does_not_hold_up_a_synchronization),
        SCENARIO_TEST(a_type_is_synchronized_when_it_is_judged),
        SCENARIO_TEST(patience_ends_once),
        SCENARIO_TEST(deleting_here_works_on_a_full_disk),
        SCENARIO_TEST(the_good_come_through),
        SCENARIO_TEST(the_good_come_through_in_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

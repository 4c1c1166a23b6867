/* Batches as the header promises them: nothing before commit, all or nothing, no lock between calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "peergraph/peergraph.h"
#include "unit/directory.h"

#define OK(call) assert_int_equal(call, PEER_OK)
#define FAILS(status, call) assert_int_equal(call, status)
#define BATCH_MAX 1024u
#ifdef __SANITIZE_THREAD__
#define MANY 10000u /* the threads meet as often as they will */
#else
#define MANY 100000u
#endif

static const peer_guid note_type = {{0x11, 0x22}};
static const peer_guid other_type = {{0x33}};

struct world {
    peer_runtime *runtime;
    peer_graph *graph;
    peer_event_queue *queue; /* changes of records */
    peer_guid old;           /* a record that is there */
};

static int64_t now_us(struct world *world)
{
    struct timespec now;
    int64_t time_us;
    clock_gettime(CLOCK_REALTIME, &now);
    OK(peer_graph_universal_time_to_peer_time(world->graph, now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000,
                                              &time_us));
    return time_us;
}

static peer_record_input note(struct world *world, const char *text)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    record.type = note_type;
    record.expires_us = now_us(world) + 3600 * INT64_C(1000000);
    record.data = text;
    record.size = strlen(text);
    return record;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_event_registration wanted = {PEER_GRAPH_EVENT_RECORD_CHANGED, 0, NULL};
    options.data_directory = directory;
    properties.graph_id = "film club";
    properties.creator_id = "alice";
    OK(peer_startup(PEER_GRAPH_VERSION, &options, NULL, &world->runtime));
    OK(peer_graph_create(world->runtime, &properties, NULL, NULL, &world->graph));
    peer_record_input record = note(world, "old");
    OK(peer_graph_add_record(world->graph, &record, &world->old));
    OK(peer_graph_register_event(world->graph, 1, &wanted, &world->queue));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    OK(peer_unregister_event(world->queue));
    OK(peer_graph_close(world->graph));
    OK(peer_graph_delete(world->runtime, "film club", "alice", NULL));
    OK(peer_shutdown(world->runtime));
    free(world);
    return 0;
}

static peer_batch *begin(struct world *world)
{
    peer_batch *batch;
    OK(peer_graph_begin_batch(world->graph, &batch));
    return batch;
}

static peer_guid add(struct world *world, peer_batch *batch, const char *text)
{
    peer_record_input record = note(world, text);
    peer_guid id;
    OK(peer_batch_add_record(batch, &record, &id));
    return id;
}

static void update(struct world *world, peer_batch *batch, peer_guid id, const char *text)
{
    peer_record_input record = note(world, text);
    record.id = id;
    record.expires_us = 0; /* stays, whatever it is at commit */
    OK(peer_batch_update_record(batch, &record));
}

static void assert_told(struct world *world, int32_t change, peer_guid id)
{
    peer_event *event;
    peer_event_view view;
    OK(peer_get_event_data(world->queue, &event));
    OK(peer_event_get_view(event, sizeof(view), &view));
    assert_int_equal(view.type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(view.change, change);
    assert_memory_equal(&view.record_id, &id, sizeof(id));
    peer_free_data(event);
}

static void assert_nothing_told(struct world *world)
{
    peer_event *event;
    FAILS(PEER_S_NO_EVENT_DATA, peer_get_event_data(world->queue, &event));
}

/* Version 0: it is not there. */
static void assert_held(struct world *world, peer_guid id, uint32_t version, const char *text)
{
    peer_record *record;
    peer_record_view view;
    if (version == 0) {
        FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_get_record(world->graph, &id, &record));
        return;
    }
    OK(peer_graph_get_record(world->graph, &id, &record));
    OK(peer_record_get_view(record, sizeof(view), &view));
    assert_int_equal(view.version, version);
    assert_int_equal(view.size, strlen(text));
    assert_memory_equal(view.data, text, view.size);
    peer_free_data(record);
}

static uint32_t count_records(struct world *world)
{
    peer_enum *records;
    uint32_t count;
    OK(peer_graph_enum_records(world->graph, NULL, NULL, &records));
    OK(peer_get_item_count(records, &count));
    OK(peer_end_enumeration(records));
    return count;
}

static void nothing_is_visible_or_told_before_commit(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    peer_guid first = add(world, batch, "first");
    peer_guid second = add(world, batch, "second");
    update(world, batch, first, "first, changed");
    update(world, batch, world->old, "no longer old");
    OK(peer_batch_delete_record(batch, &second));
    assert_held(world, first, 0, NULL);
    assert_held(world, second, 0, NULL);
    assert_held(world, world->old, 1, "old");
    assert_int_equal(count_records(world), 1);
    assert_nothing_told(world);

    OK(peer_batch_commit(batch));
    assert_held(world, first, 2, "first, changed");
    assert_held(world, second, 0, NULL);
    assert_held(world, world->old, 2, "no longer old");
    assert_int_equal(count_records(world), 2);
    assert_told(world, PEER_RECORD_ADDED, first); /* in the order of the batch */
    assert_told(world, PEER_RECORD_ADDED, second);
    assert_told(world, PEER_RECORD_UPDATED, first);
    assert_told(world, PEER_RECORD_UPDATED, world->old);
    assert_told(world, PEER_RECORD_DELETED, second);
    assert_nothing_told(world);
}

static void an_abort_leaves_no_trace(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    peer_guid id = add(world, batch, "never");
    OK(peer_batch_delete_record(batch, &world->old));
    OK(peer_batch_abort(batch));
    FAILS(E_INVALIDARG, peer_batch_commit(batch));
    assert_held(world, id, 0, NULL);
    assert_held(world, world->old, 1, "old");
    assert_nothing_told(world);
}

static void an_empty_batch_changes_nothing(void **state)
{
    struct world *world = *state;
    OK(peer_batch_commit(begin(world)));
    assert_int_equal(count_records(world), 1);
    assert_nothing_told(world);
}

/* Wherever in it the change stands that fails. */
static void one_change_that_fails_undoes_all(void **state)
{
    struct world *world = *state;
    const peer_guid unknown = {{9}};
    for (int place = 0; place < 4; place++) {
        peer_batch *batch = begin(world);
        for (int i = 0; i < 4; i++) {
            if (i == place)
                OK(peer_batch_delete_record(batch, &unknown));
            else if (i % 2 == 0)
                add(world, batch, "never");
            else
                update(world, batch, world->old, "never");
        }
        FAILS(PEER_E_RECORD_NOT_FOUND, peer_batch_commit(batch));
        FAILS(E_INVALIDARG, peer_batch_commit(batch)); /* it has ended all the same */
        assert_held(world, world->old, 1, "old");
        assert_int_equal(count_records(world), 1);
        assert_nothing_told(world);
    }
}

static void what_a_batch_deleted_it_cannot_change(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    OK(peer_batch_delete_record(batch, &world->old));
    update(world, batch, world->old, "too late");
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_batch_commit(batch));
    assert_held(world, world->old, 1, "old");
    batch = begin(world);
    peer_record_input other = note(world, "another type");
    other.id = world->old;
    other.type = other_type;
    OK(peer_batch_update_record(batch, &other));
    FAILS(PEER_E_INVALID_RECORD, peer_batch_commit(batch));
    assert_held(world, world->old, 1, "old");
}

/* What others did since then counts: an update is the next version of what is there at commit. */
static void changes_from_outside_come_first(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    update(world, batch, world->old, "from the batch");
    peer_record_input outside = note(world, "from outside");
    outside.id = world->old;
    OK(peer_graph_update_record(world->graph, &outside));
    OK(peer_batch_commit(batch));
    assert_held(world, world->old, 3, "from the batch");

    batch = begin(world);
    peer_guid id = add(world, batch, "never");
    update(world, batch, world->old, "from the batch");
    OK(peer_graph_delete_record(world->graph, &world->old, 0));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_batch_commit(batch));
    assert_held(world, id, 0, NULL);

    peer_batch *one = begin(world);
    peer_batch *two = begin(world); /* the second of two sees what the first has done */
    id = add(world, one, "of the first");
    update(world, two, id, "of the second");
    OK(peer_batch_commit(one));
    OK(peer_batch_commit(two));
    assert_held(world, id, 2, "of the second");
}

static void a_batch_that_took_too_long_finds_its_record_expired(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    peer_record_input record = note(world, "short");
    peer_guid id;
    peer_guid never = add(world, batch, "never");
    int64_t lifetime_us = 20000;
    peer_status status;
    do { /* on a busy machine it may be over before it is added */
        record.expires_us = now_us(world) + lifetime_us;
        lifetime_us *= 2;
        status = peer_batch_add_record(batch, &record, &id);
    } while (status == PEER_E_INVALID_RECORD_EXPIRATION);
    OK(status);
    while (now_us(world) <= record.expires_us)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    FAILS(PEER_E_INVALID_RECORD_EXPIRATION, peer_batch_commit(batch));
    assert_held(world, never, 0, NULL);
}

struct other_thread {
    struct world *world;
    peer_batch *batch;
    peer_guid id;
    peer_status status;
};

static void *use_graph_and_batch(void *context)
{
    struct other_thread *other = context;
    peer_record_input record = note(other->world, "of the other thread");
    other->status = peer_graph_add_record(other->world->graph, &record, &other->id);
    if (other->status >= 0)
        other->status = peer_batch_add_record(other->batch, &record, &other->id);
    return NULL;
}

static void no_lock_is_held_between_calls(void **state)
{
    struct world *world = *state;
    peer_batch *batch = begin(world);
    struct other_thread other = {.world = world, .batch = batch};
    pthread_t thread;
    add(world, batch, "of this thread");
    assert_int_equal(pthread_create(&thread, NULL, use_graph_and_batch, &other), 0);
    pthread_join(thread, NULL);
    OK(other.status);
    assert_int_equal(count_records(world), 2);
    OK(peer_batch_commit(batch));
    assert_int_equal(count_records(world), 4);
}

/* A commit is one turn of the engine, so it has a limit; more of them follow each other. */
static void many_records_go_in_batches_of_1024(void **state)
{
    struct world *world = *state;
    uint32_t left = MANY;
    OK(peer_unregister_event(world->queue));
    while (left > 0) {
        peer_batch *batch = begin(world);
        uint32_t count = left < BATCH_MAX ? left : BATCH_MAX;
        peer_record_input record = note(world, "one of many");
        peer_guid id;
        for (uint32_t i = 0; i < count; i++)
            OK(peer_batch_add_record(batch, &record, &id));
        if (count == BATCH_MAX)
            FAILS(E_INVALIDARG, peer_batch_add_record(batch, &record, &id));
        OK(peer_batch_commit(batch)); /* with what it holds */
        left -= count;
    }
    assert_int_equal(count_records(world), MANY + 1);
    OK(peer_graph_register_event(world->graph, 0, NULL, &world->queue));
}

static peer_status whole_batch(struct world *world, peer_guid *id)
{
    peer_batch *batch;
    peer_record_input record = note(world, "with memory");
    peer_status status = peer_graph_begin_batch(world->graph, &batch);
    if (status < 0)
        return status;
    for (int i = 0; i < 20 && status >= 0; i++) /* more than the room of a new batch */
        status = peer_batch_add_record(batch, &record, id);
    record.id = *id;
    if (status >= 0)
        status = peer_batch_update_record(batch, &record);
    if (status >= 0)
        status = peer_batch_delete_record(batch, &world->old);
    if (status >= 0)
        return peer_batch_commit(batch);
    OK(peer_batch_abort(batch));
    return status;
}

static void without_memory_nothing_is_done(void **state)
{
    struct world *world = *state;
    uint32_t failures = 0;
    peer_guid id;
    for (int64_t granted = 0;; granted++) {
        int64_t live = peer__memory_live();
        (void)now_us(world);
        peer__memory_fail_after(granted);
        peer_status status = whole_batch(world, &id);
        peer__memory_fail_after(-1);
        if (status == PEER_OK)
            break;
        assert_int_equal(status, E_OUTOFMEMORY);
        assert_true(peer__memory_live() <= live + 8); /* scratch memory may stay; no record of the batch does */
        assert_int_equal(count_records(world), 1);
        assert_nothing_told(world);
        failures++;
    }
    assert_true(failures > 50);
    assert_held(world, id, 2, "with memory");
    assert_held(world, world->old, 0, NULL);
    assert_int_equal(count_records(world), 20);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_visible_or_told_before_commit),
        TEST(an_abort_leaves_no_trace),
        TEST(an_empty_batch_changes_nothing),
        TEST(one_change_that_fails_undoes_all),
        TEST(what_a_batch_deleted_it_cannot_change),
        TEST(changes_from_outside_come_first),
        TEST(a_batch_that_took_too_long_finds_its_record_expired),
        TEST(no_lock_is_held_between_calls),
        TEST(many_records_go_in_batches_of_1024),
        TEST(without_memory_nothing_is_done),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

/* Dead, invented and wrong handles in every function that takes one: the documented error, from any thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peergraph/peergraph.h"
#include "unit/directory.h"

static const peer_guid some_guid = {{1, 2, 3}};

static const int64_t far_us = INT64_C(4102444800000000); /* the year 2100 */

static peer_record_input note(void)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    record.type = some_guid;
    record.expires_us = far_us;
    record.data = "note";
    record.size = 4;
    return record;
}

/* --- every function with a handle, everything else being right ------------------------------------------------------- */

#define FUNCTION(name, type) static peer_status call_##name(type *handle)

FUNCTION(peer_graph_create, peer_runtime)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;
    properties.graph_id = properties.creator_id = "bad";
    return peer_graph_create(handle, &properties, NULL, NULL, &graph);
}

FUNCTION(peer_graph_open, peer_runtime)
{
    peer_graph *graph;
    return peer_graph_open(handle, "bad", "bad", NULL, NULL, 0, NULL, &graph);
}

FUNCTION(peer_graph_delete, peer_runtime)
{
    return peer_graph_delete(handle, "bad", "bad", NULL);
}

FUNCTION(peer_graph_listen, peer_graph)
{
    return peer_graph_listen(handle, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0);
}

FUNCTION(peer_graph_connect, peer_graph)
{
    return peer_graph_connect(handle, NULL, "127.0.0.1:9", NULL);
}

FUNCTION(peer_graph_get_status, peer_graph)
{
    uint32_t status;
    return peer_graph_get_status(handle, &status);
}

FUNCTION(peer_graph_get_properties, peer_graph)
{
    peer_graph_properties *properties;
    return peer_graph_get_properties(handle, &properties);
}

FUNCTION(peer_graph_get_node_info, peer_graph)
{
    peer_node_info *info;
    return peer_graph_get_node_info(handle, 0, &info);
}

FUNCTION(peer_graph_peer_time_to_universal_time, peer_graph)
{
    int64_t time_us = 0;
    return peer_graph_peer_time_to_universal_time(handle, time_us, &time_us);
}

FUNCTION(peer_graph_universal_time_to_peer_time, peer_graph)
{
    int64_t time_us = 0;
    return peer_graph_universal_time_to_peer_time(handle, time_us, &time_us);
}

FUNCTION(peer_graph_add_record, peer_graph)
{
    peer_record_input record = note();
    peer_guid id;
    return peer_graph_add_record(handle, &record, &id);
}

FUNCTION(peer_graph_update_record, peer_graph)
{
    peer_record_input record = note();
    return peer_graph_update_record(handle, &record);
}

FUNCTION(peer_graph_delete_record, peer_graph)
{
    return peer_graph_delete_record(handle, &some_guid, 0);
}

FUNCTION(peer_graph_get_record, peer_graph)
{
    peer_record *record;
    return peer_graph_get_record(handle, &some_guid, &record);
}

FUNCTION(peer_graph_enum_records, peer_graph)
{
    peer_enum *enumeration;
    return peer_graph_enum_records(handle, NULL, NULL, &enumeration);
}

FUNCTION(peer_graph_begin_batch, peer_graph)
{
    peer_batch *batch;
    return peer_graph_begin_batch(handle, &batch);
}

FUNCTION(peer_graph_register_event, peer_graph)
{
    peer_event_queue *queue;
    return peer_graph_register_event(handle, 0, NULL, &queue);
}

FUNCTION(peer_batch_add_record, peer_batch)
{
    peer_record_input record = note();
    peer_guid id;
    return peer_batch_add_record(handle, &record, &id);
}

FUNCTION(peer_batch_update_record, peer_batch)
{
    peer_record_input record = note();
    return peer_batch_update_record(handle, &record);
}

FUNCTION(peer_batch_delete_record, peer_batch)
{
    return peer_batch_delete_record(handle, &some_guid);
}

FUNCTION(peer_get_item_count, peer_enum)
{
    uint32_t count;
    return peer_get_item_count(handle, &count);
}

FUNCTION(peer_get_next_item, peer_enum)
{
    uint32_t count;
    const void *const *items;
    return peer_get_next_item(handle, 10, &count, &items);
}

FUNCTION(peer_get_item_views, peer_enum)
{
    uint32_t count;
    const void *views;
    return peer_get_item_views(handle, 10, sizeof(peer_record_view), &count, &views);
}

FUNCTION(peer_event_queue_get_descriptor, peer_event_queue)
{
    int64_t descriptor;
    return peer_event_queue_get_descriptor(handle, &descriptor);
}

FUNCTION(peer_event_queue_wait, peer_event_queue)
{
    return peer_event_queue_wait(handle, -1);
}

FUNCTION(peer_get_event_data, peer_event_queue)
{
    peer_event *event;
    return peer_get_event_data(handle, &event);
}

FUNCTION(peer_get_event_batch, peer_event_queue)
{
    uint32_t count;
    const peer_event_view *views;
    return peer_get_event_batch(handle, 10, sizeof(peer_event_view), &count, &views);
}

enum kind { RUNTIME, GRAPH, QUEUE, ENUM, BATCH, KINDS };

static const struct {
    const char *name;
    enum kind kind;
    peer_status (*call)(void *handle);
} functions[] = {
#define ROW(kind, name) {#name, kind, (peer_status (*)(void *))call_##name}
#define END(kind, name) {#name, kind, (peer_status (*)(void *))name}
    ROW(RUNTIME, peer_graph_create),
    ROW(RUNTIME, peer_graph_open),
    ROW(RUNTIME, peer_graph_delete),
    ROW(GRAPH, peer_graph_listen),
    ROW(GRAPH, peer_graph_connect),
    ROW(GRAPH, peer_graph_get_status),
    ROW(GRAPH, peer_graph_get_properties),
    ROW(GRAPH, peer_graph_get_node_info),
    ROW(GRAPH, peer_graph_peer_time_to_universal_time),
    ROW(GRAPH, peer_graph_universal_time_to_peer_time),
    ROW(GRAPH, peer_graph_add_record),
    ROW(GRAPH, peer_graph_update_record),
    ROW(GRAPH, peer_graph_delete_record),
    ROW(GRAPH, peer_graph_get_record),
    ROW(GRAPH, peer_graph_enum_records),
    ROW(GRAPH, peer_graph_begin_batch),
    ROW(GRAPH, peer_graph_register_event),
    ROW(BATCH, peer_batch_add_record),
    ROW(BATCH, peer_batch_update_record),
    ROW(BATCH, peer_batch_delete_record),
    ROW(ENUM, peer_get_item_count),
    ROW(ENUM, peer_get_next_item),
    ROW(ENUM, peer_get_item_views),
    ROW(QUEUE, peer_event_queue_get_descriptor),
    ROW(QUEUE, peer_event_queue_wait),
    ROW(QUEUE, peer_get_event_data),
    ROW(QUEUE, peer_get_event_batch),
    END(RUNTIME, peer_shutdown),
    END(GRAPH, peer_graph_close),
    END(BATCH, peer_batch_commit),
    END(BATCH, peer_batch_abort),
    END(ENUM, peer_end_enumeration),
    END(QUEUE, peer_unregister_event),
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static peer_status error_of(enum kind kind)
{
    return kind == RUNTIME ? PEER_E_NOT_INITIALIZED : kind == GRAPH ? PEER_E_INVALID_GRAPH : E_INVALIDARG;
}

/* --- a world with one open handle of each kind ------------------------------------------------------------------------ */

struct world {
    void *open[KINDS];
    void *closed[KINDS];
};

static peer_runtime *start(void)
{
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime;
    options.data_directory = directory;
    assert_int_equal(peer_startup(PEER_GRAPH_VERSION, &options, NULL, &runtime), PEER_OK);
    return runtime;
}

static peer_graph *create(peer_runtime *runtime, const char *graph_id)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;
    properties.graph_id = graph_id;
    properties.creator_id = "alice";
    peer_graph_delete(runtime, graph_id, "alice", NULL);
    assert_int_equal(peer_graph_create(runtime, &properties, NULL, NULL, &graph), PEER_OK);
    return graph;
}

static void open_all(void **open, peer_runtime *runtime, const char *graph_id)
{
    peer_graph *graph = create(runtime, graph_id);
    peer_event_queue *queue;
    peer_enum *enumeration;
    peer_batch *batch;
    assert_int_equal(peer_graph_register_event(graph, 0, NULL, &queue), PEER_OK);
    assert_int_equal(peer_graph_enum_records(graph, NULL, NULL, &enumeration), PEER_OK);
    assert_int_equal(peer_graph_begin_batch(graph, &batch), PEER_OK);
    open[RUNTIME] = runtime;
    open[GRAPH] = graph;
    open[QUEUE] = queue;
    open[ENUM] = enumeration;
    open[BATCH] = batch;
}

static void set_up(struct world *world)
{
    open_all(world->closed, start(), "closed");
    assert_int_equal(peer_unregister_event(world->closed[QUEUE]), PEER_OK);
    assert_int_equal(peer_shutdown(world->closed[RUNTIME]), PEER_OK);
    open_all(world->open, start(), "open");
}

static void tear_down(struct world *world)
{
    assert_int_equal(peer_shutdown(world->open[RUNTIME]), PEER_OK);
    assert_int_equal(peer_unregister_event(world->open[QUEUE]), PEER_OK);
}

static atomic_int wrong;

static void expect_error(size_t function, void *handle)
{
    peer_status expected = error_of(functions[function].kind);
    peer_status status = functions[function].call(handle);
    if (status != expected) {
        fprintf(stderr, "%s(%p): %s, not %s\n", functions[function].name, handle, peer_status_name(status),
                peer_status_name(expected));
        atomic_fetch_add(&wrong, 1);
    }
}

static void *try_all(void *context)
{
    struct world *world = context;
    uintptr_t invented[] = {1,
                            4096,
                            UINTPTR_MAX,
                            (uintptr_t)world,
                            (uintptr_t)world->open[GRAPH] + 1,
                            (uintptr_t)world->open[GRAPH] ^ ((uintptr_t)1 << (sizeof(void *) == 8 ? 25 : 14))};
    for (size_t function = 0; function < FUNCTIONS; function++) {
        expect_error(function, NULL);
        for (size_t i = 0; i < sizeof(invented) / sizeof(invented[0]); i++)
            expect_error(function, (void *)invented[i]);
        for (int kind = 0; kind < KINDS; kind++) {
            expect_error(function, world->closed[kind]);
            if (kind != (int)functions[function].kind)
                expect_error(function, world->open[kind]);
        }
    }
    return NULL;
}

static void wrong_handles_give_the_documented_error_from_any_thread(void **state)
{
    (void)state;
    struct world world;
    pthread_t threads[2];
    set_up(&world);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, try_all, &world);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    tear_down(&world);
}

static void without_a_runtime_nothing_is_initialized(void **state)
{
    (void)state;
    for (size_t function = 0; function < FUNCTIONS; function++)
        assert_int_equal(functions[function].call(NULL), PEER_E_NOT_INITIALIZED);
}

static void queues_outlive_their_runtime(void **state)
{
    (void)state;
    struct world world;
    peer_event_view view;
    peer_event *event;
    peer_status status;
    open_all(world.open, start(), "open");
    assert_int_equal(peer_shutdown(world.open[RUNTIME]), PEER_OK);
    assert_int_equal(peer_event_queue_wait(world.open[QUEUE], 0), PEER_OK);
    do {
        assert_int_equal(peer_get_event_data(world.open[QUEUE], &event), PEER_OK);
        status = peer_event_get_view(event, sizeof(view), &view);
        peer_free_data(event);
    } while (status == PEER_OK && view.type != PEER_EVENT_CLOSED);
    assert_int_equal(view.reason, PEER_E_GRAPH_SHUTTING_DOWN);
    assert_int_equal(peer_get_event_data(world.open[QUEUE], &event), PEER_S_NO_EVENT_DATA);
    assert_int_equal(peer_unregister_event(world.open[QUEUE]), PEER_OK);
    assert_int_equal(peer_unregister_event(world.open[QUEUE]), PEER_E_NOT_INITIALIZED);
}

static void closing_a_graph_ends_what_belongs_to_it(void **state)
{
    (void)state;
    struct world world;
    uint32_t count;
    open_all(world.open, start(), "open");
    assert_int_equal(peer_graph_close(world.open[GRAPH]), PEER_OK);
    assert_int_equal(peer_get_item_count(world.open[ENUM], &count), E_INVALIDARG);
    assert_int_equal(peer_batch_commit(world.open[BATCH]), E_INVALIDARG);
    assert_int_equal(peer_graph_close(world.open[GRAPH]), PEER_E_INVALID_GRAPH);
    tear_down(&world);
}

/* --- races ------------------------------------------------------------------------------------------------------------ */

static atomic_int over;

/* What the functions say does not matter here, only that nothing breaks. */
static void *use_all(void *context)
{
    struct world *world = context;
    while (!atomic_load(&over)) {
        for (size_t function = 0; function < FUNCTIONS; function++) {
            const char *name = functions[function].name;
            if (functions[function].kind == RUNTIME || strcmp(name, "peer_event_queue_wait") == 0 ||
                strcmp(name, "peer_graph_close") == 0 || strcmp(name, "peer_graph_connect") == 0)
                continue;
            if (strcmp(name, "peer_get_event_data") == 0 || strcmp(name, "peer_get_event_batch") == 0 ||
                strcmp(name, "peer_get_next_item") == 0 || strcmp(name, "peer_get_item_views") == 0 ||
                strcmp(name, "peer_graph_get_properties") == 0 || strcmp(name, "peer_graph_get_node_info") == 0)
                continue; /* their results must be freed: below */
            functions[function].call(world->open[functions[function].kind]);
        }
        peer_event *event = NULL;
        if (peer_get_event_data(world->open[QUEUE], &event) == PEER_OK)
            peer_free_data(event);
        const void *const *items = NULL;
        uint32_t count;
        if (peer_get_next_item(world->open[ENUM], 10, &count, &items) == PEER_OK)
            peer_free_data(items);
        peer_node_info *info = NULL;
        if (peer_graph_get_node_info(world->open[GRAPH], 0, &info) == PEER_OK)
            peer_free_data(info);
    }
    return NULL;
}

static void *wait_for_events(void *queue)
{
    while (peer_event_queue_wait(queue, -1) == PEER_OK) {
        peer_event *event = NULL;
        if (peer_get_event_data(queue, &event) == PEER_OK)
            peer_free_data(event);
    }
    return NULL;
}

static void ends_are_safe_while_others_call(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        struct world world;
        pthread_t threads[3];
        open_all(world.open, start(), "race");
        atomic_store(&over, 0);
        pthread_create(&threads[0], NULL, use_all, &world);
        pthread_create(&threads[1], NULL, use_all, &world);
        pthread_create(&threads[2], NULL, wait_for_events, world.open[QUEUE]);
        nanosleep(&(struct timespec){.tv_nsec = 1000000L * (round % 4)}, NULL);
        if (round % 3 == 0)
            peer_graph_close(world.open[GRAPH]);
        if (round % 3 == 1)
            peer_unregister_event(world.open[QUEUE]);
        peer_shutdown(world.open[RUNTIME]);
        atomic_store(&over, 1);
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        peer_unregister_event(world.open[QUEUE]);
    }
}

struct asker {
    peer_graph *graph;
    peer_status status;
};

static void *ask_until_it_fails(void *context)
{
    struct asker *asker = context;
    uint32_t status;
    do
        asker->status = peer_graph_get_status(asker->graph, &status);
    while (asker->status == PEER_OK);
    return NULL;
}

/* A call that came before the close, and waits for the lock behind it. */
static void a_call_under_way_is_told_of_the_close(void **state)
{
    (void)state;
    int told = 0;
    for (int round = 0; round < 500 && !told; round++) {
        struct world world;
        pthread_t threads[4];
        struct asker askers[4];
        open_all(world.open, start(), "close");
        for (int i = 0; i < 4; i++) {
            askers[i].graph = world.open[GRAPH];
            pthread_create(&threads[i], NULL, ask_until_it_fails, &askers[i]);
        }
        assert_int_equal(peer_graph_close(world.open[GRAPH]), PEER_OK);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            assert_true(askers[i].status == PEER_E_GRAPH_SHUTTING_DOWN || askers[i].status == PEER_E_INVALID_GRAPH);
            told += askers[i].status == PEER_E_GRAPH_SHUTTING_DOWN;
        }
        peer_shutdown(world.open[RUNTIME]);
        peer_unregister_event(world.open[QUEUE]);
    }
    assert_true(told > 0);
}

static void a_forked_child_is_told(void **state)
{
    (void)state;
    struct world world;
    peer_event *event = NULL;
    peer_runtime *runtime;
    int result;
    open_all(world.open, start(), "open");
    pid_t child = fork();
    if (child == 0) {
        int failures = peer_startup(PEER_GRAPH_VERSION, NULL, NULL, &runtime) != PEER_E_FORKED;
        for (size_t function = 0; function < FUNCTIONS; function++)
            failures += functions[function].call(world.open[functions[function].kind]) != PEER_E_FORKED;
        peer_free_data(event);
        _exit(failures);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_runtime_nothing_is_initialized),
        cmocka_unit_test(wrong_handles_give_the_documented_error_from_any_thread),
        cmocka_unit_test(queues_outlive_their_runtime),
        cmocka_unit_test(closing_a_graph_ends_what_belongs_to_it),
        cmocka_unit_test(a_call_under_way_is_told_of_the_close),
        cmocka_unit_test(ends_are_safe_while_others_call),
        cmocka_unit_test(a_forked_child_is_told),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

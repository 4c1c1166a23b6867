/* The exported functions in one process: what they give, and every documented error that one node alone can reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "peergraph/peergraph.h"

static char directory[] = "/tmp/peergraph-api-XXXXXX";
static const peer_guid note_type = {{0x11, 0x22}};
static const peer_guid other_type = {{0x33}};
static const peer_guid graph_info_type = {{0, 0, 1, 0}};
static const peer_guid unknown = {{9}};

static int64_t live_without_runtime;

struct world {
    peer_runtime *runtime;
    peer_graph *graph;
};

#define OK(call) assert_int_equal(call, PEER_OK)
#define FAILS(status, call) assert_int_equal(call, status)

static int64_t in_an_hour(peer_graph *graph)
{
    int64_t time_us = ((int64_t)time(NULL) + 3600) * 1000000;
    OK(peer_graph_universal_time_to_peer_time(graph, time_us, &time_us));
    return time_us;
}

static peer_runtime *start(void)
{
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime;
    options.data_directory = directory;
    OK(peer_startup(PEER_GRAPH_VERSION, &options, NULL, &runtime));
    return runtime;
}

static peer_graph_properties_input properties(void)
{
    peer_graph_properties_input input = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    input.graph_id = "film club";
    input.creator_id = "älice";
    return input;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    peer_graph_properties_input input = properties();
    world->runtime = start();
    OK(peer_graph_create(world->runtime, &input, NULL, NULL, &world->graph));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->runtime != NULL) {
        peer_graph_close(world->graph);
        OK(peer_graph_delete(world->runtime, "film club", "älice", NULL));
        OK(peer_shutdown(world->runtime));
    }
    free(world);
    assert_int_equal(peer__memory_live(), live_without_runtime);
    return 0;
}

static peer_record_input note(struct world *world, const char *text)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    record.type = note_type;
    record.expires_us = in_an_hour(world->graph);
    record.data = text;
    record.size = strlen(text);
    return record;
}

static peer_guid add(struct world *world, const char *text)
{
    peer_record_input record = note(world, text);
    peer_guid id;
    OK(peer_graph_add_record(world->graph, &record, &id));
    return id;
}

/* --- the library ------------------------------------------------------------------------------------------------------ */

static void the_library_needs_no_runtime(void **state)
{
    (void)state;
    assert_non_null(strchr(peer_version(), '.'));
    assert_string_equal(peer_status_name(PEER_E_INVALID_GRAPH), "PEER_E_INVALID_GRAPH");
    assert_string_equal(peer_status_name(-1), "PEER_STATUS_UNKNOWN");
    assert_non_null(peer_status_text(-1));
    peer_free_data(NULL);
    FAILS(E_INVALIDARG, peer_retain_data(NULL));
}

static void startup_knows_three_versions(void **state)
{
    (void)state;
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime = (peer_runtime *)1;
    peer_version_data version;
    static const uint32_t known[] = {0x0001, 0x0101, 0x0002};
    options.data_directory = directory;
    for (int i = 0; i < 3; i++) {
        OK(peer_startup(known[i], &options, &version, &runtime));
        assert_int_equal(version.version, known[i]);
        assert_int_equal(version.highest_version, 0x0002);
        OK(peer_shutdown(runtime));
        FAILS(PEER_E_NOT_INITIALIZED, peer_shutdown(runtime));
    }
    runtime = (peer_runtime *)1;
    FAILS(PEER_E_UNSUPPORTED_VERSION, peer_startup(0x0300, &options, &version, &runtime));
    assert_ptr_equal(runtime, (peer_runtime *)1);
    assert_non_null(strstr(peer_last_error_message(), "0x0300"));
    FAILS(E_INVALIDARG, peer_startup(1, &options, NULL, NULL));
    options.flags = 1;
    FAILS(E_INVALIDARG, peer_startup(1, &options, NULL, &runtime));
    options.flags = 0;
    options.struct_size = 4;
    FAILS(E_INVALIDARG, peer_startup(1, &options, NULL, &runtime));
    options.struct_size = sizeof(options);
    options.data_directory = "/dev/null/x";
    FAILS(E_ACCESSDENIED, peer_startup(1, &options, NULL, &runtime));
}

static void structs_may_grow_with_zeros_only(void **state)
{
    (void)state;
    struct {
        peer_startup_input known;
        uint64_t tail;
    } newer = {.known = {.struct_size = sizeof(newer), .data_directory = directory}};
    peer_runtime *runtime;
    OK(peer_startup(1, &newer.known, NULL, &runtime));
    OK(peer_shutdown(runtime));
    newer.tail = 1;
    FAILS(E_INVALIDARG, peer_startup(1, &newer.known, NULL, &runtime));
}

/* --- graphs ----------------------------------------------------------------------------------------------------------- */

static void create_checks_its_properties(void **state)
{
    struct world *world = *state;
    peer_graph *graph;
    char long_id[300];
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    peer_graph_properties_input bad[10];
    for (int i = 0; i < 10; i++) {
        bad[i] = properties();
        bad[i].graph_id = "other";
    }
    bad[0].graph_id = NULL;
    bad[1].graph_id = "";
    bad[2].creator_id = long_id;
    bad[3].friendly_name = "\xff";
    bad[4].max_record_size = 1023;
    bad[5].presence_lifetime_s = 299;
    bad[6].presence_max = -2;
    bad[7].flags = 0x80;
    bad[8].scope = 9;
    bad[9].struct_size = 1;
    for (int i = 0; i < 10; i++)
        FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &bad[i], NULL, NULL, &graph));
    peer_graph_properties_input good = properties();
    static const char *const names[] = {"", ".x", "a/b", "a\\b",
                                        "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, names[i], NULL, &graph));
    peer_graph_options_input options = {.struct_size = sizeof(options), .flags = 0x100};
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, NULL, &options, &graph));
    options = (peer_graph_options_input){.struct_size = sizeof(options), .max_database_bytes = 65535};
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, NULL, &options, &graph));
    options = (peer_graph_options_input){.struct_size = sizeof(options), .max_bytes_per_creator = 1};
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, NULL, &options, &graph));
    options = (peer_graph_options_input){.struct_size = 7};
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, NULL, &options, &graph));
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, NULL, NULL, NULL, &graph));
    FAILS(E_INVALIDARG, peer_graph_create(world->runtime, &good, NULL, NULL, NULL));
    FAILS(PEER_E_DUPLICATE_GRAPH, peer_graph_create(world->runtime, &good, NULL, NULL, &graph));
}

static void databases_are_made_opened_and_deleted(void **state)
{
    struct world *world = *state;
    peer_graph_properties_input input = properties();
    peer_graph *graph;
    peer_guid id = add(world, "stays");
    peer_record *record;
    FAILS(PEER_E_DUPLICATE_GRAPH, peer_graph_open(world->runtime, "film club", "älice", NULL, NULL, 0, NULL, &graph));
    FAILS(PEER_E_DBNAME_CHANGED, peer_graph_open(world->runtime, "film club", "älice", "b", NULL, 0, NULL, &graph));
    FAILS(PEER_E_GRAPH_IN_USE, peer_graph_delete(world->runtime, "film club", "älice", NULL));
    FAILS(PEER_E_DATABASE_NOT_PRESENT, peer_graph_delete(world->runtime, "none", "älice", NULL));
    OK(peer_graph_close(world->graph));
    FAILS(PEER_E_DATABASE_ALREADY_PRESENT, peer_graph_create(world->runtime, &input, NULL, NULL, &graph));
    FAILS(E_INVALIDARG, peer_graph_open(world->runtime, "film club", "älice", NULL, NULL, 1, NULL, &graph));
    FAILS(E_INVALIDARG, peer_graph_open(world->runtime, "film club", NULL, NULL, NULL, 0, NULL, &graph));
    OK(peer_graph_open(world->runtime, "film club", "älice", NULL, NULL, 0, NULL, &world->graph));
    OK(peer_graph_get_record(world->graph, &id, &record));
    peer_free_data(record);
}

static void an_opened_graph_is_not_ready(void **state)
{
    struct world *world = *state;
    peer_record_input record = note(world, "x");
    peer_graph *graph;
    peer_guid id;
    peer_enum *enumeration;
    peer_batch *batch;
    peer_graph_properties *read;
    uint32_t status;
    FAILS(PEER_S_GRAPH_DATA_CREATED, peer_graph_open(world->runtime, "new", "bob", NULL, NULL, 1, &note_type, &graph));
    OK(peer_graph_get_status(graph, &status));
    assert_int_equal(status, 0);
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_add_record(graph, &record, &id));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_update_record(graph, &record));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_delete_record(graph, &unknown, 0));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_enum_records(graph, NULL, NULL, &enumeration));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_begin_batch(graph, &batch));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_get_properties(graph, &read));
    FAILS(PEER_E_GRAPH_NOT_READY, peer_graph_listen(graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0));
    OK(peer_graph_close(graph));
    OK(peer_graph_delete(world->runtime, "new", "bob", NULL));
}

static void properties_read_back(void **state)
{
    struct world *world = *state;
    peer_graph_properties *read;
    peer_graph_properties_view view;
    OK(peer_graph_get_properties(world->graph, &read));
    OK(peer_graph_properties_get_view(read, sizeof(view), &view));
    assert_string_equal(view.graph_id, "film club");
    assert_string_equal(view.creator_id, "älice");
    assert_null(view.comment);
    assert_int_equal(view.presence_max, -1);
    assert_int_equal(view.presence_lifetime_s, 300);
    assert_int_equal(view.max_record_size, 4 * 1024 * 1024);
    FAILS(E_INVALIDARG, peer_graph_properties_get_view(read, 8, &view));
    FAILS(E_INVALIDARG, peer_record_get_view((peer_record *)(void *)read, sizeof(peer_record_view), NULL));
    peer_free_data(read);
    FAILS(E_INVALIDARG, peer_graph_properties_get_view(NULL, sizeof(view), &view));
}

static void listening_gives_an_address(void **state)
{
    struct world *world = *state;
    peer_node_info *info;
    peer_node_info_view view;
    FAILS(E_INVALIDARG, peer_graph_listen(world->graph, PEER_GRAPH_SCOPE_ANY, 0, 0));
    FAILS(E_INVALIDARG, peer_graph_listen(world->graph, PEER_GRAPH_SCOPE_LINKLOCAL, 0, 0));
    FAILS(E_INVALIDARG, peer_graph_listen(world->graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 65536));
    OK(peer_graph_listen(world->graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0));
    FAILS(PEER_E_ALREADY_LISTENING, peer_graph_listen(world->graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0));
    OK(peer_graph_get_node_info(world->graph, 0, &info));
    OK(peer_node_info_get_view(info, sizeof(view), &view));
    assert_int_not_equal(view.node_id, 0);
    assert_string_equal(view.peer_id, "älice");
    assert_true(view.address_count >= 1);
    FAILS(PEER_E_CONNECT_SELF, peer_graph_connect(world->graph, NULL, view.addresses[0], NULL));
    peer_free_data(info);
    FAILS(PEER_E_NODE_NOT_FOUND, peer_graph_get_node_info(world->graph, 12345, &info));
    FAILS(E_INVALIDARG, peer_graph_connect(world->graph, NULL, "no address", NULL));
    FAILS(E_INVALIDARG, peer_graph_connect(world->graph, NULL, NULL, NULL));
    FAILS(E_INVALIDARG, peer_graph_connect(world->graph, "", "127.0.0.1:9", NULL));
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

static void a_record_is_added_read_updated_and_deleted(void **state)
{
    struct world *world = *state;
    peer_guid id = add(world, "first");
    peer_record *record;
    peer_record_view view;
    OK(peer_graph_get_record(world->graph, &id, &record));
    OK(peer_record_get_view(record, sizeof(view), &view));
    assert_int_equal(view.version, 1);
    assert_string_equal(view.creator_id, "älice");
    assert_null(view.modifier_id);
    assert_null(view.attributes);
    assert_int_equal(view.size, 5);
    assert_memory_equal(view.data, "first", 5);
    view.data = "second"; /* a view is an input */
    view.size = 6;
    OK(peer_graph_update_record(world->graph, &view));
    peer_free_data(record);
    OK(peer_graph_get_record(world->graph, &id, &record));
    OK(peer_retain_data(record));
    peer_free_data(record);
    OK(peer_record_get_view(record, sizeof(view), &view));
    assert_int_equal(view.version, 2);
    assert_string_equal(view.modifier_id, "älice");
    assert_memory_equal(view.data, "second", 6);
    peer_free_data(record);
    FAILS(E_INVALIDARG, peer_graph_delete_record(world->graph, &id, 1));
    OK(peer_graph_delete_record(world->graph, &id, 0));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_get_record(world->graph, &id, &record));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_delete_record(world->graph, &id, 0));
}

static void add_and_update_refuse_what_is_wrong(void **state)
{
    struct world *world = *state;
    peer_record_input record = note(world, "x");
    peer_guid id;
    record.type = (peer_guid){{0}};
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, &id));
    record.type = graph_info_type;
    FAILS(PEER_E_NOT_AUTHORIZED, peer_graph_add_record(world->graph, &record, &id));
    record = note(world, "x");
    record.expires_us = 1;
    FAILS(PEER_E_INVALID_RECORD_EXPIRATION, peer_graph_add_record(world->graph, &record, &id));
    record = note(world, "x");
    record.attributes = "<attributes";
    FAILS(PEER_E_INVALID_ATTRIBUTES, peer_graph_add_record(world->graph, &record, &id));
    record.attributes = "\xc3";
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, &id));
    record = note(world, "x");
    record.data = NULL;
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, &id));
    char *large = calloc(1, 4 * 1024 * 1024 + 1);
    record.data = large;
    record.size = 4 * 1024 * 1024 + 1;
    FAILS(PEER_E_MAX_RECORD_SIZE_EXCEEDED, peer_graph_add_record(world->graph, &record, &id));
    free(large);
    record = note(world, "x");
    record.reserved = 1;
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, &id));
    record = note(world, "x");
    record.flags = 8;
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, &id));
    record = note(world, "x");
    record.id = unknown;
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_update_record(world->graph, &record));
    record.id = add(world, "y");
    record.type = other_type;
    FAILS(PEER_E_INVALID_RECORD, peer_graph_update_record(world->graph, &record));
    record.type = note_type;
    record.expires_us -= 1800 * INT64_C(1000000);
    FAILS(PEER_E_INVALID_RECORD_EXPIRATION, peer_graph_update_record(world->graph, &record));
    FAILS(E_INVALIDARG, peer_graph_add_record(world->graph, &record, NULL));
    FAILS(E_INVALIDARG, peer_graph_get_record(world->graph, NULL, NULL));
}

static void an_enumeration_is_a_list_of_then(void **state)
{
    struct world *world = *state;
    peer_enum *enumeration;
    const void *const *items;
    const void *views;
    uint32_t count;
    peer_guid ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = add(world, "item");
    OK(peer_graph_enum_records(world->graph, &note_type, "älice", &enumeration));
    OK(peer_get_item_count(enumeration, &count));
    assert_int_equal(count, 5);
    OK(peer_graph_delete_record(world->graph, &ids[1], 0));
    FAILS(E_INVALIDARG, peer_get_next_item(enumeration, 0, &count, &items));
    OK(peer_get_next_item(enumeration, 2, &count, &items));
    assert_int_equal(count, 2);
    FAILS(E_INVALIDARG, peer_get_item_views(enumeration, 9, 16, &count, &views));
    OK(peer_get_item_views(enumeration, UINT32_MAX, sizeof(peer_record_view), &count, &views));
    assert_int_equal(count, 2);
    const peer_record_view *view = views;
    assert_memory_equal(&view[1].id, &ids[4], sizeof(peer_guid));
    const void *const *none = (const void *const *)1;
    OK(peer_get_next_item(enumeration, 10, &count, &none));
    assert_int_equal(count, 0);
    assert_null(none);
    OK(peer_end_enumeration(enumeration));
    FAILS(E_INVALIDARG, peer_end_enumeration(enumeration));
    peer_record_view first;
    OK(peer_record_get_view(items[0], sizeof(first), &first)); /* items live on */
    assert_memory_equal(&first.id, &ids[0], sizeof(peer_guid));
    assert_memory_equal(view[0].data, "item", 4);
    peer_free_data(items);
    peer_free_data(views);
    OK(peer_graph_enum_records(world->graph, &other_type, NULL, &enumeration));
    OK(peer_get_item_count(enumeration, &count));
    assert_int_equal(count, 0);
}

/* --- batches ---------------------------------------------------------------------------------------------------------- */

static void a_batch_is_carried_out_whole_or_not_at_all(void **state)
{
    struct world *world = *state;
    peer_record_input record = note(world, "batched");
    peer_batch *batch;
    peer_record *read;
    peer_guid id;
    peer_guid gone = add(world, "gone");
    OK(peer_graph_begin_batch(world->graph, &batch));
    OK(peer_batch_add_record(batch, &record, &id));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_get_record(world->graph, &id, &read));
    record.id = id;
    OK(peer_batch_update_record(batch, &record));
    OK(peer_batch_delete_record(batch, &gone));
    OK(peer_batch_commit(batch));
    FAILS(E_INVALIDARG, peer_batch_commit(batch));
    OK(peer_graph_get_record(world->graph, &id, &read));
    peer_free_data(read);
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_get_record(world->graph, &gone, &read));

    OK(peer_graph_begin_batch(world->graph, &batch));
    OK(peer_batch_add_record(batch, &record, &id));
    OK(peer_batch_delete_record(batch, &gone));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_batch_commit(batch));
    FAILS(PEER_E_RECORD_NOT_FOUND, peer_graph_get_record(world->graph, &id, &read));

    OK(peer_graph_begin_batch(world->graph, &batch));
    OK(peer_batch_abort(batch));
    FAILS(E_INVALIDARG, peer_batch_abort(batch));
}

static void a_batch_holds_1024_changes(void **state)
{
    struct world *world = *state;
    peer_batch *batch;
    OK(peer_graph_begin_batch(world->graph, &batch));
    for (int i = 0; i < 1024; i++)
        OK(peer_batch_delete_record(batch, &unknown));
    FAILS(E_INVALIDARG, peer_batch_delete_record(batch, &unknown));
    OK(peer_batch_abort(batch));
}

/* --- events and errors ------------------------------------------------------------------------------------------------ */

static void the_publisher_hears_of_its_own_record(void **state)
{
    struct world *world = *state;
    peer_event_registration wanted = {PEER_GRAPH_EVENT_RECORD_CHANGED, 0, &note_type};
    peer_event_queue *queue;
    const peer_event_view *views;
    peer_event *event;
    uint32_t count;
    OK(peer_graph_register_event(world->graph, 1, &wanted, &queue));
    FAILS(PEER_S_NO_EVENT_DATA, peer_get_event_data(queue, &event));
    FAILS(PEER_S_NO_EVENT_DATA, peer_event_queue_wait(queue, 0));
    FAILS(E_INVALIDARG, peer_event_queue_wait(queue, -2));
    peer_guid id = add(world, "heard");
    OK(peer_event_queue_wait(queue, 1000));
    OK(peer_get_event_batch(queue, 10, sizeof(*views), &count, &views));
    assert_int_equal(count, 1);
    assert_int_equal(views[0].change, PEER_RECORD_ADDED);
    assert_memory_equal(&views[0].record_id, &id, sizeof(id));
    peer_free_data(views);
    OK(peer_graph_close(world->graph));
    OK(peer_get_event_data(queue, &event));
    peer_event_view view;
    OK(peer_event_get_view(event, sizeof(view), &view));
    assert_int_equal(view.type, PEER_EVENT_CLOSED);
    peer_free_data(event);
    OK(peer_unregister_event(queue));
    FAILS(E_INVALIDARG, peer_unregister_event(queue));
}

static void registrations_are_checked(void **state)
{
    struct world *world = *state;
    peer_event_registration bad[] = {{0, 0, NULL}, {10, 0, NULL}, {PEER_GRAPH_EVENT_SYNCHRONIZED, 1, NULL}};
    peer_event_queue *queue;
    for (int i = 0; i < 3; i++)
        FAILS(E_INVALIDARG, peer_graph_register_event(world->graph, 1, &bad[i], &queue));
    FAILS(E_INVALIDARG, peer_graph_register_event(world->graph, 1, NULL, &queue));
    FAILS(E_INVALIDARG, peer_graph_register_event(world->graph, 0, bad, &queue));
}

static void ending_leaves_the_last_error_alone(void **state)
{
    struct world *world = *state;
    char line[512];
    FAILS(E_INVALIDARG, peer_graph_get_status(world->graph, NULL));
    snprintf(line, sizeof(line), "%s", peer_last_error_message());
    assert_string_equal(line, "status_out is NULL");
    FAILS(PEER_E_INVALID_GRAPH, peer_graph_close(NULL));
    FAILS(E_INVALIDARG, peer_unregister_event(NULL));
    FAILS(E_INVALIDARG, peer_end_enumeration(NULL));
    FAILS(E_INVALIDARG, peer_batch_abort(NULL));
    assert_string_equal(peer_last_error_message(), line);
}

/* --- files that refuse ------------------------------------------------------------------------------------------------ */

static int is_database(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".db") == 0;
}

static void files_that_refuse_are_access_denied(void **state)
{
    struct world *world = *state;
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime;
    char path[400];
    char blocked[64];
    struct dirent **entries;
    OK(peer_graph_close(world->graph));
    snprintf(path, sizeof(path), "%s/graphs", directory);
    assert_int_equal(scandir(path, &entries, is_database, NULL), 1);
    snprintf(path, sizeof(path), "%s/graphs/%.255s", directory, entries[0]->d_name);
    free(entries[0]);
    free(entries);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* holds for root too, unlike a mode */
    FAILS(E_ACCESSDENIED, peer_graph_delete(world->runtime, "film club", "älice", NULL));
    assert_non_null(strstr(peer_last_error_message(), path));
    assert_int_equal(rmdir(path), 0);
    OK(peer_shutdown(world->runtime));
    world->runtime = NULL;

    snprintf(blocked, sizeof(blocked), "%s/blocked", directory);
    assert_int_equal(mkdir(blocked, 0700), 0);
    snprintf(path, sizeof(path), "%s/graphs", blocked);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    options.data_directory = blocked;
    FAILS(E_ACCESSDENIED, peer_startup(1, &options, NULL, &runtime));
    assert_non_null(strstr(peer_last_error_message(), path));
}

/* --- the end of a process --------------------------------------------------------------------------------------------- */

static struct world at_exit;
static peer_event_queue *queue_at_exit;

/* An exit handler that is older than the library's runs after it, when no runtime gives its lock any more. */
static void call_late(void)
{
    uint32_t status;
    peer_event *event;
    if (peer_graph_get_status(at_exit.graph, &status) != PEER_E_NOT_INITIALIZED ||
        peer_get_event_data(queue_at_exit, &event) < 0 || peer_unregister_event(queue_at_exit) != PEER_OK ||
        peer_graph_close(at_exit.graph) != PEER_E_NOT_INITIALIZED ||
        peer_shutdown(at_exit.runtime) != PEER_E_NOT_INITIALIZED)
        _exit(9);
    peer_free_data(event);
    _exit(7); /* what the runtime leaves to the system is no leak */
}

static void exit_and_call_late(const char *path)
{
    peer_graph_properties_input input = properties();
    snprintf(directory, sizeof(directory), "%s", path);
    atexit(call_late);
    at_exit.runtime = start();
    input.graph_id = "late";
    OK(peer_graph_create(at_exit.runtime, &input, NULL, NULL, &at_exit.graph));
    OK(peer_graph_register_event(at_exit.graph, 0, NULL, &queue_at_exit));
    exit(8);
}

static const char *program;

static void an_older_exit_handler_may_call(void **state)
{
    (void)state;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(240);
        execl(program, program, directory, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    OK(peer_shutdown(start()));
    live_without_runtime = peer__memory_live(); /* what the first startup made for the whole process */
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[80];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2)
        exit_and_call_late(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_needs_no_runtime),
        cmocka_unit_test(startup_knows_three_versions),
        cmocka_unit_test(structs_may_grow_with_zeros_only),
        TEST(create_checks_its_properties),
        TEST(databases_are_made_opened_and_deleted),
        TEST(an_opened_graph_is_not_ready),
        TEST(properties_read_back),
        TEST(listening_gives_an_address),
        TEST(a_record_is_added_read_updated_and_deleted),
        TEST(add_and_update_refuse_what_is_wrong),
        TEST(an_enumeration_is_a_list_of_then),
        TEST(a_batch_is_carried_out_whole_or_not_at_all),
        TEST(a_batch_holds_1024_changes),
        TEST(the_publisher_hears_of_its_own_record),
        TEST(registrations_are_checked),
        TEST(ending_leaves_the_last_error_alone),
        TEST(files_that_refuse_are_access_denied),
        cmocka_unit_test(an_older_exit_handler_may_call),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

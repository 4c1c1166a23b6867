/* The simulated network through its public header: hosts, time, events, crashes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim_world.h"

/* --- dead handles ----------------------------------------------------------------------------------------------------- */

/* Every function but open, with arguments that are in order. */
static peer_status call_function(size_t function, peer_sim *sim)
{
    static const uint32_t one = 1;
    peer_sim_host_view host_view;
    peer_runtime *some_runtime;
    peer_event_queue *queue;
    const peer_sim_connection_view *connections;
    const peer_sim_message_view *messages;
    const char *text;
    size_t size;
    uint32_t number;
    int64_t time_us;
    uint64_t count;
    switch (function) {
    case 0:
        return peer_sim_add_host(sim, NULL, &number);
    case 1:
        return peer_sim_get_runtime(sim, 1, &some_runtime);
    case 2:
        return peer_sim_get_host_view(sim, 1, sizeof(host_view), &host_view);
    case 3:
        return peer_sim_crash(sim, 1, PEER_SIM_CRASH_PROCESS);
    case 4:
        return peer_sim_restart(sim, 1);
    case 5:
        return peer_sim_set_disk_full(sim, 1, 1);
    case 6:
        return peer_sim_set_clock(sim, 1, 0, 0);
    case 7:
        return peer_sim_get_time(sim, &time_us);
    case 8:
        return peer_sim_step(sim, NULL);
    case 9:
        return peer_sim_run_for(sim, 1);
    case 10:
        return peer_sim_run_until(sim, 0, 1, NULL);
    case 11:
        return peer_sim_next_ready(sim, &queue);
    case 12:
        return peer_sim_set_link(sim, 1, 1, NULL);
    case 13:
        return peer_sim_cut(sim, 1, &one, 1, &one);
    case 14:
        return peer_sim_partition(sim, 1, &one, 1, &one);
    case 15:
        return peer_sim_mend(sim, 1, &one, 1, &one);
    case 16:
        return peer_sim_heal(sim);
    case 17:
        return peer_sim_reset_connections(sim, 1, 1, NULL);
    case 18:
        return peer_sim_get_connections(sim, sizeof(*connections), &number, &connections);
    case 19:
        return peer_sim_get_message_count(sim, 1, 0, &count, &count);
    case 20:
        return peer_sim_get_messages(sim, NULL, sizeof(*messages), &number, &messages);
    case 21:
        return peer_sim_set_interception(sim, 0, NULL);
    case 22:
        return peer_sim_release_message(sim, 1, 0);
    case 23:
        return peer_sim_duplicate_message(sim, 1, 0);
    case 24:
        return peer_sim_drop_message(sim, 1);
    case 25:
        return peer_sim_edit_message(sim, 1, "12345678", 8);
    case 26:
        return peer_sim_keep_trace(sim, 100);
    case 27:
        return peer_sim_take_trace(sim, &text, &size, NULL);
    case 28:
        return peer_sim_set_trace_file(sim, NULL);
    case 29:
        return peer_sim_add_note(sim, "note");
    case 30:
        return peer_sim_get_trace_hash(sim, &count);
    case 31:
        return peer_sim_draw(sim, 6, &count);
    case 32:
        return peer_sim_get_next_time(sim, &time_us);
    case 33:
        return peer_sim_set_address(sim, 1, "fd00::99");
    default:
        return peer_sim_close(sim);
    }
}
#define FUNCTIONS 35

static void a_dead_handle_is_told(void **state)
{
    peer_sim *sim = network(1);
    peer_sim *closed = network(1);
    peer_runtime *some_runtime = runtime(sim, host(sim));
    (void)state;
    assert_ok(peer_sim_close(closed));
    for (size_t i = 0; i < FUNCTIONS; i++) {
        assert_status(call_function(i, NULL), E_INVALIDARG);
        assert_status(call_function(i, closed), E_INVALIDARG);
        assert_status(call_function(i, (peer_sim *)some_runtime), E_INVALIDARG);
        assert_status(call_function(i, (peer_sim *)(uintptr_t)0x12345), E_INVALIDARG);
    }
    assert_status(peer_shutdown((peer_runtime *)sim), PEER_E_NOT_INITIALIZED);
    assert_ok(peer_sim_close(sim));
    for (size_t i = 0; i < FUNCTIONS; i++)
        assert_status(call_function(i, sim), PEER_E_NOT_INITIALIZED);
}

static void the_close_leaves_the_last_error_alone(void **state)
{
    peer_sim *sim = network(1);
    (void)state;
    assert_status(peer_sim_run_for(sim, -5), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
    assert_status(peer_sim_close(sim), PEER_E_NOT_INITIALIZED);
    assert_non_null(strstr(peer_last_error_message(), "-5"));
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

static void options_are_checked(void **state)
{
    peer_sim *sim = NULL;
    peer_sim_options_input options = PEER_SIM_OPTIONS_INPUT_INIT;
    (void)state;
    assert_status(peer_sim_open(1, NULL, NULL), E_INVALIDARG);
    options.flags = 2;
    assert_status(peer_sim_open(1, &options, &sim), E_INVALIDARG);
    options.flags = 0;
    options.connect_timeout_us = -1;
    assert_status(peer_sim_open(1, &options, &sim), E_INVALIDARG);
    options.connect_timeout_us = 0;
    options.reset_after_us = -2;
    assert_status(peer_sim_open(1, &options, &sim), E_INVALIDARG);
    options.reset_after_us = -1;
    options.struct_size = 4;
    assert_status(peer_sim_open(1, &options, &sim), E_INVALIDARG);
    assert_null(sim);
    options.struct_size = sizeof(options);
    assert_ok(peer_sim_open(1, &options, &sim));
    assert_ok(peer_sim_close(sim));
}

static peer_status add_named(peer_sim *sim, const char *name, const char *address)
{
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    uint32_t number;
    input.name = name;
    input.address = address;
    return peer_sim_add_host(sim, &input, &number);
}

static void hosts_have_names_and_addresses(void **state)
{
    peer_sim *sim = network(1);
    peer_sim_host_view view;
    (void)state;
    assert_int_equal(host(sim), 1);
    assert_ok(add_named(sim, "bob", "10.0.0.2"));
    assert_ok(add_named(sim, "carol.example", "2001:db8::7"));
    assert_ok(peer_sim_get_host_view(sim, 1, sizeof(view), &view));
    assert_string_equal(view.name, "h1");
    assert_string_equal(view.address, "fd00::1");
    assert_int_equal(view.flags, PEER_SIM_HOST_UP);
    assert_int_equal(view.clock_utc_us, PEER_SIM_EPOCH_UTC_US);
    assert_ok(peer_sim_get_host_view(sim, 2, sizeof(view), &view));
    assert_string_equal(view.name, "bob");
    assert_string_equal(view.address, "10.0.0.2");
    assert_ok(peer_sim_get_host_view(sim, 3, sizeof(view), &view));
    assert_string_equal(view.address, "2001:db8::7");
    assert_int_equal(view.host, 3);
    assert_status(peer_sim_get_host_view(sim, 4, sizeof(view), &view), E_INVALIDARG);
    assert_status(peer_sim_get_host_view(sim, 1, 3, &view), E_INVALIDARG);
    assert_status(peer_sim_get_host_view(sim, 1, sizeof(view), NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

static void wrong_hosts_are_refused(void **state)
{
    static const char *const bad_names[] = {"", "10.0.0.9", "two words", "a/b", "a\"b"};
    static const char *const bad_addresses[] = {"", "bob", "127.0.0.1", "::1", "::", "fe80::1", "ff02::1", "1.2.3.4:5"};
    peer_sim *sim = network(1);
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    char long_name[70];
    uint32_t number;
    (void)state;
    assert_ok(add_named(sim, "bob", "10.0.0.2"));
    assert_status(add_named(sim, "bob", NULL), PEER_E_ALREADY_EXISTS);
    assert_status(add_named(sim, NULL, "10.0.0.2"), PEER_E_ALREADY_EXISTS);
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(*bad_names); i++)
        assert_status(add_named(sim, bad_names[i], NULL), E_INVALIDARG);
    for (size_t i = 0; i < sizeof(bad_addresses) / sizeof(*bad_addresses); i++)
        assert_status(add_named(sim, NULL, bad_addresses[i]), E_INVALIDARG);
    memset(long_name, 'x', sizeof(long_name));
    long_name[64] = '\0';
    assert_status(add_named(sim, long_name, NULL), E_INVALIDARG);
    long_name[63] = '\0';
    assert_ok(add_named(sim, long_name, NULL));
    input.drift_ppm = 100001;
    assert_status(peer_sim_add_host(sim, &input, &number), E_INVALIDARG);
    input.drift_ppm = 0;
    input.clock_offset_us = INT64_MIN;
    assert_status(peer_sim_add_host(sim, &input, &number), E_INVALIDARG);
    input.clock_offset_us = 0;
    input.data_directory = "";
    assert_status(peer_sim_add_host(sim, &input, &number), E_INVALIDARG);
    input.data_directory = "/dev/null/nowhere";
    assert_status(peer_sim_add_host(sim, &input, &number), E_ACCESSDENIED);
    assert_status(peer_sim_add_host(sim, NULL, NULL), E_INVALIDARG);
    assert_int_equal(host(sim), 3); /* the failures left nothing */
    assert_ok(peer_sim_close(sim));
}

static void a_thousand_hosts(void **state)
{
    int64_t live = peer__memory_live();
    peer_sim *sim = network(1);
    (void)state;
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(host(sim), i);
        assert_non_null(runtime(sim, i));
    }
    run(sim, 10);
    assert_ok(peer_sim_close(sim));
    assert_int_equal(peer__memory_live(), live);
}

/* --- runtimes --------------------------------------------------------------------------------------------------------- */

static void a_runtime_is_like_any_other(void **state)
{
    peer_sim *sim = network(3);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    peer_batch *batch;
    peer_enum *enumeration;
    uint32_t count;
    (void)state;
    assert_ok(peer_graph_begin_batch(first, &batch));
    assert_ok(peer_batch_abort(batch));
    peer_guid id = add(first, "hello");
    assert_true(arrives(sim, second, &id, 10));
    assert_ok(peer_graph_enum_records(second, NULL, NULL, &enumeration));
    assert_ok(peer_get_item_count(enumeration, &count));
    assert_int_equal(count, 1);
    assert_ok(peer_sim_close(sim));
    assert_status(peer_get_item_count(enumeration, &count), PEER_E_NOT_INITIALIZED);
}

static void a_runtime_can_be_shut_down_and_started_again(void **state)
{
    peer_sim *sim = network(3);
    uint32_t number = host(sim);
    peer_graph *graph = create(sim, number);
    peer_guid id = add(graph, "kept");
    peer_runtime *old = runtime(sim, number);
    (void)state;
    assert_ptr_equal(runtime(sim, number), old);
    assert_ok(peer_shutdown(old));
    assert_status(peer_graph_listen(graph, 1, 0, 0), PEER_E_INVALID_GRAPH);
    assert_status(peer_shutdown(old), PEER_E_NOT_INITIALIZED);
    assert_ptr_not_equal(runtime(sim, number), old);
    graph = open_graph(sim, number);
    assert_true(has(graph, &id));
    peer_runtime *last;
    assert_status(peer_sim_get_runtime(sim, 9, &last), E_INVALIDARG);
    assert_status(peer_sim_get_runtime(sim, 0, &last), E_INVALIDARG);
    assert_status(peer_sim_get_runtime(sim, 1, NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

static void a_store_on_disk_survives_the_network(void **state)
{
    char directory[] = "/tmp/peergraph-sim-XXXXXX";
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    uint32_t number;
    peer_guid id;
    (void)state;
    assert_non_null(mkdtemp(directory));
    input.data_directory = directory;
    for (int round = 0; round < 2; round++) {
        peer_sim *sim = network(5);
        assert_ok(peer_sim_add_host(sim, &input, &number));
        peer_graph *graph = round == 0 ? create(sim, number) : open_graph(sim, number);
        if (round == 0)
            id = add(graph, "on disk");
        assert_true(has(graph, &id));
        assert_ok(peer_sim_crash(sim, number, PEER_SIM_CRASH_MACHINE));
        assert_ok(peer_sim_restart(sim, number));
        assert_true(has(open_graph(sim, number), &id));
        assert_ok(peer_sim_close(sim));
    }
    char command[64];
    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

/* --- time and events -------------------------------------------------------------------------------------------------- */

static void time_passes_only_when_told(void **state)
{
    peer_sim *sim = network(1);
    uint32_t happened = 7;
    uint32_t reached = 7;
    (void)state;
    assert_int_equal(now(sim), 0);
    assert_ok(peer_sim_step(sim, &happened));
    assert_int_equal(happened, 0); /* there is nobody */
    int64_t next_us = 0;
    assert_ok(peer_sim_get_next_time(sim, &next_us));
    assert_true(next_us == INT64_MAX);
    run(sim, 5);
    assert_int_equal(now(sim), 5 * SECOND);
    assert_ok(peer_sim_run_until(sim, 0, 7 * SECOND, &reached));
    assert_int_equal(reached, 0);
    assert_int_equal(now(sim), 7 * SECOND);
    assert_ok(peer_sim_run_until(sim, 0, 1, NULL)); /* past */
    assert_int_equal(now(sim), 7 * SECOND);
    assert_ok(peer_sim_run_until(sim, 0, INT64_MAX, &reached));
    assert_int_equal(reached, PEER_SIM_EXHAUSTED);
    assert_int_equal(now(sim), 7 * SECOND);
    assert_ok(peer_sim_run_until(sim, PEER_SIM_UNTIL_IDLE, INT64_MAX, &reached));
    assert_int_equal(reached, PEER_SIM_UNTIL_IDLE);
    assert_status(peer_sim_run_until(sim, PEER_SIM_EXHAUSTED, 1, NULL), E_INVALIDARG);
    assert_status(peer_sim_run_for(sim, INT64_MAX), E_INVALIDARG);
    assert_status(peer_sim_get_time(sim, NULL), E_INVALIDARG);
    assert_status(peer_sim_get_next_time(sim, NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

static void an_idle_network_has_nothing_under_way(void **state)
{
    peer_sim *sim = network(2);
    create(sim, host(sim));
    peer_graph *second = open_graph(sim, host(sim));
    uint32_t reached;
    uint32_t happened;
    uint32_t count;
    const peer_sim_message_view *messages;
    (void)state;
    connect_to(second, 1);
    assert_ok(peer_sim_run_until(sim, PEER_SIM_UNTIL_IDLE, 60 * SECOND, &reached));
    assert_int_equal(reached, PEER_SIM_UNTIL_IDLE);
    assert_status(peer_sim_get_messages(sim, NULL, sizeof(*messages), &count, &messages), PEER_S_NO_EVENT_DATA);
    assert_int_equal(count, 0);
    assert_true(now(sim) > 0);
    int64_t next_us;
    assert_ok(peer_sim_get_next_time(sim, &next_us));
    assert_true(next_us >= now(sim));
    assert_ok(peer_sim_step(sim, &happened));
    assert_int_equal(happened, 1); /* timers go on */
    assert_int_equal(now(sim), next_us);
    assert_ok(peer_sim_close(sim));
}

static void waiting_runs_the_network(void **state)
{
    peer_sim *sim = network(2);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = open_graph(sim, host(sim));
    peer_event_queue *queue = watch(second);
    peer_event_view view;
    (void)state;
    assert_status(peer_event_queue_wait(queue, 0), PEER_S_NO_EVENT_DATA);
    assert_int_equal(now(sim), 0);
    assert_status(peer_event_queue_wait(queue, 3000), PEER_S_NO_EVENT_DATA);
    assert_int_equal(now(sim), 3 * SECOND);
    assert_status(peer_event_queue_wait(queue, -2), E_INVALIDARG);
    connect_to(second, 1);
    assert_ok(peer_event_queue_wait(queue, -1));
    assert_in_range(now(sim), 3 * SECOND + 1, 4 * SECOND);
    int64_t then = now(sim);
    assert_ok(peer_event_queue_wait(queue, 60000)); /* the event is still there */
    assert_int_equal(now(sim), then);
    run(sim, 10);
    while (take(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &view))
        ;
    peer_guid id = add(first, "x");
    assert_ok(peer_event_queue_wait(queue, -1));
    assert_true(take(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &view));
    assert_memory_equal(&view.record_id, &id, sizeof(id));
    assert_ok(peer_sim_close(sim));
    assert_ok(peer_event_queue_wait(queue, -1));
    assert_true(take(queue, PEER_EVENT_CLOSED, &view));
    assert_int_equal(peer_event_queue_wait(queue, -1), PEER_S_NO_EVENT_DATA);
    assert_ok(peer_unregister_event(queue));
}

static void a_wait_without_end_ends(void **state)
{
    peer_sim *sim = network(2);
    peer_event_queue *queue = watch(open_graph(sim, host(sim)));
    (void)state;
    assert_status(peer_event_queue_wait(queue, -1), PEER_S_NO_EVENT_DATA);
    assert_int_equal(now(sim), 30 * 24 * 3600 * SECOND);
    assert_ok(peer_unregister_event(queue));
    assert_ok(peer_sim_close(sim));
}

static void ready_queues_are_told_once_for_each_news(void **state)
{
    peer_sim *sim = network(4);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    peer_event_queue *queues[2] = {watch(first), watch(second)};
    peer_event_queue *ready = (peer_event_queue *)1;
    peer_event_view view;
    uint32_t reached;
    (void)state;
    run(sim, 10);
    while (peer_sim_next_ready(sim, &ready) == PEER_OK)
        ;
    assert_null(ready);
    add(first, "a");
    assert_ok(peer_sim_run_until(sim, PEER_SIM_UNTIL_READY, now(sim) + SECOND, &reached));
    assert_int_equal(reached, PEER_SIM_UNTIL_READY);
    assert_ok(peer_sim_next_ready(sim, &ready));
    assert_ptr_equal(ready, queues[0]);
    assert_status(peer_sim_next_ready(sim, &ready), PEER_S_NO_EVENT_DATA);
    assert_ok(peer_event_queue_wait(queues[0], 0)); /* it still holds what was not taken */
    assert_ok(peer_sim_run_until(sim, PEER_SIM_UNTIL_READY, now(sim) + SECOND, &reached));
    assert_ok(peer_sim_next_ready(sim, &ready));
    assert_ptr_equal(ready, queues[1]);
    add(second, "b");
    while (take(queues[1], PEER_GRAPH_EVENT_RECORD_CHANGED, &view))
        ;
    assert_status(peer_sim_next_ready(sim, &ready), PEER_S_NO_EVENT_DATA); /* empty again before it was asked for */
    add(second, "c");
    assert_ok(peer_unregister_event(queues[1]));
    assert_status(peer_sim_next_ready(sim, &ready), PEER_S_NO_EVENT_DATA);
    assert_status(peer_sim_next_ready(sim, NULL), E_INVALIDARG);
    assert_ok(peer_unregister_event(queues[0]));
    assert_ok(peer_sim_close(sim));
}

static void clocks_differ(void **state)
{
    peer_sim *sim = network(1);
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    peer_sim_host_view view;
    uint32_t number;
    (void)state;
    input.clock_offset_us = -60 * SECOND;
    input.drift_ppm = 1000;
    assert_ok(peer_sim_add_host(sim, &input, &number));
    run(sim, 1000);
    assert_ok(peer_sim_get_host_view(sim, number, sizeof(view), &view));
    assert_int_equal(view.clock_utc_us, PEER_SIM_EPOCH_UTC_US + (1000 - 60 + 1) * SECOND);
    assert_int_equal(view.drift_ppm, 1000);
    assert_ok(peer_sim_set_clock(sim, number, 3600 * SECOND, 0));
    run(sim, 1);
    assert_ok(peer_sim_get_host_view(sim, number, sizeof(view), &view));
    assert_in_range(view.clock_utc_us, PEER_SIM_EPOCH_UTC_US + 4600 * SECOND, PEER_SIM_EPOCH_UTC_US + 4602 * SECOND);
    assert_status(peer_sim_set_clock(sim, number, 0, -100001), E_INVALIDARG);
    assert_status(peer_sim_set_clock(sim, 2, 0, 0), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

/* --- determinism ------------------------------------------------------------------------------------------------------ */

static uint64_t story(uint64_t seed)
{
    peer_sim *sim = network(seed);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    uint64_t drawn;
    add(first, "one");
    run(sim, 5);
    add(second, "two");
    assert_ok(peer_sim_crash(sim, 2, PEER_SIM_CRASH_MACHINE));
    run(sim, 300);
    assert_ok(peer_sim_restart(sim, 2));
    connect_to(open_graph(sim, 2), 1);
    run(sim, 30);
    assert_ok(peer_sim_draw(sim, 1000, &drawn));
    assert_true(drawn < 1000);
    uint64_t hash = trace_hash(sim);
    assert_ok(peer_sim_close(sim));
    return hash;
}

static void the_seed_decides_everything(void **state)
{
    (void)state;
    assert_true(story(11) == story(11));
    assert_true(story(11) != story(12));
}

/* --- crashes and disks ------------------------------------------------------------------------------------------------ */

static void a_crash_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    for (uint32_t how = PEER_SIM_CRASH_PROCESS; how <= PEER_SIM_CRASH_MACHINE; how++) {
        peer_sim *sim = network(6);
        peer_graph *first = create(sim, host(sim));
        peer_graph *second = join(sim, host(sim), 1);
        peer_event_queue *queue = watch(second);
        peer_runtime *old = runtime(sim, 2);
        peer_event_view view;
        peer_sim_host_view host_view;
        peer_guid id = add(second, "acknowledged");
        assert_ok(peer_sim_crash(sim, 2, how));
        assert_status(peer_sim_crash(sim, 2, how), PEER_E_NOT_FOUND);
        assert_ok(peer_sim_get_host_view(sim, 2, sizeof(host_view), &host_view));
        assert_int_equal(host_view.flags, 0);
        assert_status(peer_graph_listen(second, 1, 0, 0), PEER_E_INVALID_GRAPH);
        assert_status(peer_shutdown(old), PEER_E_NOT_INITIALIZED);
        assert_status(peer_sim_get_runtime(sim, 2, &old), PEER_E_NOT_FOUND);
        assert_true(take(queue, PEER_EVENT_CLOSED, &view));
        assert_ok(peer_unregister_event(queue));
        run(sim, 10);
        assert_false(has(first, &id)); /* nothing had left the host */
        assert_ok(peer_sim_restart(sim, 2));
        assert_status(peer_sim_restart(sim, 2), PEER_E_ALREADY_EXISTS);
        second = open_graph(sim, 2);
        assert_true(has(second, &id));
        connect_to(second, 1);
        assert_true(arrives(sim, first, &id, 120));
        assert_status(peer_sim_crash(sim, 2, 3), E_INVALIDARG);
        assert_status(peer_sim_crash(sim, 3, how), E_INVALIDARG);
        assert_status(peer_sim_restart(sim, 3), E_INVALIDARG);
        assert_ok(peer_sim_close(sim));
    }
}

static void add_to_a_full_disk(peer_sim *sim, peer_graph *graph)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_sim_host_view view;
    peer_guid id;
    record.type = note_type;
    record.expires_us = PEER_SIM_EPOCH_UTC_US + 3600 * SECOND;
    assert_ok(peer_sim_set_disk_full(sim, 1, 1));
    assert_ok(peer_sim_get_host_view(sim, 1, sizeof(view), &view));
    assert_int_equal(view.flags, PEER_SIM_HOST_UP | PEER_SIM_HOST_DISK_FULL);
    assert_status(peer_graph_add_record(graph, &record, &id), PEER_E_DISK_FULL);
    assert_ok(peer_sim_set_disk_full(sim, 1, 0));
    run(sim, 60);
    assert_ok(peer_graph_add_record(graph, &record, &id));
    assert_true(has(graph, &id));
}

static void a_full_disk_stores_nothing(void **state)
{
    char directory[] = "/tmp/peergraph-sim-XXXXXX";
    char command[64];
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        peer_sim *sim = network(6);
        peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
        uint32_t number;
        input.data_directory = on_disk ? directory : NULL;
        assert_ok(peer_sim_add_host(sim, &input, &number));
        peer_graph *graph = create(sim, number);
        run(sim, 1);
        add_to_a_full_disk(sim, graph);
        assert_status(peer_sim_set_disk_full(sim, 1, 2), E_INVALIDARG);
        assert_status(peer_sim_set_disk_full(sim, 2, 1), E_INVALIDARG);
        assert_ok(peer_sim_close(sim));
    }
    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

/* --- memory and threads ----------------------------------------------------------------------------------------------- */

static peer_status open_and_add(void)
{
    peer_sim *sim;
    uint32_t number;
    peer_runtime *some_runtime;
    peer_status status = peer_sim_open(1, NULL, &sim);
    if (status < 0)
        return status;
    status = peer_sim_add_host(sim, NULL, &number);
    if (status >= 0)
        status = peer_sim_get_runtime(sim, 1, &some_runtime);
    if (status >= 0)
        status = peer_sim_cut(sim, 1, &number, 1, &number);
    if (status >= 0)
        status = peer_sim_set_link(sim, 1, 1, &(peer_sim_link_input)PEER_SIM_LINK_INPUT_INIT);
    if (status >= 0)
        status = peer_sim_keep_trace(sim, 1000);
    if (status >= 0)
        status = peer_sim_set_interception(sim, 1, &(peer_sim_filter_input)PEER_SIM_FILTER_INPUT_INIT);
    if (status >= 0)
        status = peer_shutdown(some_runtime);
    if (status >= 0)
        status = peer_sim_get_runtime(sim, 1, &some_runtime);
    peer_status closed = peer_sim_close(sim);
    return status < 0 ? status : closed;
}

static void every_allocation_may_fail(void **state)
{
    peer_sim *kept = network(1); /* so that the table of handles has grown */
    (void)state;
    assert_ok(open_and_add());
    assert_survives_no_memory(open_and_add);
    assert_ok(peer_sim_close(kept));
}

struct crowd {
    peer_sim *sim;
    peer_graph *graph;
};

static void *disturb(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < 50; i++) {
        peer_runtime *some_runtime;
        uint32_t status;
        peer_graph_get_status(crowd->graph, &status);
        peer_sim_run_for(crowd->sim, SECOND / 10);
        if (peer_sim_get_runtime(crowd->sim, 2, &some_runtime) == PEER_OK && i % 5 == 0)
            peer_shutdown(some_runtime);
        peer_sim_crash(crowd->sim, 2, PEER_SIM_CRASH_PROCESS);
        peer_sim_restart(crowd->sim, 2);
    }
    return NULL;
}

/* Not what a program should do, but nothing may break. */
static void threads_may_not_break_it(void **state)
{
    peer_sim *sim = network(1);
    struct crowd crowd = {sim, create(sim, host(sim))};
    peer_event_queue *queue = watch(crowd.graph);
    pthread_t threads[4];
    (void)state;
    host(sim);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, disturb, &crowd), 0);
    for (int i = 0; i < 20; i++)
        peer_event_queue_wait(queue, 100);
    assert_ok(peer_sim_close(sim));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_ok(peer_unregister_event(queue));
}

struct successor {
    peer_runtime *runtime;
    peer_graph *graph;
};

static void *open_as_soon_as_it_may(void *context)
{
    struct successor *successor = context;
    while (peer_graph_open(successor->runtime, "G", "p1", NULL, NULL, 0, NULL, &successor->graph) < 0)
        continue;
    return NULL;
}

/* The store is closed without the network's lock, and may be opened or deleted by others the moment that it is. */
static void a_closed_graph_may_be_opened_at_once(void **state)
{
    peer_sim *sim = network(1);
    struct successor successor = {.runtime = runtime(sim, host(sim)), .graph = open_graph(sim, 1)};
    (void)state;
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        peer_graph *graph = successor.graph;
        assert_int_equal(pthread_create(&thread, NULL, open_as_soon_as_it_may, &successor), 0);
        assert_ok(peer_graph_close(graph));
        pthread_join(thread, NULL);
    }
    assert_ok(peer_sim_close(sim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_handle_is_told),
        cmocka_unit_test(the_close_leaves_the_last_error_alone),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(hosts_have_names_and_addresses),
        cmocka_unit_test(wrong_hosts_are_refused),
        cmocka_unit_test(a_thousand_hosts),
        cmocka_unit_test(a_runtime_is_like_any_other),
        cmocka_unit_test(a_runtime_can_be_shut_down_and_started_again),
        cmocka_unit_test(a_store_on_disk_survives_the_network),
        cmocka_unit_test(time_passes_only_when_told),
        cmocka_unit_test(an_idle_network_has_nothing_under_way),
        cmocka_unit_test(waiting_runs_the_network),
        cmocka_unit_test(a_wait_without_end_ends),
        cmocka_unit_test(ready_queues_are_told_once_for_each_news),
        cmocka_unit_test(clocks_differ),
        cmocka_unit_test(the_seed_decides_everything),
        cmocka_unit_test(a_crash_keeps_what_was_acknowledged),
        cmocka_unit_test(a_full_disk_stores_nothing),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(threads_may_not_break_it),
        cmocka_unit_test(a_closed_graph_may_be_opened_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

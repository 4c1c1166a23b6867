/* Each function of a graph when memory runs out at each of its allocations: it says so, has done nothing, leaves nothing
 * behind, and works when there is memory again. Functions with a sweep in the test of their subject are not repeated. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim_world.h"

#define HOUR (3600 * SECOND)

/* Two nodes, of which the second judges; a third host has nothing. */
struct nodes {
    peer_sim *sim;
    peer_graph *graph;
    peer_graph *judge;
    peer_event_queue *questions;
    peer_event_queue *door; /* lets direct connections in */
    peer_guid id;
    uint64_t validation_id;
    uint64_t direct_id;
};

static struct nodes nodes;
static int64_t live; /* blocks before the nodes were made */

/* PEER_OK, or what failed; what was made is gone again either way. */
typedef peer_status (*attempt)(void);

static peer_graph_properties_input other_graph(void)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    properties.graph_id = "other";
    properties.creator_id = "carol";
    properties.friendly_name = "another graph";
    properties.presence_max = 5;
    return properties;
}

static peer_record_input note(void)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    int64_t now_us;
    assert_ok(peer_graph_universal_time_to_peer_time(nodes.graph, PEER_SIM_EPOCH_UTC_US, &now_us));
    record.type = note_type;
    record.data = "a note";
    record.size = 6;
    record.attributes = "<attributes><attribute name=\"tag\" type=\"string\">some text</attribute></attributes>";
    record.expires_us = now_us + 1000 * HOUR;
    record.flags = PEER_RECORD_FLAG_AUTOREFRESH;
    return record;
}

/* ---------------------------------------------------------------------------------------------------- graphs */

static peer_status create_and_delete(void)
{
    peer_graph *graph;
    peer_graph_properties_input properties = other_graph();
    peer_status status = peer_graph_create(runtime(nodes.sim, 3), &properties, NULL, NULL, &graph);
    if (status < 0)
        return status;
    status = peer_graph_listen(graph, PEER_GRAPH_SCOPE_GLOBAL, 0, 5001);
    if (status >= 0)
        status = peer_graph_set_properties(graph, &properties);
    assert_ok(peer_graph_close(graph));
    peer_status deleted = peer_graph_delete(runtime(nodes.sim, 3), "other", "carol", NULL);
    if (deleted < 0) {
        peer__memory_fail_after(-1);
        assert_ok(peer_graph_delete(runtime(nodes.sim, 3), "other", "carol", NULL));
    }
    return status < 0 ? status : deleted;
}

static peer_status open_and_connect(void)
{
    peer_graph *graph;
    uint64_t connection_id;
    peer_graph_options_input options = {.struct_size = sizeof(options), .flags = PEER_GRAPH_OPTION_MANUAL};
    peer_status status = peer_graph_open(runtime(nodes.sim, 3), "G", "p3", "database", &options, 1, &note_type, &graph);
    if (status < 0)
        return status;
    status = peer_graph_connect(graph, "p1", "h1:5000", &connection_id);
    assert_ok(peer_graph_close(graph));
    return status < 0 ? status : PEER_OK;
}

static peer_status properties(void)
{
    peer_graph_properties *found;
    peer_graph_properties_view view;
    peer_graph_properties_input input = other_graph();
    input.graph_id = input.creator_id = NULL;
    peer_status status = peer_graph_set_properties(nodes.graph, &input);
    if (status >= 0)
        status = peer_graph_get_properties(nodes.graph, &found);
    if (status < 0)
        return status;
    status = peer_graph_properties_get_view(found, sizeof(view), &view);
    peer_free_data(found);
    return status;
}

/* ---------------------------------------------------------------------------------------------------- nodes */

static peer_status items_of(peer_status status, peer_enum *enumeration, size_t view_size, int has_views)
{
    uint32_t count;
    const void *const *items;
    const void *views;
    if (status < 0)
        return status;
    status = peer_get_item_count(enumeration, &count);
    if (status >= 0) {
        assert_true(count > 0);
        count = 0;
        status = has_views ? peer_get_item_views(enumeration, 10, view_size, &count, &views)
                           : peer_get_next_item(enumeration, 10, &count, &items);
        if (status >= 0) {
            assert_true(count > 0);
            peer_free_data(has_views ? views : (const void *)items);
        }
    }
    assert_ok(peer_end_enumeration(enumeration));
    return status;
}

static peer_status node_info(void)
{
    peer_node_info *info;
    peer_node_info_view view;
    peer_status status = peer_graph_get_node_info(nodes.graph, 0, &info);
    if (status < 0)
        return status;
    status = peer_node_info_get_view(info, sizeof(view), &view);
    peer_free_data(info);
    return status;
}

static peer_status node_attributes(void)
{
    peer_status status = peer_graph_set_node_attributes(nodes.graph, "attributes of this node");
    if (status >= 0)
        status = peer_graph_set_presence(nodes.graph, 1);
    if (status >= 0)
        status = peer_graph_set_presence(nodes.graph, 0);
    return status >= 0 ? peer_graph_set_node_attributes(nodes.graph, NULL) : status;
}

static peer_status enumerate_nodes(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_enum_nodes(nodes.graph, NULL, &enumeration);
    return items_of(status, enumeration, sizeof(peer_node_info_view), 0);
}

static peer_status enumerate_connections(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_enum_connections(nodes.graph, PEER_CONNECTION_NEIGHBOR, &enumeration);
    return items_of(status, enumeration, sizeof(peer_connection_info_view), 0);
}

static peer_status view_connections(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_enum_connections(nodes.graph, PEER_CONNECTION_NEIGHBOR, &enumeration);
    return items_of(status, enumeration, sizeof(peer_connection_info_view), 1);
}

static peer_status direct_connection(void)
{
    uint64_t connection_id;
    peer_status status = peer_graph_open_direct_connection(nodes.graph, "p2", "h2:5000", &connection_id);
    if (status >= 0)
        status = peer_graph_close_direct_connection(nodes.graph, connection_id);
    return status;
}

/* What could not be sent has ended the connection or has not: the next one is another. */
static peer_status send_data(void)
{
    static const uint8_t data[1000];
    return peer_graph_send_data(nodes.graph, nodes.direct_id, &note_type, data, sizeof(data));
}

/* ---------------------------------------------------------------------------------------------------- records */

static peer_status add_and_change(void)
{
    peer_guid id;
    peer_record *found;
    peer_record_input record = note();
    peer_status status = peer_graph_add_record(nodes.graph, &record, &id);
    if (status < 0)
        return status;
    record.id = id;
    record.security_data = "signed";
    record.security_data_size = 6;
    status = peer_graph_update_record(nodes.graph, &record);
    if (status >= 0)
        status = peer_graph_get_record(nodes.graph, &id, &found);
    if (status >= 0)
        peer_free_data(found);
    if (status >= 0)
        status = peer_graph_delete_secured_record(nodes.graph, &record);
    if (status < 0) {
        peer__memory_fail_after(-1);
        assert_true(has(nodes.graph, &id));
        assert_ok(peer_graph_delete_record(nodes.graph, &id, 0));
    }
    assert_false(has(nodes.graph, &id));
    return status;
}

static peer_status enumerate_records(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_enum_records(nodes.graph, &note_type, "p1", &enumeration);
    return items_of(status, enumeration, sizeof(peer_record_view), 0);
}

static peer_status view_records(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_enum_records(nodes.graph, NULL, NULL, &enumeration);
    return items_of(status, enumeration, sizeof(peer_record_view), 1);
}

static peer_status search_records(void)
{
    peer_enum *enumeration;
    peer_status status = peer_graph_search_records(
        nodes.graph,
        "<peersearch><and><clause attrib=\"peercreatorid\" type=\"string\" compare=\"equal\">p1</clause>"
        "<clause attrib=\"peercreationtime\" type=\"date\" compare=\"less\">2090-01-01</clause></and></peersearch>",
        &enumeration);
    return items_of(status, enumeration, sizeof(peer_record_view), 1);
}

/* ---------------------------------------------------------------------------------------------------- judgement */

static peer_status get_deferred(void)
{
    peer_record *found;
    peer_status status = peer_graph_get_deferred_record(nodes.judge, nodes.validation_id, &found);
    if (status >= 0)
        peer_free_data(found);
    return status;
}

static peer_status ask_again(void)
{
    return peer_graph_validate_deferred_records(nodes.judge, 1, &nodes.id);
}

/* ---------------------------------------------------------------------------------------------------- events */

static peer_status events(void)
{
    peer_event_queue *queue;
    peer_event *event;
    uint32_t count = 0;
    const peer_event_view *views;
    const peer_event_registration registrations[] = {{.type = PEER_GRAPH_EVENT_RECORD_CHANGED},
                                                     {.type = PEER_GRAPH_EVENT_STATUS_CHANGED}};
    peer_status status = peer_graph_register_event(nodes.graph, 2, registrations, &queue);
    if (status < 0)
        return status;
    int64_t left = peer__memory_hold_failures();
    peer_guid ids[2] = {add(nodes.graph, "one"), add(nodes.graph, "two")};
    peer__memory_fail_after(left);
    status = peer_get_event_data(queue, &event);
    if (status >= 0)
        peer_free_data(event);
    if (status >= 0)
        status = peer_get_event_batch(queue, 10, sizeof(peer_event_view), &count, &views);
    if (status >= 0)
        peer_free_data(views);
    left = peer__memory_hold_failures();
    for (size_t i = 0; i < 2; i++)
        assert_ok(peer_graph_delete_record(nodes.graph, &ids[i], 0));
    peer__memory_fail_after(left);
    assert_ok(peer_unregister_event(queue));
    return status;
}

/* ---------------------------------------------------------------------------------------------------- sweeps */

/* One success first: some memory is kept for the next time. */
static void sweep(attempt call)
{
    assert_ok(call());
    run(nodes.sim, 1);
    assert_ok(call());
    run(nodes.sim, 1);
    for (int64_t granted = 0;; granted++) {
        assert_true(granted < 2000);
        peer__memory_fail_after(granted);
        peer_status status = call();
        peer__memory_fail_after(-1);
        run(nodes.sim, 1);
        if (status == PEER_OK)
            break;
        assert_status(status, E_OUTOFMEMORY);
        assert_ok(call());
        run(nodes.sim, 1);
    }
}

/* A judgement cannot be repeated: each has a record of its own. */
static void judge_sweep(peer_status verdict)
{
    peer_event_view view;
    for (int64_t granted = 0;; granted++) {
        assert_true(granted < 2000);
        peer_guid id = add(nodes.graph, "to be judged");
        run(nodes.sim, 2);
        assert_true(take(nodes.questions, PEER_EVENT_VALIDATION, &view));
        peer__memory_fail_after(granted);
        peer_status status = peer_graph_judge_record(nodes.judge, view.validation_id, verdict);
        peer__memory_fail_after(-1);
        if (status < 0) {
            assert_status(status, E_OUTOFMEMORY);
            assert_false(has(nodes.judge, &id));
            assert_ok(peer_graph_judge_record(nodes.judge, view.validation_id, verdict));
        }
        assert_int_equal(has(nodes.judge, &id), verdict == PEER_OK);
        run(nodes.sim, 2);
        if (status == PEER_OK)
            break;
    }
}

static void every_function_survives(void **state)
{
    static const attempt attempts[] = {
        create_and_delete,     open_and_connect, properties,        node_info, node_attributes, enumerate_nodes,
        enumerate_connections, view_connections, direct_connection, send_data, add_and_change,  enumerate_records,
        view_records,          search_records,   get_deferred,      ask_again, events,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        sweep(attempts[i]);
}

static void judgements_survive(void **state)
{
    (void)state;
    judge_sweep(PEER_OK);
    judge_sweep(PEER_E_INVALID_RECORD);
    judge_sweep(PEER_E_DEFERRED_VALIDATION);
}

static int setup(void **state)
{
    peer_event_view view;
    uint64_t connection_id;
    peer_graph_options_input options = {.struct_size = sizeof(options),
                                        .flags = PEER_GRAPH_OPTION_MANUAL | PEER_GRAPH_OPTION_JUDGE};
    const peer_event_registration direct = {.type = PEER_GRAPH_EVENT_DIRECT_CONNECTION};
    (void)state;
    assert_ok(peer_sim_close(network(1))); /* so that the table of handles has grown */
    live = peer__memory_live();
    nodes.sim = network(1);
    for (uint32_t number = 1; number <= 3; number++)
        assert_int_equal(host(nodes.sim), number);
    nodes.graph = create(nodes.sim, 1);
    assert_ok(peer_graph_set_presence(nodes.graph, 1));
    nodes.id = add(nodes.graph, "waits");
    assert_true(peer_graph_open(runtime(nodes.sim, 2), "G", "p2", NULL, &options, 0, NULL, &nodes.judge) >= 0);
    nodes.questions = watch(nodes.judge);
    connect_to(nodes.judge, 1);
    run(nodes.sim, 5);
    assert_true(take(nodes.questions, PEER_EVENT_VALIDATION, &view));
    nodes.validation_id = view.validation_id;
    assert_ok(peer_graph_judge_record(nodes.judge, nodes.validation_id, PEER_E_DEFERRED_VALIDATION));
    run(nodes.sim, 5);
    assert_ok(peer_graph_listen(nodes.judge, PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    assert_ok(peer_graph_register_event(nodes.judge, 1, &direct, &nodes.door));
    assert_ok(peer_graph_open_direct_connection(nodes.graph, "p2", "h2:5000", &connection_id));
    nodes.direct_id = connection_id;
    run(nodes.sim, 30);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    peer_event_view view;
    assert_false(take(nodes.questions, INT32_MAX, &view)); /* gives the last one free */
    assert_ok(peer_unregister_event(nodes.questions));
    assert_ok(peer_unregister_event(nodes.door));
    assert_ok(peer_sim_close(nodes.sim));
    assert_int_equal(peer__memory_live(), live);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_function_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(judgements_survive, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sim_world.h"

#include <stdio.h>

const peer_guid note_type = {{0x4e, 0x6f, 0x74, 0x65, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 4, 4, 5, 5, 6, 6}};

static const peer_graph_options_input manual = {.struct_size = sizeof(manual), .flags = PEER_GRAPH_OPTION_MANUAL};

void assert_status(peer_status status, peer_status expected)
{
    if (status != expected)
        fail_msg("%s instead of %s: %s", peer_status_name(status), peer_status_name(expected),
                 peer_last_error_message());
}

peer_sim *network(uint64_t seed)
{
    peer_sim *sim;
    assert_ok(peer_sim_open(seed, NULL, &sim));
    return sim;
}

uint32_t host(peer_sim *sim)
{
    uint32_t number;
    assert_ok(peer_sim_add_host(sim, NULL, &number));
    return number;
}

peer_runtime *runtime(peer_sim *sim, uint32_t number)
{
    peer_runtime *runtime;
    assert_ok(peer_sim_get_runtime(sim, number, &runtime));
    return runtime;
}

static void name(uint32_t number, char text[16])
{
    snprintf(text, 16, "p%u", number);
}

peer_graph *create(peer_sim *sim, uint32_t number)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;
    char peer_id[16];
    name(number, peer_id);
    properties.graph_id = "G";
    properties.creator_id = peer_id;
    properties.presence_max = 0;
    assert_ok(peer_graph_create(runtime(sim, number), &properties, NULL, &manual, &graph));
    assert_ok(peer_graph_listen(graph, PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    return graph;
}

peer_graph *open_graph(peer_sim *sim, uint32_t number)
{
    peer_graph *graph;
    char peer_id[16];
    name(number, peer_id);
    assert_true(peer_graph_open(runtime(sim, number), "G", peer_id, NULL, &manual, 0, NULL, &graph) >= 0);
    return graph;
}

void connect_to(peer_graph *graph, uint32_t to)
{
    char address[32];
    snprintf(address, sizeof(address), "h%u:5000", to);
    assert_ok(peer_graph_connect(graph, NULL, address, NULL));
}

static int is_synchronized(peer_graph *graph)
{
    uint32_t status;
    assert_ok(peer_graph_get_status(graph, &status));
    return (status & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
}

peer_graph *join(peer_sim *sim, uint32_t number, uint32_t to)
{
    peer_graph *graph = open_graph(sim, number);
    connect_to(graph, to);
    for (int i = 0; i < 1200 && !is_synchronized(graph); i++)
        assert_ok(peer_sim_run_for(sim, SECOND / 10));
    assert_true(is_synchronized(graph));
    assert_ok(peer_graph_listen(graph, PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    return graph;
}

static int64_t peer_time(peer_graph *graph)
{
    int64_t time_us;
    assert_ok(peer_graph_universal_time_to_peer_time(graph, PEER_SIM_EPOCH_UTC_US, &time_us));
    return time_us;
}

peer_guid add(peer_graph *graph, const char *text)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    record.type = note_type;
    record.expires_us = peer_time(graph) + 100 * 24 * 3600 * SECOND;
    record.data = text;
    record.size = strlen(text);
    assert_ok(peer_graph_add_record(graph, &record, &id));
    return id;
}

int has(peer_graph *graph, const peer_guid *id)
{
    peer_record *record;
    if (peer_graph_get_record(graph, id, &record) != PEER_OK)
        return 0;
    peer_free_data(record);
    return 1;
}

int arrives(peer_sim *sim, peer_graph *graph, const peer_guid *id, int64_t seconds)
{
    for (int64_t i = 0; i < seconds * 10 && !has(graph, id); i++)
        assert_ok(peer_sim_run_for(sim, SECOND / 10));
    return has(graph, id);
}

void run(peer_sim *sim, int64_t seconds)
{
    assert_ok(peer_sim_run_for(sim, seconds * SECOND));
}

int64_t now(peer_sim *sim)
{
    int64_t now_us;
    assert_ok(peer_sim_get_time(sim, &now_us));
    return now_us;
}

uint64_t trace_hash(peer_sim *sim)
{
    uint64_t hash;
    assert_ok(peer_sim_get_trace_hash(sim, &hash));
    return hash;
}

peer_event_queue *watch(peer_graph *graph)
{
    peer_event_queue *queue;
    assert_ok(peer_graph_register_event(graph, 0, NULL, &queue));
    return queue;
}

int take(peer_event_queue *queue, int32_t type, peer_event_view *view_out)
{
    static peer_event *last;
    peer_free_data(last);
    last = NULL;
    while (peer_get_event_data(queue, &last) == PEER_OK) {
        assert_ok(peer_event_get_view(last, sizeof(*view_out), view_out));
        if (view_out->type == type)
            return 1;
        peer_free_data(last);
        last = NULL;
    }
    return 0;
}

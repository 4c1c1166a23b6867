#include "scene.h"

void check(peer_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", peer_status_name(status), peer_last_error_message());
        exit(1);
    }
}

static peer_runtime *runtime_of(peer_sim *sim, const char *name, uint32_t *host)
{
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    peer_runtime *runtime;

    input.name = name;
    check(peer_sim_add_host(sim, &input, host));
    check(peer_sim_get_runtime(sim, *host, &runtime));
    return runtime;
}

static void synchronize(peer_graph *graph)
{
    peer_event_queue *queue = watch(graph, PEER_GRAPH_EVENT_STATUS_CHANGED);
    uint32_t status = 0;

    check(peer_graph_connect(graph, NULL, "alice:5000", NULL));
    while (!(status & PEER_GRAPH_STATUS_SYNCHRONIZED)) {
        peer_event *event;
        check(peer_event_queue_wait(queue, 60000));
        check(peer_get_event_data(queue, &event));
        assert(event);
        peer_free_data(event);
        check(peer_graph_get_status(graph, &status));
    }
    check(peer_unregister_event(queue));
}

struct scene open_scene(uint32_t options)
{
    struct scene scene;
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph_options_input how = PEER_GRAPH_OPTIONS_INPUT_INIT;

    check(peer_sim_open(1, NULL, &scene.sim));
    scene.alice_runtime = runtime_of(scene.sim, "alice", &scene.alice_host);
    scene.bob_runtime = runtime_of(scene.sim, "bob", &scene.bob_host);
    how.flags = options;
    properties.graph_id = "film club";
    properties.creator_id = "alice";
    check(peer_graph_create(scene.alice_runtime, &properties, NULL, &how, &scene.alice));
    check(peer_graph_listen(scene.alice, PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    check(peer_graph_open(scene.bob_runtime, "film club", "bob", NULL, NULL, 0, NULL, &scene.bob));
    synchronize(scene.bob);
    return scene;
}

void close_scene(struct scene *scene)
{
    check(peer_sim_close(scene->sim));
}

int64_t in_an_hour(peer_graph *graph)
{
    int64_t now_us;

    check(peer_graph_universal_time_to_peer_time(graph, PEER_SIM_EPOCH_UTC_US, &now_us));
    return now_us + HOUR_US;
}

peer_guid add_note(peer_graph *graph, const char *text)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    record.type = NOTE;
    record.data = text;
    record.size = strlen(text);
    record.expires_us = in_an_hour(graph);
    check(peer_graph_add_record(graph, &record, &id));
    return id;
}

peer_event_queue *watch(peer_graph *graph, int32_t type)
{
    peer_event_registration registration = {.type = type};
    peer_event_queue *queue;

    check(peer_graph_register_event(graph, 1, &registration, &queue));
    return queue;
}

uint64_t wait_for_connection(peer_event_queue *queue)
{
    peer_event *event;
    peer_event_view view;
    uint64_t id;

    check(peer_event_queue_wait(queue, 60000));
    check(peer_get_event_data(queue, &event));
    check(peer_event_get_view(event, sizeof view, &view));
    assert(view.change == PEER_CONNECTED);
    id = view.connection_id;
    peer_free_data(event);
    return id;
}

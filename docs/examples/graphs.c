#include "scene.h"

static void create(peer_runtime *runtime)
{
    /* example: peer_graph_create peer_graph_listen peer_graph_close peer_graph_delete */
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;

    properties.graph_id = "book club";
    properties.creator_id = "alice";
    properties.friendly_name = "Those who read";
    check(peer_graph_create(runtime, &properties, NULL, NULL, &graph));
    check(peer_graph_listen(graph, PEER_GRAPH_SCOPE_GLOBAL, 0, 5001));
    /* … */
    check(peer_graph_close(graph));
    check(peer_graph_delete(runtime, "book club", "alice", NULL));
    /* end */
}

static void join(peer_runtime *runtime)
{
    /* example: peer_graph_open peer_graph_connect peer_graph_get_status */
    peer_graph *graph;
    peer_event_queue *queue;
    uint32_t flags = 0;
    peer_status status = peer_graph_open(runtime, "film club", "carol", NULL, NULL, 0, NULL, &graph);

    check(status);
    if (status == PEER_S_GRAPH_DATA_CREATED)
        printf("nothing is here yet\n");
    check(peer_graph_register_event(graph, 0, NULL, &queue));
    check(peer_graph_connect(graph, NULL, "alice:5000", NULL));
    while (!(flags & PEER_GRAPH_STATUS_SYNCHRONIZED)) {
        peer_event *event;
        check(peer_event_queue_wait(queue, -1));
        check(peer_get_event_data(queue, &event));
        peer_free_data(event);
        check(peer_graph_get_status(graph, &flags));
    }
    /* end */
    check(peer_unregister_event(queue));
    check(peer_graph_close(graph));
}

static void properties(peer_graph *graph)
{
    /* example: peer_graph_get_properties peer_graph_properties_get_view peer_graph_set_properties */
    peer_graph_properties *properties;
    peer_graph_properties_view view;

    check(peer_graph_get_properties(graph, &properties));
    check(peer_graph_properties_get_view(properties, sizeof view, &view));
    view.friendly_name = "Those who watch";
    check(peer_graph_set_properties(graph, &view));
    peer_free_data(properties);
    /* end */
}

static void objects(peer_graph *graph)
{
    /* example: peer_retain_data peer_free_data */
    peer_graph_properties *properties;

    check(peer_graph_get_properties(graph, &properties));
    check(peer_retain_data(properties)); /* for another owner, in another thread say */
    peer_free_data(properties);
    peer_free_data(properties); /* the last owner lets go */
    peer_free_data(NULL);       /* does nothing */
    /* end */
}

int main(void)
{
    struct scene scene = open_scene(0);

    create(scene.alice_runtime);
    join(scene.bob_runtime);
    properties(scene.alice);
    objects(scene.alice);
    close_scene(&scene);
    return 0;
}

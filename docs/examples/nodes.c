#include "scene.h"

static void nodes(peer_graph *graph)
{
    /* example: peer_graph_get_node_info peer_node_info_get_view */
    peer_node_info *info;
    peer_node_info_view view;

    check(peer_graph_get_node_info(graph, 0, &info)); /* 0: this node */
    check(peer_node_info_get_view(info, sizeof view, &view));
    printf("%s is node %016" PRIx64 "\n", view.peer_id, view.node_id);
    if (view.address_count)
        printf("connect to %s\n", view.addresses[0]);
    peer_free_data(info);
    /* end */

    /* example: peer_graph_set_presence peer_graph_set_node_attributes */
    check(peer_graph_set_presence(graph, 1));
    check(peer_graph_set_node_attributes(graph, "at lunch"));
    /* end */
}

static void present(peer_graph *graph)
{
    /* example: peer_graph_enum_nodes */
    peer_enum *nodes;
    const void *const *items;
    uint32_t count;

    check(peer_graph_enum_nodes(graph, NULL, &nodes));
    check(peer_get_next_item(nodes, 100, &count, &items));
    for (uint32_t i = 0; i < count; i++) {
        peer_node_info_view view;
        check(peer_node_info_get_view(items[i], sizeof view, &view));
        printf("%s is here\n", view.peer_id);
    }
    peer_free_data(items);
    check(peer_end_enumeration(nodes));
    /* end */
}

static void connections(peer_graph *graph)
{
    /* example: peer_graph_enum_connections peer_connection_info_get_view */
    peer_enum *connections;
    const void *const *items;
    uint32_t count;

    check(peer_graph_enum_connections(graph, PEER_CONNECTION_NEIGHBOR, &connections));
    check(peer_get_next_item(connections, 100, &count, &items));
    for (uint32_t i = 0; i < count; i++) {
        peer_connection_info_view view;
        check(peer_connection_info_get_view(items[i], sizeof view, &view));
        printf("connected to %s at %s\n", view.peer_id, view.address);
    }
    peer_free_data(items);
    check(peer_end_enumeration(connections));
    /* end */
    assert(count == 1);
}

static void direct(struct scene *scene)
{
    peer_graph *graph = scene->bob;
    peer_event_queue *hers = watch(scene->alice, PEER_GRAPH_EVENT_DIRECT_CONNECTION);
    /* example: peer_graph_open_direct_connection peer_graph_send_data peer_graph_pause_direct_connection
     * peer_graph_close_direct_connection */
    peer_event_queue *queue = watch(graph, PEER_GRAPH_EVENT_DIRECT_CONNECTION);
    uint64_t id;

    check(peer_graph_open_direct_connection(graph, "alice", "alice:5000", &id));
    wait_for_connection(queue); /* PEER_GRAPH_EVENT_DIRECT_CONNECTION with PEER_CONNECTED */
    check(peer_graph_send_data(graph, id, &NOTE, "hello", 5));
    check(peer_graph_pause_direct_connection(graph, id, 1)); /* what she sends waits with her */
    check(peer_graph_pause_direct_connection(graph, id, 0));
    check(peer_graph_close_direct_connection(graph, id)); /* "hello" still arrives */
    /* end */
    check(peer_unregister_event(hers));
    check(peer_unregister_event(queue));
}

int main(void)
{
    struct scene scene = open_scene(0);

    nodes(scene.alice);
    present(scene.alice);
    connections(scene.alice);
    direct(&scene);
    close_scene(&scene);
    return 0;
}

/* From the command line to a graph that is open, and the way out. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failure that this program can do nothing about is told, and ends it. */
static void check(peer_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", peer_status_name(status), peer_last_error_message());
        exit(1);
    }
}

static peer_graph *create(peer_runtime *runtime, const char *graph_id, const char *peer_id)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;
    peer_status status;

    properties.graph_id = graph_id;
    properties.creator_id = peer_id;
    status = peer_graph_create(runtime, &properties, NULL, NULL, &graph);
    if (status == PEER_E_DATABASE_ALREADY_PRESENT) /* we made it when we ran before */
        status = peer_graph_open(runtime, graph_id, peer_id, NULL, NULL, 0, NULL, &graph);
    check(status);
    return graph;
}

/* On this machine only: whoever can connect can read and write the graph. */
static void listen_and_tell(peer_graph *graph)
{
    peer_node_info *info;
    peer_node_info_view view;

    check(peer_graph_listen(graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0));
    check(peer_graph_get_node_info(graph, 0, &info));
    check(peer_node_info_get_view(info, sizeof view, &view));
    printf("listening at %s\n", view.addresses[0]);
    peer_free_data(info);
}

void watch_open(struct watch *watch, int argc, char **argv)
{
    int creates = argc == 4 && strcmp(argv[1], "create") == 0;
    int joins = argc == 5 && strcmp(argv[1], "join") == 0;
    uint32_t status;
    int64_t descriptor;

    if (!creates && !joins) {
        fprintf(stderr, "usage: %s create GRAPH PEER\n       %s join GRAPH PEER ADDRESS\n", argv[0], argv[0]);
        exit(2);
    }
    *watch = (struct watch){0};
    check(peer_startup(PEER_GRAPH_VERSION, NULL, NULL, &watch->runtime));
    if (creates)
        watch->graph = create(watch->runtime, argv[2], argv[3]);
    else
        check(peer_graph_open(watch->runtime, argv[2], argv[3], NULL, NULL, 0, NULL, &watch->graph));
    check(peer_graph_register_event(watch->graph, 0, NULL, &watch->queue));
    check(peer_event_queue_get_descriptor(watch->queue, &descriptor));
    watch->descriptor = (int)descriptor;
    if (creates)
        listen_and_tell(watch->graph);
    else
        check(peer_graph_connect(watch->graph, NULL, argv[4], NULL));
    check(peer_graph_get_status(watch->graph, &status));
    watch->synchronized = (status & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
    fflush(stdout);
}

void watch_close(struct watch *watch)
{
    peer_unregister_event(watch->queue);
    peer_graph_close(watch->graph);
    peer_shutdown(watch->runtime);
}

#include "scene.h"

#include <poll.h>

static void events(peer_graph *graph)
{
    /* example: peer_graph_register_event peer_event_queue_wait peer_get_event_data peer_event_get_view
     * peer_unregister_event */
    const peer_event_registration wanted[] = {
        {.type = PEER_GRAPH_EVENT_RECORD_CHANGED, .record_type = &NOTE},
        {.type = PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION},
    };
    peer_event_queue *queue;
    peer_event *event;

    check(peer_graph_register_event(graph, 2, wanted, &queue));
    add_note(graph, "hello");
    check(peer_event_queue_wait(queue, 1000)); /* milliseconds */
    while (peer_get_event_data(queue, &event) == PEER_OK) {
        peer_event_view view;
        check(peer_event_get_view(event, sizeof view, &view));
        if (view.type == PEER_GRAPH_EVENT_RECORD_CHANGED && view.change == PEER_RECORD_ADDED)
            printf("a new note\n");
        peer_free_data(event);
    }
    check(peer_unregister_event(queue));
    /* end */
}

static void poll_them(peer_graph *graph, peer_event_queue *queue)
{
    add_note(graph, "hello again");
    /* example: peer_event_queue_get_descriptor peer_get_event_batch */
    int64_t descriptor;
    struct pollfd wait = {.events = POLLIN};
    const peer_event_view *views;
    uint32_t count;

    check(peer_event_queue_get_descriptor(queue, &descriptor));
    wait.fd = (int)descriptor;
    poll(&wait, 1, -1);
    check(peer_get_event_batch(queue, 256, sizeof *views, &count, &views));
    for (uint32_t i = 0; i < count; i++)
        printf("event %d\n", views[i].type);
    peer_free_data(views);
    /* end */
    assert(count == 1);
}

int main(void)
{
    struct scene scene = open_scene(0);
    peer_event_queue *queue;

    events(scene.alice);
    queue = watch(scene.alice, PEER_GRAPH_EVENT_RECORD_CHANGED);
    poll_them(scene.alice, queue);
    check(peer_unregister_event(queue));
    close_scene(&scene);
    return 0;
}

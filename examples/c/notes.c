/* Lines of text as records of a graph: adding them, and printing what has happened to them. */
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Records of one type belong together. This one is ours: 5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11. */
static const peer_guid NOTE = {
    {0x5f, 0x0e, 0x6c, 0x1a, 0x92, 0xd7, 0x4c, 0x2e, 0x8a, 0x41, 0x3f, 0x6f, 0x0c, 0x9f, 0x7b, 0x11}};

static const int64_t HOUR_US = 3600 * INT64_C(1000000);

/* ------------------------------------------------------------------------------------------------------- adding */

static peer_status add_note(peer_graph *graph, const char *text, size_t size)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid record_id;
    peer_status status;

    status = peer_graph_universal_time_to_peer_time(graph, time(NULL) * INT64_C(1000000), &record.expires_us);
    if (status < 0)
        return status;
    record.expires_us += HOUR_US;
    record.type = NOTE;
    record.data = text;
    record.size = size;
    return peer_graph_add_record(graph, &record, &record_id);
}

void watch_add_lines(struct watch *watch, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n')
            watch->line[watch->length++] = bytes[i];
        if (bytes[i] == '\n' || watch->length == sizeof watch->line) {
            if (add_note(watch->graph, watch->line, watch->length) < 0)
                fprintf(stderr, "not added: %s\n", peer_last_error_message());
            watch->length = 0;
        }
    }
}

/* ----------------------------------------------------------------------------------------------------- printing */

/* Text of other peers goes to a terminal, so it may not hold what a terminal obeys. */
static void print_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        putchar((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
}

static void print_note(peer_graph *graph, const peer_guid *record_id)
{
    peer_record *record;
    peer_record_view view;

    if (peer_graph_get_record(graph, record_id, &record) < 0)
        return; /* deleted since */
    if (peer_record_get_view(record, sizeof view, &view) == PEER_OK) {
        print_text(view.creator_id, strlen(view.creator_id));
        printf(": ");
        print_text(view.data, view.size);
        printf("\n");
    }
    peer_free_data(record);
}

static void print_connection(const peer_event_view *event)
{
    const char *peer = event->peer_id ? event->peer_id : "somebody";

    if (event->change == PEER_CONNECTION_FAILED) {
        printf("not connected: %s\n", event->message);
        return;
    }
    printf(event->change == PEER_CONNECTED ? "connected to " : "disconnected from ");
    print_text(peer, strlen(peer));
    printf("\n");
}

static void print_event(struct watch *watch, const peer_event_view *event)
{
    switch (event->type) {
    case PEER_GRAPH_EVENT_RECORD_CHANGED:
        if (event->change == PEER_RECORD_ADDED && memcmp(&event->record_type, &NOTE, sizeof NOTE) == 0)
            print_note(watch->graph, &event->record_id);
        break;
    case PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION:
        print_connection(event);
        break;
    case PEER_GRAPH_EVENT_STATUS_CHANGED:
        if (!watch->synchronized && (event->status & PEER_GRAPH_STATUS_SYNCHRONIZED))
            printf("synchronized: what you type is for all\n");
        watch->synchronized = (event->status & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0;
        break;
    case PEER_EVENT_OVERFLOW:
        printf("%llu events came too fast\n", (unsigned long long)event->lost_count);
        break;
    }
}

int watch_print_events(struct watch *watch)
{
    peer_event *event;
    int32_t type = 0;

    while (peer_get_event_data(watch->queue, &event) == PEER_OK) {
        peer_event_view view;
        if (peer_event_get_view(event, sizeof view, &view) == PEER_OK) {
            print_event(watch, &view);
            type = view.type;
        }
        peer_free_data(event);
    }
    fflush(stdout);
    return type != PEER_EVENT_CLOSED; /* the last of every queue */
}

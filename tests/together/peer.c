/*
 * A peer in C, told what to do line by line, that prints what happens to records:
 *
 *     peer FOLDER PEER_ID create           or   peer FOLDER PEER_ID ADDRESS
 *
 *     add DATA TEXT        update ID DATA TEXT        delete ID        list        quit
 *
 *     ready ADDRESS        CHANGE ID VERSION CREATOR MODIFIER DATA TEXT        end
 *
 * CHANGE is added, updated, deleted, or listed for `list`. DATA, and TEXT (an attribute), are hexadecimal and begin with x.
 * It uses nothing but the public header.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peergraph/peergraph.h"

#define BYTES_MAX 2048

static const peer_guid note_type = {{0x6e, 0x6f, 0x74, 0x65, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

struct bytes {
    unsigned char data[BYTES_MAX + 1];
    size_t size;
};

static void check(peer_status status, const char *what)
{
    if (status >= 0)
        return;
    printf("failed %s: %s: %s\n", what, peer_status_name(status), peer_last_error_message());
    exit(1);
}

/* ---- lines */

static void parse_hex(const char *text, struct bytes *out)
{
    unsigned byte;

    out->size = 0;
    for (text++; out->size < BYTES_MAX && sscanf(text, "%2x", &byte) == 1; text += 2)
        out->data[out->size++] = (unsigned char)byte;
    out->data[out->size] = '\0';
}

static void print_hex(const void *data, size_t size)
{
    const unsigned char *bytes = data;

    printf(" x");
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static peer_guid parse_id(const char *text)
{
    peer_guid id = {{0}};
    size_t count = 0;
    unsigned byte;

    while (count < sizeof(id.bytes) && sscanf(text, "%2x", &byte) == 1) {
        id.bytes[count++] = (uint8_t)byte;
        text += text[2] == '-' ? 3 : 2;
    }
    return id;
}

static void print_id(const peer_guid *id)
{
    for (size_t i = 0; i < sizeof(id->bytes); i++)
        printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id->bytes[i]);
}

/* ---- records */

static void print_text_attribute(const char *xml)
{
    peer_attributes *attributes;
    const char *name;
    const char *value;
    int32_t type;

    check(peer_attributes_parse(xml, &attributes), "parse");
    check(peer_attributes_get(attributes, 0, &name, &type, &value), "attribute");
    print_hex(value, strlen(value));
    peer_free_data(attributes);
}

static void print_record(const char *change, const peer_record_view *view)
{
    printf("%s ", change);
    print_id(&view->id);
    printf(" %u %s %s", view->version, view->creator_id, view->modifier_id == NULL ? "-" : view->modifier_id);
    print_hex(view->data, view->size);
    print_text_attribute(view->attributes);
    printf("\n");
}

static void print_event(peer_graph *graph, const peer_event_view *event)
{
    peer_record *record;
    peer_record_view view;

    if (event->change == PEER_RECORD_DELETED) {
        printf("deleted ");
        print_id(&event->record_id);
        printf("\n");
        return;
    }
    check(peer_graph_get_record(graph, &event->record_id, &record), "get_record");
    check(peer_record_get_view(record, sizeof(view), &view), "view");
    print_record(event->change == PEER_RECORD_ADDED ? "added" : "updated", &view);
    peer_free_data(record);
}

static void print_events(peer_graph *graph, peer_event_queue *queue)
{
    const peer_event_view *events;
    uint32_t count;

    check(peer_get_event_batch(queue, 64, sizeof(*events), &count, &events), "events");
    for (uint32_t i = 0; i < count; i++)
        print_event(graph, &events[i]);
    peer_free_data(events);
}

static void list(peer_graph *graph)
{
    peer_enum *enumeration;
    const void *views;
    uint32_t count;

    check(peer_graph_enum_records(graph, &note_type, NULL, &enumeration), "enum");
    do {
        check(peer_get_item_views(enumeration, 64, sizeof(peer_record_view), &count, &views), "views");
        for (uint32_t i = 0; i < count; i++)
            print_record("listed", (const peer_record_view *)views + i);
        peer_free_data(views);
    } while (count > 0);
    check(peer_end_enumeration(enumeration), "end");
    printf("end\n");
}

static void add(peer_graph *graph, const struct bytes *data, const char *xml)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    record.type = note_type;
    record.expires_us = ((int64_t)time(NULL) + 3600) * 1000000;
    record.attributes = xml;
    record.data = data->data;
    record.size = data->size;
    check(peer_graph_add_record(graph, &record, &id), "add");
}

static void update(peer_graph *graph, const peer_guid *id, const struct bytes *data, const char *xml)
{
    peer_record *record;
    peer_record_view view;

    check(peer_graph_get_record(graph, id, &record), "get_record");
    check(peer_record_get_view(record, sizeof(view), &view), "view");
    view.flags = 0;
    view.modifier_id = NULL;
    view.attributes = xml;
    view.data = data->data;
    view.size = data->size;
    check(peer_graph_update_record(graph, &view), "update");
    peer_free_data(record);
}

/* Carries out one line; 0 for the last one. */
static int obey(peer_graph *graph, char *line)
{
    static struct bytes data, text;
    char *words[4] = {NULL};
    peer_attributes *attributes;
    const char *xml;
    size_t count = 0;

    for (char *word = strtok(line, " \n"); word != NULL && count < 4; word = strtok(NULL, " \n"))
        words[count++] = word;
    if (count == 0 || strcmp(words[0], "quit") == 0)
        return 0;
    peer_guid id = parse_id(count > 1 ? words[1] : "");
    if (strcmp(words[0], "list") == 0) {
        list(graph);
    } else if (strcmp(words[0], "delete") == 0) {
        check(peer_graph_delete_record(graph, &id, 0), "delete");
    } else {
        parse_hex(words[count - 2], &data);
        parse_hex(words[count - 1], &text);
        check(peer_attributes_create(&attributes), "attributes");
        check(peer_attributes_add(attributes, "text", PEER_ATTRIBUTE_STRING, (const char *)text.data), "attribute");
        check(peer_attributes_get_xml(attributes, &xml), "xml");
        if (count == 4)
            update(graph, &id, &data, xml);
        else
            add(graph, &data, xml);
        peer_free_data(attributes);
    }
    return 1;
}

/* ---- the graph */

static void wait_until_synchronized(peer_graph *graph)
{
    const peer_event_registration wanted = {.type = PEER_GRAPH_EVENT_STATUS_CHANGED};
    peer_event_queue *queue;
    peer_event *event;
    uint32_t status;

    check(peer_graph_register_event(graph, 1, &wanted, &queue), "register");
    for (;;) {
        check(peer_graph_get_status(graph, &status), "status");
        if (status & PEER_GRAPH_STATUS_SYNCHRONIZED)
            break;
        check(peer_event_queue_wait(queue, -1), "wait");
        check(peer_get_event_data(queue, &event), "event");
        peer_free_data(event);
    }
    check(peer_unregister_event(queue), "unregister");
}

static peer_graph *enter(peer_runtime *runtime, const char *peer_id, const char *where)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;

    if (strcmp(where, "create") == 0) {
        properties.graph_id = "together";
        properties.creator_id = peer_id;
        check(peer_graph_create(runtime, &properties, NULL, NULL, &graph), "create");
    } else {
        check(peer_graph_open(runtime, "together", peer_id, NULL, NULL, 0, NULL, &graph), "open");
        check(peer_graph_connect(graph, NULL, where, NULL), "connect");
        wait_until_synchronized(graph);
    }
    check(peer_graph_listen(graph, PEER_GRAPH_SCOPE_LOOPBACK, 0, 0), "listen");
    return graph;
}

static void print_ready(peer_graph *graph)
{
    peer_node_info *info;
    peer_node_info_view view;

    check(peer_graph_get_node_info(graph, 0, &info), "node");
    check(peer_node_info_get_view(info, sizeof(view), &view), "view");
    printf("ready %s\n", view.addresses[0]);
    peer_free_data(info);
}

static void run(peer_graph *graph)
{
    const peer_event_registration wanted = {.type = PEER_GRAPH_EVENT_RECORD_CHANGED, .record_type = &note_type};
    static char line[4 * BYTES_MAX];
    peer_event_queue *queue;
    int64_t descriptor;

    check(peer_graph_register_event(graph, 1, &wanted, &queue), "register");
    check(peer_event_queue_get_descriptor(queue, &descriptor), "descriptor");
    print_ready(graph);
    struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = (int)descriptor, .events = POLLIN}};
    while (poll(both, 2, -1) > 0) {
        if (both[1].revents != 0)
            print_events(graph, queue);
        if (both[0].revents != 0 && (fgets(line, sizeof(line), stdin) == NULL || !obey(graph, line)))
            return;
    }
}

int main(int argc, char **argv)
{
    peer_startup_input input = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime;

    if (argc != 4)
        return 2;
    setvbuf(stdin, NULL, _IONBF, 0); /* so that poll knows of every line */
    setvbuf(stdout, NULL, _IOLBF, 0);
    input.data_directory = argv[1];
    check(peer_startup(PEER_GRAPH_VERSION, &input, NULL, &runtime), "startup");
    run(enter(runtime, argv[2], argv[3]));
    check(peer_shutdown(runtime), "shutdown");
    return 0;
}

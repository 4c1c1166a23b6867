/* Data for the application: over direct connections, which carry nothing else, and beside the records of a neighbour
 * (MS-PPGRH 2.2.2.13, 3.1.5.2.13; graph-api.md 7.6; decisions.md 16). */
#include "graph/parts.h"

#include <string.h>

/** Direct connections of one graph: each costs a descriptor and two buffers. */
#define DIRECT_MAX 256u
/** Of them, those that others have opened from one address, behind which several may be, and of these, those of one peer:
 * who takes another's name, which is not proved, takes no place of his elsewhere. */
#define DIRECT_PER_PEER_MAX 64u
#define DIRECT_PER_ADDRESS_MAX 128u
/** What is kept for the next message; a larger buffer goes after the message. */
#define KEPT_BUFFER_MAX (256u * 1024)

/* -------------------------------------------------------------------------------------------------------------- links */

static int is_direct(const struct link *link)
{
    return link->state == LINK_CONNECTED && link->type == CONNECTION_DIRECT;
}

static int is_registered_for(const struct graph *graph, int32_t event_type)
{
    LIST_FOR (node, following, &graph->subscriptions) {
        if (peer__event_queue_wants(CONTAINER_OF(node, struct event_queue, subscription), event_type, NULL))
            return 1;
    }
    return 0;
}

struct shares {
    size_t all;
    size_t of_peer;
    size_t of_address;
};

static struct shares count_direct(const struct link *newcomer)
{
    struct shares shares = {0};
    LIST_FOR (node, following, &newcomer->graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (!is_direct(link))
            continue;
        shares.all++;
        if (link->initiator) /* our own wish */
            continue;
        if (!peer__address_is_same_host(&link->remote, &newcomer->remote))
            continue;
        shares.of_address++;
        shares.of_peer +=
            link->peer_id != NULL && newcomer->peer_id != NULL && strcmp(link->peer_id, newcomer->peer_id) == 0;
    }
    return shares;
}

const char *peer__link_refuses_direct(const struct link *link)
{
    struct shares shares = count_direct(link);
    if (!is_registered_for(link->graph, PEER_GRAPH_EVENT_DIRECT_CONNECTION)) /* graph-api.md 3.1: it lets others in */
        return "direct connections are not accepted";
    if (shares.all >= DIRECT_MAX)
        return "this node has its 256 direct connections";
    if (shares.of_peer >= DIRECT_PER_PEER_MAX)
        return "this node has 64 direct connections of that peer";
    if (shares.of_address >= DIRECT_PER_ADDRESS_MAX && !peer__address_is_loopback(&link->remote))
        return "this node has 128 direct connections from that address";
    return NULL;
}

/* The slowest subscription decides: while one is crowded, nothing more is read (decisions.md 16). */
static int is_crowded(const struct graph *graph)
{
    LIST_FOR (node, following, &graph->subscriptions) {
        if (peer__event_queue_is_crowded(CONTAINER_OF(node, struct event_queue, subscription)))
            return 1;
    }
    return 0;
}

static void hold(struct link *link)
{
    link->holds_data = 1;
    peer__link_update_reading(link);
}

/* All, and those that come meanwhile: else each of any number would bring one message more. */
static void hold_all(struct graph *graph)
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (is_direct(link))
            hold(link);
    }
}

void peer__link_direct_is_up(struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    transport->be_patient(transport->self, link->connection); /* who reads slowly is not dead */
    if (is_crowded(link->graph))
        hold(link);
    peer__graph_tell_connection(link, PEER_CONNECTED, PEER_OK, NULL);
}

/* Several identities may listen at one address; it is oneself only if the peer is, too. */
static peer_status check_not_self(const struct graph *graph, const char *peer_id, const char *text)
{
    struct address address;
    char host[HOST_NAME_SIZE];
    char interface_name[16];
    PEER_TRY(peer__address_parse(text, &address, host, interface_name));
    if (host[0] == '\0' && strcmp(peer_id, graph->peer_id) == 0 && peer__graph_listens_at(graph, &address))
        return peer__fail(PEER_E_CONNECT_SELF, "\"%s\" at \"%s\" is this node itself", peer_id, text);
    return PEER_OK;
}

peer_status peer__graph_open_direct(struct graph *graph, const char *peer_id, const char *address,
                                    uint64_t *connection_id_out)
{
    struct link *link;
    PEER_TRY(check_not_self(graph, peer_id, address));
    PEER_TRY(peer__link_dial(
        graph, &(struct dial_request){.address = address, .peer_id = peer_id, .type = CONNECTION_DIRECT}, &link));
    *connection_id_out = link->connection_id;
    return PEER_OK;
}

static peer_status not_found(const char *kind, uint64_t connection_id)
{
    return peer__fail(PEER_E_CONNECTION_NOT_FOUND, "there is no %s %llu", kind, (unsigned long long)connection_id);
}

peer_status peer__graph_close_direct(struct graph *graph, uint64_t connection_id)
{
    struct link *link = peer__graph_find_link(graph, connection_id);
    if (link == NULL || link->type != CONNECTION_DIRECT)
        return not_found("direct connection", connection_id);
    peer__engine_enter(graph->engine);
    if (link->state == LINK_CONNECTED)
        peer__link_say_disconnect(link, DISCONNECT_APPLICATION);
    peer__link_end(link, link->state == LINK_CONNECTED ? PEER_OK : PEER_E_CONNECTION_FAILED, "it was closed");
    peer__engine_leave(graph->engine);
    return PEER_OK;
}

peer_status peer__graph_pause_direct(struct graph *graph, uint64_t connection_id, int paused)
{
    struct link *link = peer__graph_find_link(graph, connection_id);
    if (link == NULL || !is_direct(link))
        return not_found("direct connection", connection_id);
    link->is_paused = paused;
    peer__link_update_reading(link);
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------------ sending */

static size_t data_max(const struct link *link)
{
    return link->type == CONNECTION_DIRECT ? DIRECT_DATA_MAX : NEIGHBOUR_DATA_MAX;
}

/* A neighbour's connection is full when its own quota is: what floods waits in the database. */
static int is_full(const struct link *link, size_t size)
{
    const struct transport *transport = &link->engine->config.transport;
    size_t queued = transport->queued(transport->self, link->connection);
    if (queued <= TRANSPORT_HIGH_WATER)
        return 0;
    return link->type == CONNECTION_DIRECT || queued + size > TRANSPORT_HIGH_WATER + NEIGHBOUR_DATA_MAX;
}

static peer_status check_size(size_t size, size_t size_max)
{
    if (size > size_max)
        return peer__fail(E_INVALIDARG, "size is %zu, more than the %zu of one message", size, size_max);
    return PEER_OK;
}

/* What no connection would take is wrong whether there is one or not (4.4). */
static peer_status check_data(const peer_guid *data_type, size_t size)
{
    if (peer__guid_equal(data_type, &peer__data_type_ping))
        return peer__fail(E_INVALIDARG, "data_type is the reserved one of the engine's own pings");
    return check_size(size, DIRECT_DATA_MAX);
}

static void shrink(struct buffer *buffer)
{
    if (buffer->size > KEPT_BUFFER_MAX || buffer->capacity > KEPT_BUFFER_MAX)
        peer__buffer_free(buffer);
}

static peer_status send_data(struct link *link, const peer_guid *data_type, struct span data)
{
    struct engine *engine = link->engine;
    peer__encode_pt2pt(&engine->message, data_type, data);
    if (engine->message.failed) {
        peer__buffer_free(&engine->message);
        return peer__out_of_memory();
    }
    peer__link_send(link);
    shrink(&engine->message);
    shrink(&engine->frames);
    return link->broken ? peer__out_of_memory() : PEER_OK;
}

peer_status peer__graph_send(struct graph *graph, uint64_t connection_id, const peer_guid *data_type, const void *data,
                             size_t size)
{
    struct link *link = peer__graph_find_link(graph, connection_id);
    PEER_TRY(check_data(data_type, size));
    if (link == NULL || link->state != LINK_CONNECTED)
        return not_found("connection", connection_id);
    PEER_TRY(check_size(size, data_max(link)));
    if (is_full(link, size)) {
        link->awaits_writable = 1;
        return peer__fail(PEER_E_OUTBOX_FULL, "\"%s\" has not taken what was sent before", link->address_text);
    }
    return send_data(link, data_type, (struct span){data, size});
}

void peer__link_tell_writable(struct link *link)
{
    if (!link->awaits_writable || link->state != LINK_CONNECTED)
        return;
    link->awaits_writable = 0;
    peer__graph_tell(link->graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                                     .type = PEER_EVENT_WRITABLE,
                                                     .connection_id = link->connection_id});
}

/* ---------------------------------------------------------------------------------------------------------- receiving */

static void deliver_direct(struct link *link, const peer_event_view *event)
{
    struct graph *graph = link->graph;
    peer_status status = PEER_OK;
    LIST_FOR (node, following, &graph->subscriptions) {
        peer_status posted = peer__event_queue_post_direct(CONTAINER_OF(node, struct event_queue, subscription), event);
        status = posted < 0 ? posted : status;
    }
    if (status < 0) { /* what cannot be given to everyone shall not be missing unseen */
        peer__link_out_of_memory(link);
        return;
    }
    if (!link->holds_data && is_crowded(graph))
        hold_all(graph);
}

void peer__link_on_data(struct link *link, const struct wire_pt2pt *message)
{
    if (peer__guid_equal(&message->data_type, &peer__data_type_ping))
        return; /* 2.2.4.1: it asks for nothing */
    const peer_event_view event = {.struct_size = sizeof(peer_event_view),
                                   .type = PEER_GRAPH_EVENT_INCOMING_DATA,
                                   .connection_id = link->connection_id,
                                   .node_id = link->node_id,
                                   .record_type = message->data_type,
                                   .peer_id = link->peer_id,
                                   .data = message->data.data,
                                   .size = message->data.size};
    if (!is_registered_for(link->graph, event.type))
        link->lost_count++; /* decisions.md 16 */
    else if (link->type == CONNECTION_DIRECT)
        deliver_direct(link, &event);
    else
        peer__graph_tell(link->graph, &event);
}

void peer__graph_data_was_taken(struct graph *graph)
{
    if (is_crowded(graph))
        return;
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (!link->holds_data)
            continue;
        link->holds_data = 0;
        peer__link_update_reading(link);
    }
}

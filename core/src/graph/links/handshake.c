/* Making and ending connections (MS-PPGRH 3.1.5.1, 3.1.5.2.1 to 3.1.5.2.4, 3.1.7.24 to 3.1.7.26; spec part 9). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

/* What this node does beyond MS-PPGRH (decisions.md 12). */
static struct wire_extensions announced(const struct link *link)
{
    return (struct wire_extensions){.keep_alive = 1, .reconciles = !link->engine->config.is_plain};
}

int peer__link_reconciles(const struct link *link)
{
    return link->extensions.reconciles && announced(link).reconciles;
}

static struct span text_span(const char *text)
{
    return (struct span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static char *text_copy(struct span text)
{
    char *copy = peer__malloc(text.size + 1);
    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* D-13 leaves up to 300 s to a security provider's exchange. Without one only two messages are awaited, which the other
 * side sends at once; so our own limit (D-31) is less, and rubbish is gone within a minute. */
#define INTRODUCTION_MAX_US (50 * INT64_C(1000000))

/* D-13: 20 + 280 * e^(-c/10) seconds for c connections. */
static int64_t authentication_timeout_us(size_t connection_count)
{
    double share = 1.0;
    for (size_t i = 0; i < connection_count && i < 200; i++)
        share *= 0.90483741803595957; /* e^-0.1 */
    return (int64_t)((20.0 + 280.0 * share) * 1e6);
}

static void start_authentication_timer(struct link *link)
{
    peer__engine_timer_set(link->engine, &link->timer, authentication_timeout_us(link->engine->link_count - 1));
}

/* --------------------------------------------------------------------------------------------------------- referrals */

/* Addresses of neighbours, least recently added first (3.1.7.25), never the asker's own. Links stand in a graph's list
 * in the order in which they were made. */
static size_t collect_referrals(const struct link *asker, struct address referrals[REFERRALS_MAX])
{
    size_t count = 0;
    LIST_FOR (node, following, &asker->graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link == asker || !peer__link_is_neighbour(link))
            continue;
        if (link->address_count > 0 && link->node_id != asker->node_id && count < REFERRALS_MAX)
            referrals[count++] = link->addresses[0].address;
    }
    return count;
}

/* --------------------------------------------------------------------------------------------------------- initiator */

static peer_status dial(struct link *link, const char *address_text)
{
    char host[HOST_NAME_SIZE];
    char interface_name[16];
    const struct transport *transport = &link->engine->config.transport;
    PEER_TRY(peer__address_parse(address_text, &link->remote, host, interface_name));
    return transport->dial(transport->self, host, interface_name, &link->remote, link, &link->connection);
}

/* Several peers may listen at one address: who is named and is another is another node. */
static int may_be(const char *peer_id, const char *wanted)
{
    return wanted == NULL || peer_id == NULL || strcmp(peer_id, wanted) == 0;
}

/* D-28: the application may ask for a connection while there are others, but not for one to the same node. */
static peer_status check_address(const struct graph *graph, const char *peer_id, const char *text)
{
    struct address address;
    char host[HOST_NAME_SIZE];
    char interface_name[16];
    PEER_TRY(peer__address_parse(text, &address, host, interface_name));
    if (host[0] != '\0')
        return PEER_OK;
    if (may_be(graph->peer_id, peer_id) && peer__graph_listens_at(graph, &address))
        return peer__fail(PEER_E_CONNECT_SELF, "\"%s\" is an address of this node", text);
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link) && may_be(link->peer_id, peer_id) && peer__link_is_at(link, &address))
            return peer__fail(PEER_E_ALREADY_EXISTS, "\"%s\" is a neighbour already", text);
    }
    return PEER_OK;
}

static peer_status copy_text(char **copy_out, const char *text)
{
    if (text == NULL)
        return PEER_OK;
    *copy_out = peer__strdup(text);
    return *copy_out != NULL ? PEER_OK : peer__out_of_memory();
}

static peer_status start_dialling(struct link *link, const struct dial_request *request)
{
    link->initiator = 1;
    link->state = LINK_DIALLING;
    link->dialled_us = peer__engine_now_us(link->engine);
    link->automatic = request->automatic;
    if (request->type != 0)
        link->type = request->type;
    link->referred = request->referred;
    PEER_TRY(copy_text(&link->address_text, request->address));
    PEER_TRY(copy_text(&link->peer_id, request->peer_id));
    PEER_TRY(dial(link, request->address));
    if (request->timeout_us != 0)
        peer__engine_timer_set(link->engine, &link->timer, request->timeout_us);
    else
        start_authentication_timer(link);
    return PEER_OK;
}

peer_status peer__link_dial(struct graph *graph, const struct dial_request *request, struct link **link_out)
{
    struct link *link;
    PEER_TRY(peer__link_create(graph->engine, graph, &link));
    peer_status status = start_dialling(link, request);
    if (status < 0) {
        peer__link_free(link);
        return status;
    }
    *link_out = link;
    return PEER_OK;
}

peer_status peer__graph_connect(struct graph *graph, const char *peer_id, const char *address,
                                uint64_t *connection_id_out)
{
    struct link *link;
    PEER_TRY(check_address(graph, peer_id, address));
    PEER_TRY(peer__link_dial(graph, &(struct dial_request){.address = address, .peer_id = peer_id}, &link));
    if (connection_id_out != NULL)
        *connection_id_out = link->connection_id;
    peer__graph_go_online(graph);
    return PEER_OK;
}

static void say_connect(struct link *link, uint8_t flags)
{
    const struct listener *listener = link->graph->listener;
    struct wire_extensions extensions = announced(link);
    peer__encode_connect(&link->engine->message, flags, link->graph->node_id,
                         listener != NULL ? listener->addresses : NULL, listener != NULL ? listener->address_count : 0,
                         (struct span){NULL, 0}, &extensions);
    peer__link_send(link);
}

/* 9.1 steps 2 to 4; without a provider the connection is authenticated at once. */
void peer__link_say_auth_info_and_connect(struct link *link)
{
    struct graph *graph = link->graph;
    link->state = LINK_CONNECT_WAIT;
    peer__encode_auth_info(&link->engine->message, link->type, text_span(graph->graph_id), text_span(graph->peer_id),
                           text_span(link->peer_id));
    peer__link_send(link);
    say_connect(link, link->type == CONNECTION_DIRECT ? CONNECT_FLAG_DIRECT : CONNECT_FLAG_NEIGHBOURS); /* D-14 */
    if (link->state == LINK_ENDED)
        return;
    link->connect_sent = peer__graph_now(graph);
    peer__engine_timer_set(link->engine, &link->timer, CONNECT_TIMEOUT_US);
}

void peer__engine_connected(struct engine *engine, void *tag, const struct address *remote)
{
    struct link *link = tag;
    peer__engine_enter(engine);
    link->remote = *remote;
    peer__link_say_auth_info_and_connect(link);
    peer__engine_leave(engine);
}

/* A connection is a neighbour's from here on: everything committed later is flooded to it (12). */
static void become_connected(struct link *link)
{
    struct graph *graph = link->graph;
    if (link->state == LINK_AUTHENTICATED)
        link->engine->unauthenticated_count--;
    link->state = LINK_CONNECTED;
    link->connected_us = peer__engine_now_us(link->engine);
    link->input.message_size_max =
        link->type == CONNECTION_DIRECT ? DIRECT_DATA_MAX + DIRECT_MESSAGE_OVERHEAD_MAX : MESSAGE_SIZE_MAX;
    peer__link_watch(link);
    if (link->type == CONNECTION_DIRECT)
        return;
    link->next_seq = graph->last_seq + 1;
    graph->neighbour_count++;
}

/* A neighbour's peer id travels as it is; the wanted one was sent in AUTH_INFO and must be the one that answers. */
static int take_peer_id(struct link *link, struct span peer_id)
{
    if (link->peer_id != NULL)
        return peer__span_equal(text_span(link->peer_id), peer_id);
    link->peer_id = text_copy(peer_id);
    return link->peer_id != NULL;
}

static struct link *find_neighbour(const struct graph *graph, uint64_t node_id)
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link) && link->node_id == node_id)
            return link;
    }
    return NULL;
}

/* D-16: two nodes that dialled each other at the same moment have both said WELCOME by now; what the one with the lower
 * node id has dialled stays. Were it not for this rule, each would end the connection that it made itself. */
static int supersedes(const struct link *link, const struct link *other)
{
    return !other->initiator && link->graph->node_id < other->node_id;
}

/* A certain address stands before those that are only claimed, which make room for it. */
static void add_address(struct link *link, const struct address *address, int certain)
{
    size_t place = 0;
    size_t known = 0;
    while (known < link->address_count && !peer__address_equal(&link->addresses[known].address, address))
        known++;
    if (known < link->address_count) {
        if (!certain || link->addresses[known].certain)
            return;
        link->address_count--;
        memmove(&link->addresses[known], &link->addresses[known + 1],
                (link->address_count - known) * sizeof(link->addresses[0]));
    }
    while (place < link->address_count && (!certain || link->addresses[place].certain))
        place++;
    if (place == NEIGHBOUR_ADDRESSES_MAX)
        return;
    if (link->address_count < NEIGHBOUR_ADDRESSES_MAX)
        link->address_count++;
    memmove(&link->addresses[place + 1], &link->addresses[place],
            (link->address_count - place - 1) * sizeof(link->addresses[0]));
    link->addresses[place] = (struct neighbour_address){*address, certain};
}

/* What it lists, and where it was dialled, which stays true whatever it lists. */
static void take_addresses(struct link *link, const struct wire_addresses *addresses)
{
    size_t taken = 0;
    link->address_count = 0;
    if (link->initiator)
        add_address(link, &link->remote, 1);
    for (size_t i = 0; i < addresses->count && taken < NEIGHBOUR_ADDRESSES_MAX; i++) {
        struct address address;
        if (!peer__wire_address(addresses, i, &address))
            continue;
        add_address(link, &address, peer__address_is_same_host(&address, &link->remote));
        taken++;
    }
}

static void ping_neighbours(struct graph *graph) /* 9.5 step 2: finds dead connections */
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link))
            peer__link_ping(link);
    }
}

void peer__link_on_welcome(struct link *link, const struct wire_welcome *message)
{
    struct graph *graph = link->graph;
    if (link->state != LINK_CONNECT_WAIT) {
        peer__link_violation(link, "WELCOME without a CONNECT");
        return;
    }
    if (!take_peer_id(link, message->peer_id)) {
        peer__link_end(link, PEER_E_CONNECTION_NOT_AUTHENTICATED, "\"%s\" is another peer than \"%s\"",
                       link->address_text, link->peer_id != NULL ? link->peer_id : "");
        return;
    }
    if (message->node_id == 0) {
        peer__link_violation(link, "its node id is 0");
        return;
    }
    if (message->node_id == graph->node_id) {
        peer__graph_note_self(graph, &link->remote);
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" is this node itself", link->address_text);
        return;
    }
    if (link->type == CONNECTION_DIRECT) { /* D-17: no synchronization, and the clock stays */
        link->node_id = message->node_id;
        link->extensions = message->extensions;
        become_connected(link);
        peer__link_direct_is_up(link);
        return;
    }
    struct link *other = find_neighbour(graph, message->node_id);
    if (other != NULL && !supersedes(link, other)) {
        add_address(other, &link->remote, 1);
        link->blame = BLAME_DOUBLE;
        peer__link_end(link, PEER_E_CONNECTION_REFUSED, "\"%s\" is a neighbour already", link->address_text);
        return;
    }
    if (other == NULL && graph->neighbour_count >= NEIGHBOURS_MAX) { /* who dials has the same bound as who answers */
        link->blame = BLAME_NOBODY;
        peer__link_say_disconnect(link, DISCONNECT_LEAST_USEFUL);
        peer__link_end(link, PEER_E_CONNECTION_REFUSED, "this node has its %u neighbours", NEIGHBOURS_MAX);
        return;
    }
    link->node_id = message->node_id;
    link->extensions = message->extensions;
    take_addresses(link, &(struct wire_addresses){0});
    become_connected(link); /* first, so that the graph has a neighbour all the time */
    if (other != NULL)
        peer__link_end(other, PEER_E_CONNECTION_REFUSED, "\"%s\" is a neighbour over the connection made to it",
                       other->address_text);
    peer__graph_adjust_time(graph, link, message->peer_time);
    peer__graph_take_referrals(link, &message->referrals);
    peer__graph_note_neighbour(link);
    peer__graph_expiry_now(graph);
    peer__graph_tell_connection(link, PEER_CONNECTED, PEER_OK, NULL);
    peer__graph_tell_status(graph);
    ping_neighbours(graph);
    if (link->state == LINK_CONNECTED)
        peer__sync_start(link);
    (void)peer__graph_commit(graph);
    peer__graph_maintain(graph);
}

static const char *refusal(uint8_t code)
{
    switch (code) {
    case REFUSE_BUSY:
        return "is full";
    case REFUSE_ALREADY_CONNECTED:
        return "says that this connection is made already";
    case REFUSE_DUPLICATE:
        return "is a neighbour already";
    default:
        return "does not accept direct connections";
    }
}

void peer__link_on_refuse(struct link *link, const struct wire_refuse *message)
{
    if (link->state != LINK_CONNECT_WAIT) {
        peer__link_violation(link, "REFUSE without a CONNECT");
        return;
    }
    if (link->type == CONNECTION_NEIGHBOUR)
        peer__graph_take_referrals(link, &message->referrals);
    link->referred |= message->code == REFUSE_BUSY && link->peer_id == NULL;
    if (message->code == REFUSE_BUSY)
        link->blame = BLAME_FULL;
    else if (message->code == REFUSE_DUPLICATE)
        link->blame = BLAME_DOUBLE;
    peer__link_end(link, PEER_E_CONNECTION_REFUSED, "\"%s\" %s", link->address_text, refusal(message->code));
}

/* --------------------------------------------------------------------------------------------------------- responder */

static void name_remote(struct link *link, const struct address *remote)
{
    char text[ADDRESS_TEXT_SIZE];
    link->remote = *remote;
    peer__address_format(remote, text);
    link->address_text = peer__strdup(text);
}

peer_status peer__engine_accepted(struct engine *engine, void *listener_tag, struct transport_connection *connection,
                                  const struct address *remote, void **tag_out)
{
    struct link *link;
    peer__engine_enter(engine);
    peer__engine_make_place(engine, remote);
    peer__engine_leave(engine);
    PEER_TRY(peer__link_create(engine, NULL, &link));
    link->state = LINK_ACCEPTED;
    link->listener = listener_tag;
    name_remote(link, remote);
    if (link->address_text == NULL) {
        peer__link_free(link);
        return peer__out_of_memory();
    }
    link->connection = connection;
    engine->unauthenticated_count++;
    int64_t timeout_us = authentication_timeout_us(engine->link_count - 1);
    peer__engine_timer_set(engine, &link->timer, timeout_us < INTRODUCTION_MAX_US ? timeout_us : INTRODUCTION_MAX_US);
    *tag_out = link;
    return PEER_OK;
}

void peer__link_on_auth_info(struct link *link, const struct wire_auth_info *message)
{
    struct graph *graph =
        peer__engine_find_graph(link->engine, link->listener, message->graph_id, message->destination_peer_id);
    if (graph == NULL) {
        peer__link_violation(link, "it asked for a graph or a peer that is not here");
        return;
    }
    link->peer_id = text_copy(message->source_peer_id);
    if (link->peer_id == NULL) {
        peer__link_out_of_memory(link);
        return;
    }
    if (peer__utf16_units(link->peer_id) >= ID_UNITS_MAX) {
        peer__link_violation(link, "its peer id is longer than 255 characters");
        return;
    }
    link->graph = graph;
    link->type = message->connection_type;
    link->state = LINK_AUTHENTICATED;
    list_append(&graph->links, &link->in_graph);
}

static void refuse(struct link *link, uint8_t code, const char *why)
{
    struct address referrals[REFERRALS_MAX] = {0};
    size_t count = code == REFUSE_BUSY ? collect_referrals(link, referrals) : 0;
    peer__encode_refuse(&link->engine->message, code, referrals, count);
    peer__link_send(link);
    peer__link_end(link, PEER_E_CONNECTION_REFUSED, "\"%s\" was refused: %s", link->address_text, why);
}

static void welcome(struct link *link, const struct wire_connect *message)
{
    struct graph *graph = link->graph;
    struct address referrals[REFERRALS_MAX] = {0};
    struct wire_extensions extensions = announced(link);
    link->node_id = message->node_id;
    link->extensions = message->extensions;
    take_addresses(link, &message->addresses);
    size_t count = (message->flags & CONNECT_FLAG_NEIGHBOURS) != 0 ? collect_referrals(link, referrals) : 0;
    peer__encode_welcome(&link->engine->message, graph->node_id, peer__graph_now(graph), referrals, count,
                         text_span(graph->peer_id), (struct span){NULL, 0}, &extensions);
    become_connected(link);
    peer__link_send(link);
    peer__graph_note_neighbour(link);
    if (link->state != LINK_CONNECTED)
        return;
    peer__graph_expiry_now(graph); /* 9.4 row 8 */
    peer__graph_tell_connection(link, PEER_CONNECTED, PEER_OK, NULL);
    peer__graph_tell_status(graph);
    peer__graph_maintain(graph);
}

/* No referrals and nothing of the graph: it serves the two applications only. */
static void welcome_direct(struct link *link, const struct wire_connect *message)
{
    struct graph *graph = link->graph;
    struct wire_extensions extensions = announced(link);
    link->node_id = message->node_id;
    link->extensions = message->extensions;
    peer__encode_welcome(&link->engine->message, graph->node_id, peer__graph_now(graph), NULL, 0,
                         text_span(graph->peer_id), (struct span){NULL, 0}, &extensions);
    become_connected(link);
    peer__link_send(link);
    if (link->state == LINK_CONNECTED)
        peer__link_direct_is_up(link);
}

static void answer_direct(struct link *link, const struct wire_connect *message)
{
    const char *why_not = peer__link_refuses_direct(link);
    if (why_not != NULL)
        refuse(link, REFUSE_DIRECT_DISALLOWED, why_not);
    else
        welcome_direct(link, message);
}

/* 9.4, in its order, with 6 before 4 (D-15). */
void peer__link_on_connect(struct link *link, const struct wire_connect *message)
{
    struct graph *graph = link->graph;
    struct link *other;
    int direct = (message->flags & CONNECT_FLAG_DIRECT) != 0;
    if (link->state == LINK_CONNECTED && (message->flags & CONNECT_FLAG_UPDATE) != 0) {
        if (link->type == CONNECTION_DIRECT) /* its addresses are nothing to the graph */
            return;
        take_addresses(link, &message->addresses);
        peer__graph_note_neighbour(link);
        return;
    }
    if (link->state == LINK_CONNECTED) {
        refuse(link, REFUSE_ALREADY_CONNECTED, "it said CONNECT twice");
        return;
    }
    if (link->state != LINK_AUTHENTICATED) {
        peer__link_violation(link, "CONNECT from the side that was asked");
        return;
    }
    if (direct != (link->type == CONNECTION_DIRECT)) {
        peer__link_violation(link, "AUTH_INFO and CONNECT differ in the kind of connection");
        return;
    }
    if (message->node_id == 0) { /* which means "this node" in the API */
        peer__link_violation(link, "its node id is 0");
        return;
    }
    if (message->node_id == graph->node_id) {
        peer__link_violation(link, "it is this node itself");
        return;
    }
    if (direct)
        answer_direct(link, message);
    else if ((other = find_neighbour(graph, message->node_id)) != NULL) {
        peer__link_ping(other); /* it may have lost that connection: then this finds it dead at once */
        refuse(link, REFUSE_DUPLICATE, "it is a neighbour already");
    } else if (graph->neighbour_count >= NEIGHBOURS_MAX)
        refuse(link, REFUSE_BUSY, "this node has its 7 neighbours");
    else
        welcome(link, message);
}

/* ----------------------------------------------------------------------------------------------------------- the rest */

void peer__graph_tell_addresses(struct graph *graph) /* 3.1.4.8 */
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link))
            say_connect(link, CONNECT_FLAG_UPDATE);
    }
}

void peer__link_say_disconnect(struct link *link, uint8_t reason) /* 9.7 */
{
    struct address referrals[REFERRALS_MAX] = {0};
    size_t count = link->type == CONNECTION_DIRECT ? 0 : collect_referrals(link, referrals);
    peer__encode_disconnect(&link->engine->message, reason, referrals, count);
    peer__link_send(link);
}

/* An application closes a direct connection when it has said everything: no failure. */
static int closes_direct(const struct link *link, uint8_t code)
{
    return link->type == CONNECTION_DIRECT && link->state == LINK_CONNECTED && code == DISCONNECT_APPLICATION;
}

void peer__link_on_disconnect(struct link *link, const struct wire_refuse *message)
{
    static const char *const reasons[] = {"left the graph", "found this connection the least useful",
                                          "was told to disconnect"};
    if (link->graph != NULL && link->type == CONNECTION_NEIGHBOUR)
        peer__graph_take_referrals(link, &message->referrals);
    if (message->code == DISCONNECT_LEAST_USEFUL && peer__link_is_neighbour(link))
        peer__graph_sent_away(link);
    peer_status reason = closes_direct(link, message->code) ? PEER_OK : PEER_E_CONNECTION_FAILED;
    peer__link_end(link, reason, "\"%s\" %s", link->address_text, reasons[message->code - 1]);
}

/* Listening (MS-PPGRH 3.1.4.8). One port may serve several graphs of an engine: AUTH_INFO says which is meant. */
#include "graph/parts.h"

#include <string.h>

static struct listener *find_listener(struct engine *engine, uint32_t scope, uint32_t scope_id, uint16_t port)
{
    LIST_FOR (node, following, &engine->listeners) {
        struct listener *listener = CONTAINER_OF(node, struct listener, in_engine);
        if (port != 0 && listener->scope == scope && listener->scope_id == scope_id &&
            listener->addresses[0].port == port)
            return listener;
    }
    return NULL;
}

static peer_status open_listener(struct engine *engine, uint32_t scope, uint32_t scope_id, uint16_t port,
                                 struct listener **listener_out)
{
    const struct transport *transport = &engine->config.transport;
    struct listener *listener = peer__calloc(1, sizeof(*listener));
    if (listener == NULL)
        return peer__out_of_memory();
    listener->scope = scope;
    listener->scope_id = scope_id;
    peer_status status = transport->listen(transport->self, scope, scope_id, port, listener, &listener->transport,
                                           listener->addresses, &listener->address_count);
    if (status < 0) {
        peer__free(listener);
        return status;
    }
    list_append(&engine->listeners, &listener->in_engine);
    *listener_out = listener;
    return PEER_OK;
}

peer_status peer__graph_listen(struct graph *graph, uint32_t scope, uint32_t scope_id, uint16_t port)
{
    struct engine *engine = graph->engine;
    PEER_TRY(peer__graph_require_ready(graph));
    if (graph->listener != NULL)
        return peer__fail(PEER_E_ALREADY_LISTENING, "graph \"%s\" listens on port %u already", graph->graph_id,
                          graph->listener->addresses[0].port);
    struct listener *listener = find_listener(engine, scope, scope_id, port);
    if (listener == NULL)
        PEER_TRY(open_listener(engine, scope, scope_id, port, &listener));
    listener->users++;
    graph->listener = listener;
    peer__engine_enter(engine);
    peer__graph_tell_status(graph);
    peer__graph_tell_addresses(graph);
    peer__graph_go_online(graph);
    peer__engine_leave(engine);
    return PEER_OK;
}

static int are_the_same(const struct listener *listener, const struct address *addresses, size_t address_count)
{
    if (listener->address_count != address_count)
        return 0;
    for (size_t i = 0; i < address_count; i++) {
        if (!peer__address_equal(&listener->addresses[i], &addresses[i]))
            return 0;
    }
    return 1;
}

/* MS-PPGRH 3.1.7.23 (spec part 15): the own records and the neighbours learn it. */
void peer__engine_addresses_changed(struct engine *engine, void *listener_tag, const struct address *addresses,
                                    size_t address_count)
{
    struct listener *listener = listener_tag;
    if (are_the_same(listener, addresses, address_count))
        return;
    memcpy(listener->addresses, addresses, address_count * sizeof(*addresses));
    listener->address_count = address_count;
    peer__engine_enter(engine);
    LIST_FOR (node, following, &engine->graphs) {
        struct graph *graph = CONTAINER_OF(node, struct graph, in_engine);
        if (graph->listener != listener)
            continue;
        peer__graph_refresh_now(graph);
        peer__graph_tell_addresses(graph);
        peer__graph_maintain(graph);
    }
    peer__engine_leave(engine);
}

/* Who listens on every interface of the machine does so on those that only the machine itself can reach. */
static int is_everywhere(const struct listener *listener)
{
    return listener->scope == PEER_GRAPH_SCOPE_GLOBAL && listener->scope_id == 0;
}

int peer__graph_listens_at(const struct graph *graph, const struct address *address)
{
    const struct listener *listener = graph->listener;
    if (listener == NULL)
        return 0;
    for (size_t i = 0; i < listener->address_count; i++) {
        if (peer__address_equal(address, &listener->addresses[i]))
            return 1;
    }
    return is_everywhere(listener) && address->port == listener->addresses[0].port &&
           (peer__address_is_loopback(address) || peer__address_is_unspecified(address));
}

void peer__graph_unlisten(struct graph *graph)
{
    struct listener *listener = graph->listener;
    const struct transport *transport = &graph->engine->config.transport;
    graph->listener = NULL;
    if (listener == NULL || --listener->users > 0)
        return;
    transport->unlisten(transport->self, listener->transport);
    list_remove(&listener->in_engine);
    peer__free(listener);
}

/* Direct connections, and data over these and over neighbour connections. */
#include "api/handle.h"
#include "api/input.h"
#include "base/error.h"
#include "graph/graph.h"

peer_status peer_graph_open_direct_connection(peer_graph *graph, const char *peer_id, const char *address,
                                              uint64_t *connection_id_out)
{
    struct call call;
    uint64_t connection_id;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_text("peer_id", peer_id, ID_UNITS));
    PEER_TRY(peer__input_text("address", address, ADDRESS_UNITS));
    PEER_TRY(peer__input_not_null("connection_id_out", connection_id_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_open_direct(call.graph->graph, peer_id, address, &connection_id);
    if (status >= 0)
        *connection_id_out = connection_id;
    return peer__leave(&call, status);
}

peer_status peer_graph_send_data(peer_graph *graph, uint64_t connection_id, const peer_guid *data_type,
                                 const void *data, size_t size)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("data_type", data_type));
    if (data == NULL && size > 0)
        return peer__fail(E_INVALIDARG, "data is NULL and size is %zu", size);
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_send(call.graph->graph, connection_id, data_type, data, size));
}

peer_status peer_graph_close_direct_connection(peer_graph *graph, uint64_t connection_id)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_close_direct(call.graph->graph, connection_id));
}

peer_status peer_graph_pause_direct_connection(peer_graph *graph, uint64_t connection_id, uint32_t paused)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_pause_direct(call.graph->graph, connection_id, paused != 0));
}

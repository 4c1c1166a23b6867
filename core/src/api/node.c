/* Nodes: what is known of them, and what this one tells of itself. */
#include "api/handle.h"
#include "api/input.h"
#include "api/views.h"
#include "base/error.h"
#include "graph/graph.h"

peer_status peer_graph_get_node_info(peer_graph *graph, uint64_t node_id, peer_node_info **info_out)
{
    struct call call;
    struct graph_node_info info;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("info_out", info_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_node_info(call.graph->graph, node_id, &info);
    if (status >= 0)
        status = peer__node_info_object(&info, info_out);
    return peer__leave(&call, status);
}

peer_status peer_graph_set_presence(peer_graph *graph, uint32_t present)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer__graph_set_presence(call.graph->graph, present != 0);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_graph_set_node_attributes(peer_graph *graph, const char *attributes)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_optional_text("attributes", attributes, NODE_ATTRIBUTES_UNITS));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_set_attributes(call.graph->graph, attributes));
}

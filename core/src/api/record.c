/* Records, and what a graph tells of itself as an object. */
#include "api/handle.h"
#include "api/input.h"
#include "api/views.h"
#include "base/error.h"
#include "graph/graph.h"

peer_status peer_graph_add_record(peer_graph *graph, const peer_record_input *record, peer_guid *record_id_out)
{
    peer_record_view copy;
    peer_guid id;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_new_record(record, &copy));
    PEER_TRY(peer__input_not_null("record_id_out", record_id_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_add(call.graph->graph, &copy, &id);
    if (status >= 0)
        *record_id_out = id;
    return peer__leave(&call, status);
}

peer_status peer_graph_update_record(peer_graph *graph, const peer_record_input *record)
{
    peer_record_view copy;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_record(record, &copy));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_update(call.graph->graph, &copy));
}

peer_status peer_graph_delete_record(peer_graph *graph, const peer_guid *record_id, uint32_t local)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("record_id", record_id));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    if (local != 0)
        return peer__leave(&call, peer__graph_delete_here(call.graph->graph, record_id));
    return peer__leave(&call, peer__graph_delete(call.graph->graph, &(peer_record_view){.id = *record_id}));
}

peer_status peer_graph_delete_secured_record(peer_graph *graph, const peer_record_input *record)
{
    peer_record_view copy;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_record(record, &copy));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_delete(call.graph->graph, &copy));
}

peer_status peer_graph_get_record(peer_graph *graph, const peer_guid *record_id, peer_record **record_out)
{
    struct call call;
    struct record *record = NULL;
    uint32_t local_flags = 0;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("record_id", record_id));
    PEER_TRY(peer__input_not_null("record_out", record_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_get(call.graph->graph, record_id, &record, &local_flags);
    PEER_TRY(peer__leave(&call, status));
    return peer__record_object(record, local_flags, record_out);
}

peer_status peer_graph_get_properties(peer_graph *graph, peer_graph_properties **properties_out)
{
    struct call call;
    struct graph_info info;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("properties_out", properties_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_properties(call.graph->graph, &info);
    if (status >= 0)
        status = peer__properties_object(&info, properties_out);
    return peer__leave(&call, status);
}

peer_status peer_graph_set_properties(peer_graph *graph, const peer_graph_properties_input *properties)
{
    struct call call;
    peer_graph_properties_view copy;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_new_properties(properties, &copy));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_set_properties(call.graph->graph, &copy));
}

/* The application as the judge of records: what waits, and its verdicts. */
#include <inttypes.h>

#include "api/handle.h"
#include "api/input.h"
#include "api/views.h"
#include "base/error.h"
#include "graph/graph.h"

peer_status peer_graph_get_deferred_record(peer_graph *graph, uint64_t validation_id, peer_record **record_out)
{
    struct call call;
    struct record *record;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("record_out", record_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_get_deferred(call.graph->graph, validation_id, &record);
    PEER_TRY(peer__leave(&call, status));
    return peer__record_object(record, 0, record_out);
}

peer_status peer_graph_judge_record(peer_graph *graph, uint64_t validation_id, peer_status verdict)
{
    struct call call;
    PEER_TRY(peer__check_process());
    if (verdict != PEER_OK && verdict != PEER_E_INVALID_RECORD && verdict != PEER_E_DEFERRED_VALIDATION)
        return peer__fail(E_INVALIDARG,
                          "verdict is %" PRId32 ", not PEER_OK, PEER_E_INVALID_RECORD or PEER_E_DEFERRED_VALIDATION",
                          verdict);
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    return peer__leave(&call, peer__graph_judge(call.graph->graph, validation_id, verdict));
}

peer_status peer_graph_validate_deferred_records(peer_graph *graph, uint32_t count, const peer_guid *record_ids)
{
    struct call call;
    PEER_TRY(peer__check_process());
    if (count > 0)
        PEER_TRY(peer__input_not_null("record_ids", record_ids));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer__graph_ask_again(call.graph->graph, count, record_ids);
    return peer__leave(&call, PEER_OK);
}

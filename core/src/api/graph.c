/* Graphs: making and ending, listening and connecting, what they are. */
#include "graph/graph.h"

#include <inttypes.h>

#include "api/handle.h"
#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "wire/limits.h"

/* --- making ----------------------------------------------------------------------------------------------------------- */

/* Begins a call that makes a graph: the runtime is locked, the handle exists, though nobody knows it yet. */
static peer_status begin_graph(struct call *call, peer_runtime *runtime, struct api_graph **graph_out,
                               uintptr_t *handle_out)
{
    PEER_TRY(peer__enter_locked(call, HANDLE_RUNTIME, runtime));
    struct api_graph *graph = peer__thing_create(HANDLE_GRAPH, sizeof(*graph));
    if (graph == NULL)
        return peer__leave(call, peer__out_of_memory());
    peer_status status = peer__handle_create(graph, call->runtime, handle_out);
    if (status < 0) {
        peer__thing_release(graph);
        return peer__leave(call, status);
    }
    *graph_out = graph;
    return PEER_OK;
}

static peer_status finish_graph(struct call *call, struct api_graph *graph, uintptr_t handle, peer_status status,
                                peer_graph **graph_out)
{
    if (status >= 0)
        *graph_out = (peer_graph *)handle;
    else
        peer__handle_retire(graph);
    status = peer__leave(call, status);
    peer__thing_release(graph);
    return status;
}

peer_status peer_graph_create(peer_runtime *runtime, const peer_graph_properties_input *properties,
                              const char *database_name, const peer_graph_options_input *options,
                              peer_graph **graph_out)
{
    peer_graph_properties_view copy;
    struct graph_limits limits;
    uint32_t flags;
    uintptr_t handle;
    struct call call;
    struct api_graph *graph = NULL;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_properties(properties, &copy));
    PEER_TRY(peer__input_database_name(database_name, &database_name));
    PEER_TRY(peer__input_options(options, &flags, &limits));
    PEER_TRY(peer__input_not_null("graph_out", graph_out));
    PEER_TRY(begin_graph(&call, runtime, &graph, &handle));
    peer_status status = peer__graph_create(call.runtime->driver->engine, &copy, database_name, flags, &graph->graph);
    if (status >= 0)
        peer__graph_set_limits(graph->graph, &limits);
    return finish_graph(&call, graph, handle, status, graph_out);
}

static peer_status check_precedence(uint32_t count, const peer_guid *precedence)
{
    if ((count == 0) != (precedence == NULL))
        return peer__fail(E_INVALIDARG, "precedence is %s and precedence_count %" PRIu32,
                          precedence == NULL ? "NULL" : "not NULL", count);
    if (count > PRECEDENCE_MAX)
        return peer__fail(E_INVALIDARG, "precedence_count is %" PRIu32 ", more than %u", count, PRECEDENCE_MAX);
    return PEER_OK;
}

peer_status peer_graph_open(peer_runtime *runtime, const char *graph_id, const char *peer_id, const char *database_name,
                            const peer_graph_options_input *options, uint32_t precedence_count,
                            const peer_guid *precedence, peer_graph **graph_out)
{
    struct graph_limits limits;
    uint32_t flags;
    uintptr_t handle;
    struct call call;
    struct api_graph *graph = NULL;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_graph_id("graph_id", graph_id));
    PEER_TRY(peer__input_text("peer_id", peer_id, ID_UNITS));
    PEER_TRY(peer__input_database_name(database_name, &database_name));
    PEER_TRY(peer__input_options(options, &flags, &limits));
    PEER_TRY(check_precedence(precedence_count, precedence));
    PEER_TRY(peer__input_not_null("graph_out", graph_out));
    PEER_TRY(begin_graph(&call, runtime, &graph, &handle));
    peer_status status = peer__graph_open(call.runtime->driver->engine, graph_id, peer_id, database_name, flags,
                                          precedence_count, precedence, &graph->graph);
    if (status >= 0)
        peer__graph_set_limits(graph->graph, &limits);
    return finish_graph(&call, graph, handle, status, graph_out);
}

/* --- ending ----------------------------------------------------------------------------------------------------------- */

static peer_status close_graph(peer_graph *handle)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter(&call, HANDLE_GRAPH, handle));
    peer__call_lock_for_end(&call);
    struct api_graph *graph = call.graph;
    if (peer__handle_retire(graph) != 0) /* another close, or a shutdown, was faster; that one closes the graph */
        return peer__leave(&call, peer__has_ended(HANDLE_GRAPH));
    struct graph *closing = graph->graph;
    graph->graph = NULL;
    struct store *store = peer__graph_end(closing, PEER_OK, "the graph was closed");
    peer__call_unlock(&call);
    store->operations->close(store);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_graph_close(peer_graph *graph)
{
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, close_graph(graph));
}

peer_status peer_graph_delete(peer_runtime *runtime, const char *graph_id, const char *peer_id,
                              const char *database_name)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_text("graph_id", graph_id, ID_UNITS));
    PEER_TRY(peer__input_text("peer_id", peer_id, ID_UNITS));
    PEER_TRY(peer__input_database_name(database_name, &database_name));
    PEER_TRY(peer__enter_locked(&call, HANDLE_RUNTIME, runtime));
    peer_status status = peer__graph_delete_data(call.runtime->driver->engine, graph_id, peer_id, database_name);
    return peer__leave(&call, peer__error_of_files(status));
}

/* --- the network ------------------------------------------------------------------------------------------------------ */

static peer_status check_listen(uint32_t scope, uint32_t scope_id, uint32_t port)
{
    if (scope < PEER_GRAPH_SCOPE_GLOBAL || scope > PEER_GRAPH_SCOPE_LOOPBACK)
        return peer__fail(E_INVALIDARG, "scope is %" PRIu32 ", which is none to listen in", scope);
    if (scope_id == 0 && (scope == PEER_GRAPH_SCOPE_SITELOCAL || scope == PEER_GRAPH_SCOPE_LINKLOCAL))
        return peer__fail(E_INVALIDARG, "scope_id is 0, but scope %" PRIu32 " needs the index of an interface", scope);
    if (port > UINT16_MAX)
        return peer__fail(E_INVALIDARG, "port is %" PRIu32 ", more than 65535", port);
    return PEER_OK;
}

peer_status peer_graph_listen(peer_graph *graph, uint32_t scope, uint32_t scope_id, uint32_t port)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(check_listen(scope, scope_id, port));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    if (scope == PEER_GRAPH_SCOPE_LOOPBACK) /* ignored; else graphs that name different ones could not share a port */
        scope_id = 0;
    return peer__leave(&call, peer__graph_listen(call.graph->graph, scope, scope_id, (uint16_t)port));
}

peer_status peer_graph_connect(peer_graph *graph, const char *peer_id, const char *address, uint64_t *connection_id_out)
{
    struct call call;
    uint64_t connection_id = 0;
    PEER_TRY(peer__check_process());
    if (peer_id != NULL)
        PEER_TRY(peer__input_text("peer_id", peer_id, ID_UNITS));
    PEER_TRY(peer__input_text("address", address, ADDRESS_UNITS));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_connect(call.graph->graph, peer_id, address, &connection_id);
    if (status >= 0 && connection_id_out != NULL)
        *connection_id_out = connection_id;
    return peer__leave(&call, status);
}

/* --- what it is ------------------------------------------------------------------------------------------------------- */

peer_status peer_graph_get_status(peer_graph *graph, uint32_t *status_out)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("status_out", status_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    *status_out = peer__graph_status(call.graph->graph);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_graph_peer_time_to_universal_time(peer_graph *graph, int64_t time_us, int64_t *time_utc_us_out)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("time_utc_us_out", time_utc_us_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    *time_utc_us_out = peer__graph_universal_time_us(call.graph->graph, time_us);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_graph_universal_time_to_peer_time(peer_graph *graph, int64_t time_utc_us, int64_t *time_us_out)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("time_us_out", time_us_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    *time_us_out = peer__graph_peer_time_us(call.graph->graph, time_utc_us);
    return peer__leave(&call, PEER_OK);
}

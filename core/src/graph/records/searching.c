/* Searching records (graph-api 11): the store finds them, the graph leaves out what nobody may see. */
#include "graph/parts.h"

peer_status peer__graph_search_begin(struct graph *graph, const struct search *tree, struct graph_search *search)
{
    *search = (struct graph_search){0};
    PEER_TRY(peer__graph_require_ready(graph));
    /* What is not committed must not be found. A failure drops it, and the search goes on without it. */
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph);
    peer__engine_leave(graph->engine);
    search->expired_until = peer__graph_expires_nothing(graph) ? 0 : peer__graph_now(graph);
    return graph->store->operations->search(graph->store, tree, &search->store);
}

static int visit_row(void *context, const struct store_row *row)
{
    struct graph_search *search = context;
    if ((row->flags & RECORD_FLAG_DELETED) == 0 && row->expires > search->expired_until &&
        !peer__type_is_reserved(&row->type))
        peer__buffer_guid(&search->ids, &row->id);
    return search->ids.failed;
}

peer_status peer__graph_search_step(struct graph_search *search, int *end_out)
{
    int end = 0;
    PEER_TRY(search->store->step(search->store, visit_row, search, &end));
    if (search->ids.failed)
        return peer__out_of_memory();
    *end_out = end;
    return PEER_OK;
}

void peer__graph_submit(struct graph *graph, struct job *job)
{
    graph->engine->config.jobs.submit(graph->engine->config.jobs.self, job);
}

void peer__graph_search_end(struct graph_search *search)
{
    if (search->store != NULL)
        search->store->close(search->store);
    search->store = NULL;
    peer__buffer_free(&search->ids);
}

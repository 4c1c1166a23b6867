/* Small values that a graph keeps in its database: whether it was synchronized, its clock, when it left. */
#include "graph/parts.h"

#define PRESENCE_NOTE_PERIOD_US 5000000

peer_status peer__setting_put_u64(struct store *store, const char *name, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    return store->operations->setting_put(store, name, (struct span){bytes, sizeof(bytes)});
}

peer_status peer__setting_get_u64(struct store *store, const char *name, uint64_t *value_out)
{
    struct buffer value = {0};
    peer_status status = store->operations->setting_get(store, name, &value);
    if (status == PEER_E_NOT_FOUND) {
        *value_out = 0;
        status = PEER_OK;
    } else if (status >= 0) {
        struct reader reader = peer__reader((struct span){value.data, value.size});
        *value_out = peer__read_u64(&reader);
        if (reader.failed)
            status = peer__fail(PEER_E_INVALID_DATABASE, "setting \"%s\" of the database has %zu bytes instead of 8",
                                name, value.size);
    }
    peer__buffer_free(&value);
    return status;
}

/* "The time at which the node left the graph" (11.2) must also be known after a crash, so the last moment at which we
 * were connected is written along with what we receive. It may lag behind: then a little more is synchronized. */
peer_status peer__graph_note_presence(struct graph *graph, int force)
{
    if (!graph->ready || graph->incomplete || graph->neighbour_count == 0)
        return PEER_OK;
    LIST_FOR (node, following, &graph->links) {
        if (CONTAINER_OF(node, struct link, in_graph)->sync.type != SYNC_NONE)
            return PEER_OK; /* something may still be missing */
    }
    int64_t now_us = peer__engine_now_us(graph->engine);
    if (!force && graph->left != 0 && now_us - graph->left_stored_us < PRESENCE_NOTE_PERIOD_US)
        return PEER_OK;
    graph->left = peer__graph_now(graph);
    graph->left_stored_us = now_us;
    return peer__setting_put_u64(graph->store, "left", graph->left);
}

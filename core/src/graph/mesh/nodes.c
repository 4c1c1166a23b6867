/* What can be asked about the other nodes of a graph: who is present, and to whom there are connections. */
#include <stdlib.h>
#include <string.h>

#include "graph/parts.h"

/* -------------------------------------------------------------------------------------------------------------- nodes */

static void fill_present(const struct roster_entry *entry, struct graph_node_info *info_out)
{
    *info_out = (struct graph_node_info){.node_id = entry->node_id,
                                         .peer_id = entry->peer_id,
                                         .attributes = entry->attributes,
                                         .address_count = entry->address_count};
    memcpy(info_out->addresses, entry->addresses, sizeof(entry->addresses));
}

static void fill_neighbour(const struct link *link, struct graph_node_info *info_out)
{
    *info_out = (struct graph_node_info){
        .node_id = link->node_id, .peer_id = link->peer_id, .address_count = link->address_count};
    for (size_t i = 0; i < link->address_count; i++)
        info_out->addresses[i] = link->addresses[i].address;
}

/* Present nodes, and neighbours, which are known also where nobody publishes presence. */
static peer_status other_node_info(const struct graph *graph, uint64_t node_id, struct graph_node_info *info_out)
{
    const struct roster_entry *entry = peer__roster_find_node(&graph->upkeep.present, node_id, NULL);
    if (entry != NULL) {
        fill_present(entry, info_out);
        return PEER_OK;
    }
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link->state == LINK_CONNECTED && link->node_id == node_id) {
            fill_neighbour(link, info_out);
            return PEER_OK;
        }
    }
    return peer__fail(PEER_E_NODE_NOT_FOUND, "no node %016llx is known", (unsigned long long)node_id);
}

peer_status peer__graph_node_info(const struct graph *graph, uint64_t node_id, struct graph_node_info *info_out)
{
    if (node_id != 0 && node_id != graph->node_id)
        return other_node_info(graph, node_id, info_out);
    *info_out = (struct graph_node_info){
        .node_id = graph->node_id, .peer_id = graph->peer_id, .attributes = graph->upkeep.attributes};
    if (graph->listener != NULL) {
        info_out->address_count = graph->listener->address_count;
        memcpy(info_out->addresses, graph->listener->addresses, sizeof(info_out->addresses));
    }
    return PEER_OK;
}

static int by_node(const void *a, const void *b)
{
    const struct roster_entry *const *left = a;
    const struct roster_entry *const *right = b;
    if ((*left)->node_id != (*right)->node_id)
        return (*left)->node_id < (*right)->node_id ? -1 : 1;
    return 0;
}

static int is_of(const struct roster_entry *entry, const char *peer_id)
{
    return peer_id == NULL || (entry->peer_id != NULL && strcmp(entry->peer_id, peer_id) == 0);
}

/* In the order of node ids; a node that has two presence records for a while counts once. */
static size_t sort_nodes(const struct roster *present, const char *peer_id, const struct roster_entry **entries)
{
    size_t count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < present->count; i++) {
        if (is_of(&present->entries[i], peer_id))
            entries[count++] = &present->entries[i];
    }
    if (count > 0)
        qsort(entries, count, sizeof(const struct roster_entry *), by_node);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || entries[kept - 1]->node_id != entries[i]->node_id)
            entries[kept++] = entries[i];
    }
    return kept;
}

peer_status peer__graph_list_nodes(const struct graph *graph, const char *peer_id, peer_guid **ids_out,
                                   size_t *count_out)
{
    const struct roster *present = &graph->upkeep.present;
    PEER_TRY(peer__graph_require_ready(graph));
    const struct roster_entry **entries = peer__calloc(present->count, sizeof(const struct roster_entry *));
    peer_guid *ids = peer__calloc(present->count, sizeof(*ids));
    if (entries == NULL || ids == NULL) {
        peer__free(entries);
        peer__free(ids);
        return peer__out_of_memory();
    }
    *count_out = sort_nodes(present, peer_id, entries);
    for (size_t i = 0; i < *count_out; i++)
        ids[i] = entries[i]->record_id;
    peer__free(entries);
    *ids_out = ids;
    return PEER_OK;
}

peer_status peer__graph_present_node(const struct graph *graph, const peer_guid *record_id,
                                     struct graph_node_info *info_out)
{
    const struct roster_entry *entry = peer__roster_find(&graph->upkeep.present, record_id);
    if (entry == NULL)
        return PEER_E_NODE_NOT_FOUND;
    fill_present(entry, info_out);
    return PEER_OK;
}

/* -------------------------------------------------------------------------------------------------------- connections */

static uint32_t flag_of(const struct link *link)
{
    return link->type == CONNECTION_DIRECT ? PEER_CONNECTION_DIRECT : PEER_CONNECTION_NEIGHBOR;
}

peer_status peer__graph_list_connections(const struct graph *graph, uint32_t flags, uint64_t **ids_out,
                                         size_t *count_out)
{
    size_t count = 0;
    LIST_FOR (node, following, &graph->links)
        count++;
    uint64_t *ids = peer__calloc(count, sizeof(*ids));
    if (ids == NULL)
        return peer__out_of_memory();
    count = 0;
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link->state == LINK_CONNECTED && (flag_of(link) & flags) != 0)
            ids[count++] = link->connection_id;
    }
    *ids_out = ids;
    *count_out = count;
    return PEER_OK;
}

peer_status peer__graph_connection_info(struct graph *graph, uint64_t connection_id,
                                        struct graph_connection_info *info_out)
{
    const struct link *link = peer__graph_find_link(graph, connection_id);
    if (link == NULL || link->state != LINK_CONNECTED)
        return PEER_E_CONNECTION_NOT_FOUND;
    *info_out = (struct graph_connection_info){.flags = flag_of(link),
                                               .connection_id = connection_id,
                                               .node_id = link->node_id,
                                               .lost_count = link->lost_count,
                                               .peer_id = link->peer_id,
                                               .address = link->remote};
    return PEER_OK;
}

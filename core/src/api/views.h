/** Objects that are views of something of the engine: texts converted once, in one block. */
#ifndef PEER_API_VIEWS_H
#define PEER_API_VIEWS_H

#include "api/handle.h"
#include "graph/graph.h"
#include "peergraph/peergraph.h"

/** Takes over the caller's reference of `record` also on failure. Any lock or none. */
peer_status peer__record_object(struct record *record, uint32_t local_flags, peer_record **record_out);

/** Under the driver's lock, from whose data they copy. */
peer_status peer__properties_object(const struct graph_info *info, peer_graph_properties **properties_out);
peer_status peer__node_info_object(const struct graph_node_info *info, peer_node_info **info_out);
peer_status peer__connection_info_object(const struct graph_connection_info *info, peer_connection_info **info_out);

/** Of an object that an enumeration of that kind hands out: the view in it, and its size. */
const void *peer__item_view(enum item_of item_of, const void *object);
size_t peer__item_view_size(enum item_of item_of);

#endif

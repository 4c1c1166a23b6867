/** Objects that are views of something of the engine: texts converted once, in one block. */
#ifndef PEER_API_VIEWS_H
#define PEER_API_VIEWS_H

#include "graph/graph.h"
#include "peergraph/peergraph.h"

/** Takes over the caller's reference of `record` also on failure. Any lock or none. */
peer_status peer__record_object(struct record *record, uint32_t local_flags, peer_record **record_out);
/** The view of an object that is known to be a record. */
const peer_record_view *peer__record_object_view(const peer_record *record);

/** Under the driver's lock, from whose data they copy. */
peer_status peer__properties_object(const struct graph_info *info, peer_graph_properties **properties_out);
peer_status peer__node_info_object(const struct graph_node_info *info, peer_node_info **info_out);

#endif

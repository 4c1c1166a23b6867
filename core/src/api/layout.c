/*
 * The layout of every public struct, as the first release has it: each byte is a field's, so that struct_size and zero
 * mean what the header says. A new field goes to the end; the sizes of the first release stay here.
 */
#include <assert.h>
#include <stddef.h>

#include "peergraph/sim.h"

#if UINTPTR_MAX > UINT32_MAX /* elsewhere alignment differs between systems, and each has a first release of its own */
#define WORD 8
/* The sum of all fields: nothing lies between them. */
#define NO_PADDING(type, sum) static_assert(sizeof(type) == (sum), #type " has padding or another size than it had")

NO_PADDING(peer_guid, 16);
NO_PADDING(peer_startup_input, 8 + WORD);
NO_PADDING(peer_version_data, 8);
NO_PADDING(peer_graph_properties_view, 24 + 4 * WORD);
NO_PADDING(peer_graph_options_input, 24);
NO_PADDING(peer_node_info_view, 16 + 3 * WORD);
NO_PADDING(peer_connection_info_view, 32 + 2 * WORD);
NO_PADDING(peer_record_view, 72 + 7 * WORD);
NO_PADDING(peer_event_registration, 8 + WORD);
NO_PADDING(peer_event_view, 96 + 4 * WORD);

NO_PADDING(peer_sim_options_input, 24);
NO_PADDING(peer_sim_host_input, 16 + 3 * WORD);
NO_PADDING(peer_sim_host_view, 24 + 2 * WORD);
NO_PADDING(peer_sim_link_input, 48);
NO_PADDING(peer_sim_connection_view, 32);
NO_PADDING(peer_sim_filter_input, 24);
NO_PADDING(peer_sim_message_view, 48 + 2 * WORD);
#endif

/* Where every field of a public struct stood in the first release, on 64-bit platforms. It stands there for ever. */
#include <assert.h>
#include <stddef.h>

#include "peergraph/peergraph.h"

#define AT(type, field, offset) static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) static_assert(sizeof(type) >= (size), #type " has shrunk")

SIZE(peer_guid, 16);

SIZE(peer_startup_input, 16);
AT(peer_startup_input, struct_size, 0);
AT(peer_startup_input, flags, 4);
AT(peer_startup_input, data_directory, 8);

SIZE(peer_version_data, 8);
AT(peer_version_data, version, 0);
AT(peer_version_data, highest_version, 4);

SIZE(peer_graph_properties_view, 56);
AT(peer_graph_properties_view, struct_size, 0);
AT(peer_graph_properties_view, flags, 4);
AT(peer_graph_properties_view, scope, 8);
AT(peer_graph_properties_view, max_record_size, 12);
AT(peer_graph_properties_view, presence_lifetime_s, 16);
AT(peer_graph_properties_view, presence_max, 20);
AT(peer_graph_properties_view, graph_id, 24);
AT(peer_graph_properties_view, creator_id, 32);
AT(peer_graph_properties_view, friendly_name, 40);
AT(peer_graph_properties_view, comment, 48);

SIZE(peer_graph_options_input, 24);
AT(peer_graph_options_input, struct_size, 0);
AT(peer_graph_options_input, flags, 4);
AT(peer_graph_options_input, max_database_bytes, 8);
AT(peer_graph_options_input, max_bytes_per_creator, 16);

SIZE(peer_node_info_view, 40);
AT(peer_node_info_view, struct_size, 0);
AT(peer_node_info_view, address_count, 4);
AT(peer_node_info_view, node_id, 8);
AT(peer_node_info_view, peer_id, 16);
AT(peer_node_info_view, attributes, 24);
AT(peer_node_info_view, addresses, 32);

SIZE(peer_record_view, 128);
AT(peer_record_view, struct_size, 0);
AT(peer_record_view, version, 4);
AT(peer_record_view, id, 8);
AT(peer_record_view, type, 24);
AT(peer_record_view, flags, 40);
AT(peer_record_view, reserved, 44);
AT(peer_record_view, created_us, 48);
AT(peer_record_view, expires_us, 56);
AT(peer_record_view, modified_us, 64);
AT(peer_record_view, creator_id, 72);
AT(peer_record_view, modifier_id, 80);
AT(peer_record_view, attributes, 88);
AT(peer_record_view, data, 96);
AT(peer_record_view, size, 104);
AT(peer_record_view, security_data, 112);
AT(peer_record_view, security_data_size, 120);

SIZE(peer_event_registration, 16);
AT(peer_event_registration, type, 0);
AT(peer_event_registration, reserved, 4);
AT(peer_event_registration, record_type, 8);

SIZE(peer_event_view, 120);
AT(peer_event_view, struct_size, 0);
AT(peer_event_view, type, 4);
AT(peer_event_view, change, 8);
AT(peer_event_view, reason, 12);
AT(peer_event_view, status, 16);
AT(peer_event_view, reserved, 20);
AT(peer_event_view, connection_id, 24);
AT(peer_event_view, next_connection_id, 32);
AT(peer_event_view, node_id, 40);
AT(peer_event_view, lost_count, 48);
AT(peer_event_view, record_id, 56);
AT(peer_event_view, record_type, 72);
AT(peer_event_view, peer_id, 88);
AT(peer_event_view, message, 96);
AT(peer_event_view, data, 104);
AT(peer_event_view, size, 112);

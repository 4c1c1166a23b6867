/* Where every field of a public struct stood in the first release, on 64-bit platforms. It stands there for ever. */
#include <assert.h>
#include <stddef.h>

#include "peergraph/sim.h"

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

SIZE(peer_connection_info_view, 48);
AT(peer_connection_info_view, struct_size, 0);
AT(peer_connection_info_view, flags, 4);
AT(peer_connection_info_view, connection_id, 8);
AT(peer_connection_info_view, node_id, 16);
AT(peer_connection_info_view, peer_id, 24);
AT(peer_connection_info_view, address, 32);
AT(peer_connection_info_view, lost_count, 40);

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

SIZE(peer_event_view, 128);
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
AT(peer_event_view, validation_id, 120);

SIZE(peer_sim_options_input, 24);
AT(peer_sim_options_input, struct_size, 0);
AT(peer_sim_options_input, flags, 4);
AT(peer_sim_options_input, connect_timeout_us, 8);
AT(peer_sim_options_input, reset_after_us, 16);

SIZE(peer_sim_host_input, 40);
AT(peer_sim_host_input, struct_size, 0);
AT(peer_sim_host_input, drift_ppm, 4);
AT(peer_sim_host_input, clock_offset_us, 8);
AT(peer_sim_host_input, name, 16);
AT(peer_sim_host_input, address, 24);
AT(peer_sim_host_input, data_directory, 32);

SIZE(peer_sim_host_view, 40);
AT(peer_sim_host_view, struct_size, 0);
AT(peer_sim_host_view, host, 4);
AT(peer_sim_host_view, flags, 8);
AT(peer_sim_host_view, drift_ppm, 12);
AT(peer_sim_host_view, clock_utc_us, 16);
AT(peer_sim_host_view, name, 24);
AT(peer_sim_host_view, address, 32);

SIZE(peer_sim_link_input, 48);
AT(peer_sim_link_input, struct_size, 0);
AT(peer_sim_link_input, loss_ppm, 4);
AT(peer_sim_link_input, stall_ppm, 8);
AT(peer_sim_link_input, reset_ppm, 12);
AT(peer_sim_link_input, stall_us, 16);
AT(peer_sim_link_input, latency_us, 24);
AT(peer_sim_link_input, jitter_us, 32);
AT(peer_sim_link_input, bandwidth, 40);

SIZE(peer_sim_connection_view, 32);
AT(peer_sim_connection_view, struct_size, 0);
AT(peer_sim_connection_view, flags, 4);
AT(peer_sim_connection_view, connection_id, 8);
AT(peer_sim_connection_view, from, 16);
AT(peer_sim_connection_view, to, 20);
AT(peer_sim_connection_view, since_us, 24);

SIZE(peer_sim_filter_input, 24);
AT(peer_sim_filter_input, struct_size, 0);
AT(peer_sim_filter_input, type, 4);
AT(peer_sim_filter_input, from, 8);
AT(peer_sim_filter_input, to, 12);
AT(peer_sim_filter_input, connection_id, 16);

SIZE(peer_sim_message_view, 64);
AT(peer_sim_message_view, struct_size, 0);
AT(peer_sim_message_view, state, 4);
AT(peer_sim_message_view, message_id, 8);
AT(peer_sim_message_view, connection_id, 16);
AT(peer_sim_message_view, type, 24);
AT(peer_sim_message_view, from, 28);
AT(peer_sim_message_view, to, 32);
AT(peer_sim_message_view, reserved, 36);
AT(peer_sim_message_view, moment_us, 40);
AT(peer_sim_message_view, data, 48);
AT(peer_sim_message_view, size, 56);

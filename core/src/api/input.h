/** What callers give: form only. Each function fails with E_INVALIDARG and a line that names the argument. */
#ifndef PEER_API_INPUT_H
#define PEER_API_INPUT_H

#include <stddef.h>

#include "graph/graph.h"
#include "peergraph/peergraph.h"

/** Longest ids and texts in UTF-16 units without the terminator. */
#define ID_UNITS 255u
#define COMMENT_UNITS 511u
#define NODE_ATTRIBUTES_UNITS 4095u
#define DATABASE_NAME_BYTES 64u
#define LIMIT_BYTES_MIN 65536u
#define ADDRESS_UNITS 320u /* of what connect takes: a host name and a port, or an address with an interface */

peer_status peer__input_not_null(const char *name, const void *argument);

/**
 * Copies an input struct of any version: what it has beyond ours must be 0, what it lacks becomes 0. `struct_size` is the
 * first member; `first_size` the size of the first release.
 */
peer_status peer__input_struct(const char *name, const void *input, size_t first_size, void *copy, size_t size);

/** Well-formed UTF-8 of 1 … units_max units. */
peer_status peer__input_text(const char *name, const char *text, size_t units_max);
/** The same, or NULL, or empty. */
peer_status peer__input_optional_text(const char *name, const char *text, size_t units_max);

/** As peer__input_text, of 1 … 255 units without control characters. */
peer_status peer__input_graph_id(const char *name, const char *graph_id);

/** A plain file name; `*name_out` is "default" for NULL. */
peer_status peer__input_database_name(const char *database_name, const char **name_out);

/** Copies the options, or 0 for NULL. */
peer_status peer__input_options(const peer_graph_options_input *options, uint32_t *flags_out,
                                struct graph_limits *limits_out);
/** Copies properties and checks what create demands of each field. */
peer_status peer__input_properties(const peer_graph_properties_input *properties, peer_graph_properties_view *copy);
/** The same for set_properties, which ignores all but four fields. */
peer_status peer__input_new_properties(const peer_graph_properties_input *properties, peer_graph_properties_view *copy);
/** Copies a record and checks its texts and spans, not what the graph decides. */
peer_status peer__input_record(const peer_record_input *record, peer_record_view *copy);
/** The same, and the type is required. */
peer_status peer__input_new_record(const peer_record_input *record, peer_record_view *copy);

#endif

/** Views of objects: structs of which the caller says how large its version is. */
#ifndef PEER_EVENT_VIEW_H
#define PEER_EVENT_VIEW_H

#include <stddef.h>

#include "peergraph/peergraph.h"

/** Larger structs are refused, so that a wild size does no harm. */
#define STRUCT_SIZE_MAX 4096u

/** E_INVALIDARG unless `view_size` is that of the first release or more, and fit to be the stride of an array. */
peer_status peer__view_check_size(size_t view_size, size_t first_size);
/** Copies as much of a view as the caller knows; what it knows beyond ours is 0. `struct_size` comes first in both. */
void peer__view_copy(void *view_out, size_t view_size, const void *view, size_t size);

#endif

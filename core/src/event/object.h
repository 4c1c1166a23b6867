/**
 * What is handed out and freed with peer_free_data: a block with a hidden header that knows its kind and its owners. The
 * pointer that users get is the one behind the header, also that of an array.
 */
#ifndef PEER_EVENT_OBJECT_H
#define PEER_EVENT_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "peergraph/peergraph.h"

enum {
    OBJECT_RECORD = 1,
    OBJECT_EVENT,
    OBJECT_NODE_INFO,
    OBJECT_PROPERTIES,
    OBJECT_ATTRIBUTES,
    OBJECT_ARRAY,
    OBJECT_CONNECTION_INFO,
    OBJECT_QUERY,
};

/**
 * A new object with one owner: `size` bytes of zeros, aligned to 16. NULL when memory is out. `destroy` frees what the
 * data refers to, not the data; NULL: nothing. The owners are counted without a lock: a forked child may release them.
 */
void *peer__object_create(size_t size, uint32_t kind, void (*destroy)(void *data));

/** An array of `size` bytes that can own up to `owned_max` other objects and gives them up with itself. */
void *peer__object_create_array(size_t size, size_t owned_max);
/** The array takes over the caller's ownership of `data`. */
void peer__object_array_own(void *array, const void *data);

/** E_INVALIDARG and an error line if `data` is NULL, no object, or of another kind. */
peer_status peer__object_check(const void *data, uint32_t kind);

/** One more owner. -1, without an error line, if `data` is NULL or no object. */
int peer__object_retain(const void *data);

/** One owner less; the last one destroys. NULL and what is no object are left alone. */
void peer__object_release(const void *data);

#endif
